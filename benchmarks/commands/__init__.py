"""The commands of ``python -m benchmarks``: a class and a file for each."""
