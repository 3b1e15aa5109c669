"""Masher: reads finished traces and keeps a diagnostic digest, or a row for evals, of each (contract 7.5)."""
