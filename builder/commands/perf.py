"""``python -m builder perf``."""

from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Perf:
    """Speed of planning and editing, as ratios in one run, put into the list of `make perf`.

    Example: python -m builder perf --out build/perf.json
    """

    out: Path = Path("build/perf.json")
    """List that the measurement is put into."""
    scans: int = 128
    """How many scans pylidc is timed on, spread over the database; the rest is scaled up. 1018 is all."""
    repeats: int = 5
    """Measurements of the planner; the median counts."""
    rounds: int = 5
    """Rounds of four edits; the median counts."""

    def run(self) -> None:
        """Measure, print the lines and write the file."""
        from builder.perf.editing import measure_editing
        from builder.perf.measurement import table
        from builder.perf.planner import measure_planner
        from generation.perf_list import merge

        rows = [measure_editing(self.rounds), measure_planner(self.scans, self.repeats)]
        merge(self.out, map(asdict, rows))
        print(table(rows))
        print(f"in {self.out}")
