"""``python -m benchmarks seal``."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional


@dataclass(frozen=True)
class Seal:
    """Split a release into a public one, whose test does not tell what is tampered, and the labels of that test.

    Of every test patient one version of one scan goes out, pristine, tampered or control, drawn by lot. Keep the
    release and the labels; publish the other folder. Whoever has the original scans can still subtract them, so seal
    scans that nobody has. Goes on where it was stopped.

    Example: python -m benchmarks seal m3dsynth --out public --labels labels.parquet
    """

    release: Positional[Path]
    """Release, which stays as it is."""
    out: Path
    """Folder of the public release."""
    labels: Path
    """File for the labels, outside of both; score with them by `m3dsynth score --labels`."""
    tampered: float = 0.5
    """Share of tampered samples, of all generators and manipulations equally many."""
    control: float = 0.1
    """Share of the control's samples, if the release has them; the rest is pristine."""

    def run(self) -> None:
        """Seal, and say what the labels are."""
        from benchmarks.sealing import Shares, seal
        from m3dsynth_dataset import open_release

        shares = Shares(self.tampered, self.control)
        sealed = seal(open_release(self.release.expanduser()), self.out.expanduser(), self.labels.expanduser(), shares)
        print(f"{self.out}: public release {sealed.digest[:16]}, {sealed}")
        print(f"{self.labels}: the labels, sha256 {sealed.labels_sha256}; keep them, and {self.release}, to yourself")
