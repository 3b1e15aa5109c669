"""Measures the pages against their budgets (web-ui 3.0), in a real browser and without one."""
