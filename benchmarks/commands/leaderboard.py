"""``python -m benchmarks leaderboard``."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional


@dataclass(frozen=True)
class Leaderboard:
    """Write a leaderboard: a page, the same as Markdown and CSV, from results of `m3dsynth score --json`.

    The page needs no server. Results that cannot be compared stand on boards of their own.

    Example: python -m benchmarks leaderboard results --out site
    """

    results: Positional[tuple[Path, ...]]
    """Files of results, or folders that hold them."""
    out: Path = Path("site")
    """Folder of the page: new, empty, or of an earlier leaderboard, which it replaces."""
    dataset: str | None = None
    """The release on the Hub, ORG/NAME: results are written as .eval_results YAML for models' repositories, too."""

    def run(self) -> None:
        """Write it."""
        from benchmarks.leaderboard import boards, read_entries, write_site

        print(f"leaderboard in {write_site(boards(read_entries(self.results)), self.out, self.dataset)}")
