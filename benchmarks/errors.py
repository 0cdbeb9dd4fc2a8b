"""Errors of the benchmarks."""


class BenchmarkError(ValueError):
    """Something that the user can put right."""
