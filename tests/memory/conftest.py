"""Which of the tests about two databases run in which run."""

from django.db import connections

# One of them starts the suite with two databases, in which the other one runs.
collect_ignore = ["test_two_databases.py" if len(connections.databases) > 1 else "test_crash_between.py"]
