"""The reference host: a guide to this code base with one copilot for each of its rooms."""
