import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import tiny_release

from benchmarks.viewer import view
from m3dsynth_dataset import open_release
from m3dsynth_dataset.manifest import Manifest, digest_of, record_files
from m3dsynth_dataset.row_file import write_rows
from m3dsynth_dataset.schema import FORMAT_VERSION, data_file
from m3dsynth_dataset.submission import Heatmap, Prediction, as_table, write_submission


@pytest.fixture(scope="session")
def release(release_path):
    return open_release(release_path)


def rewritten(release, folder, change):
    """A copy of a release with other rows.

    Args:
        release: That is copied.
        folder: Of the copy.
        change: Gives a row's new columns.
    """
    shutil.copytree(release.path, folder)
    for config, splits in release.splits.items():
        for split in splits:
            rows = release.rows(config, split)
            changed = [row | change(row) for row in rows.to_pylist()]
            write_rows(folder / data_file(config, split), type(rows).from_pylist(changed, schema=rows.schema))
    files = record_files(folder)
    Manifest(FORMAT_VERSION, digest_of(files), files, {}).write(folder)
    return open_release(folder)


@pytest.fixture(scope="session")
def rewrite():
    return rewritten


@pytest.fixture(scope="session")
def detector(release, tmp_path_factory):
    """A submission: it finds the middle of two edits and nothing of a third, and is alarmed at a pristine scan."""
    maps = {
        "pix2pix/inj_1": {5: (slice(24, 36), slice(34, 50)), 6: (slice(24, 36), slice(34, 50))},
        "identity/inj_1": {5: (slice(22, 30), slice(40, 44))},
        "pix2pix/rem_1": {},
        "pristine/scan-1": {17: (slice(3, 5), slice(60, 66))},
    }
    predictions = [
        Prediction(name, 0.1 + 0.2 * number, Heatmap.of(tiny_release.SHAPE, slices(places)))
        for number, (name, places) in enumerate(maps.items())
    ]
    out = tmp_path_factory.mktemp("submission") / "submission"
    metadata = {"detector": "eye <b>of</b> oracle", "release_digest": release.manifest.digest, "split": "train"}
    write_submission(out, as_table(predictions), metadata)
    return SimpleNamespace(path=out, predictions={each.sample_id: each for each in predictions})


def slices(places):
    for number, (rows, columns) in places.items():
        probabilities = np.zeros(tiny_release.SHAPE[1:], np.float64)
        probabilities[rows, columns] = 0.8
        probabilities[rows.start, columns.start] = 1.0
        probabilities[rows.stop, columns] = 0.3  # written, but under the threshold
        yield number, probabilities


@pytest.fixture(scope="session")
def gallery(release, detector, tmp_path_factory):
    """All samples of the tiny release, judged; tests only read it."""
    out = tmp_path_factory.mktemp("gallery") / "site"
    view(release, out, split="all", submission=detector.path)
    return out
