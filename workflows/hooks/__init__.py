"""Addresses outside of the API that start a run of a workflow."""
