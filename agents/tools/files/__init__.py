"""Tools that read files below one directory, and nothing else."""
