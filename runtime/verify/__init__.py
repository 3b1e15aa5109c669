"""Holds every projection of the log against the log itself, and sets right what differs (promise 2)."""
