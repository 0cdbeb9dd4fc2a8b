"""``python -m builder show``."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional


@dataclass(frozen=True)
class Show:
    """Load a release through `datasets`, count its rows, and draw some of its edits.

    Example: python -m builder show m3dsynth --out build/edit.png
    """

    release: Positional[Path]
    """Folder of the release."""
    sample: str | None = None
    """Id of the sample to draw, such as pix2pix/inj_3. Default: the first of each generator and manipulation."""
    out: Path = Path("build/edit.png")
    """Picture to write."""

    def run(self) -> None:
        """Print the counts and write the picture."""
        from builder.picture import draw_edits, pick_samples
        from builder.show import counts_table
        from m3dsynth_dataset import open_release

        release = open_release(self.release)
        print(counts_table(self.release))
        samples = pick_samples(release) if self.sample is None else [release.sample(self.sample)]
        draw_edits(samples, self.out)
        print(f"before, after, difference and mask of {', '.join(each.id for each in samples)}: {self.out}")
