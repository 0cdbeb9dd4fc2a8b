"""The commands of ``python -m builder``: a class and a file for each."""
