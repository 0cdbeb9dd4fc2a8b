"""Parquet from people who are not known: what a file claims is bounded first, then another process unpacks it."""
