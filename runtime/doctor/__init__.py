"""Examines a deployment: what is configured, what can be reached, what is wrong. No finding holds a secret."""

from runtime.doctor.examine import examine
from runtime.doctor.finding import Finding, Level

__all__ = ["Finding", "Level", "examine"]
