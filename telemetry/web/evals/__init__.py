"""Datasets, experiments, and what has become worse (web-ui 3.11)."""
