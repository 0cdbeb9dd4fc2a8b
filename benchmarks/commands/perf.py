"""``python -m benchmarks perf``."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional


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
