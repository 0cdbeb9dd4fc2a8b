"""``python -m builder compare``."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from builder.plan import read_plan


@dataclass(frozen=True)
class Compare:
    """Hold a plan against the published sites, within the published patients.

    Example: python -m builder compare plan.parquet --official M3Dsynth
    """

    plan: Positional[Path]
    """From `python -m builder plan --annotations-only --patients all`."""
    official: Path
    """A clone of the published repository, or the folder with its four tables."""
    disagreements: bool = False
    """List every site that only one of the two has."""
    json: Path | None = None
    """File for the shares."""

    def run(self) -> None:
        """Print the shares."""
        from builder.agreement import compare, write_agreements
        from builder.official_tables import read_tables

        comparison = compare(read_plan(self.plan), read_tables(self.official))
        if self.disagreements and (lines := comparison.disagreements()):
            print(lines)
        print(comparison.text())
        if self.json is not None:
            write_agreements(self.json, comparison)
