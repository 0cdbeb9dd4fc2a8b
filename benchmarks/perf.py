"""Everything that is measured on a release."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.growth import measure_growth
from benchmarks.loading import measure_loading
from benchmarks.measurement import Measurement
from benchmarks.reading import measure_reading
from benchmarks.scoring import measure_scoring
from m3dsynth_dataset import open_release


def measure(path: Path, repeats: int) -> Iterator[Measurement]:
    """Measure a release, row after row.

    Args:
        path: The release, with at least one edit.
        repeats: Measurements of each; the median counts.

    Raises:
        ReleaseNotFoundError: If there is no release.
    """
    release = open_release(path)
    # Beside the release, whose volumes can then be linked instead of copied.
    with tempfile.TemporaryDirectory(prefix=".perf.", dir=path.absolute().parent) as folder:
        yield from measure_reading(release, Path(folder, "reading"), repeats)
        yield from measure_loading(release, Path(folder, "loading"), max(3, repeats // 5))
        yield from measure_growth(release, Path(folder, "growth"), max(3, repeats // 5))
        yield from measure_scoring(release, Path(folder, "scoring"))
