"""Measure m3dsynth against the form in which M3Dsynth was published."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, subcommand

from m3dsynth_dataset import DamagedReleaseError, FormatVersionError, ReleaseNotFoundError


@dataclass(frozen=True)
class Perf:
    """Speed and size of reading, as ratios on the same scan in one run.

    Example: python -m benchmarks perf m3dsynth
    """

    release: Positional[Path] = Path("m3dsynth")
    """Release to read; `make demo` builds one."""
    out: Path = Path("build/perf.json")
    """File to write."""
    repeats: int = 15
    """Measurements of each; the median counts."""

    def run(self) -> None:
        """Print the table and write the file."""
        from benchmarks.measurement import table, write_measurements
        from benchmarks.perf import measure

        measurements = []
        for measurement in measure(self.release, self.repeats):
            print(table([measurement]), flush=True)
            measurements.append(measurement)
        write_measurements(self.out, measurements)
        print(f"in {self.out}")


@dataclass(frozen=True)
class Version:
    """Print the version of m3dsynth."""

    def run(self) -> None:
        """Print it."""
        from importlib.metadata import version

        print(version("m3dsynth"))


Command = Annotated[Perf, subcommand("perf")] | Annotated[Version, subcommand("version")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; a user's mistake is one line on stderr and exit status 2."""
    command = tyro.cli(Command, args=arguments, prog="python -m benchmarks", description=__doc__)
    try:
        command.run()
    except (ReleaseNotFoundError, FormatVersionError, DamagedReleaseError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0
