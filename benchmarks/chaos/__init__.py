"""Breaks the promises of a running deployment on purpose: `python -m benchmarks.chaos`."""
