"""``python -m benchmarks version``."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Version:
    """Print the version of m3dsynth."""

    def run(self) -> None:
        """Print it."""
        from importlib.metadata import version

        print(version("m3dsynth"))
