"""``python -m benchmarks view``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional


@dataclass(frozen=True)
class View:
    """Write a gallery of samples: three planes, before and after, mask, and a detector's map on top.

    Works from a file URL, without a network, and on a phone.

    Example: python -m benchmarks view m3dsynth --out gallery --submission submission
    """

    release: Positional[Path] = Path("m3dsynth")
    """Release."""
    out: Path = Path("gallery")
    """Folder to write; a gallery that is there is replaced."""
    config: tuple[str, ...] = ()
    """Such as dm-injection; all for everything but the control. Default: everything."""
    split: Literal["train", "validation", "test", "all"] = "test"
    limit: int | None = None
    """Most samples, taken from all configs in turn."""
    submission: Path | None = None
    """Of a detector, as `predict` writes it."""

    def run(self) -> None:
        """Write it."""
        from benchmarks.viewer import view
        from m3dsynth_dataset import open_release

        found = view(
            open_release(self.release),
            self.out,
            configs=self.config,
            split=self.split,
            limit=self.limit,
            submission=self.submission,
        )
        print(f"{found.samples} samples at {found.places} places, {found.bytes / 1e6:.0f} MB: {found.index}")
