import numpy as np
import pytest

from benchmarks.simulated_release import simulate
from m3dsynth_dataset import open_release
from m3dsynth_dataset.schema import PRISTINE
from m3dsynth_dataset.verification import verify


@pytest.fixture(scope="module")
def base(release_path):
    return open_release(release_path)


@pytest.fixture(scope="module")
def simulated(base, tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("simulated") / "m3dsynth", base, scans=7, edits=30)


def _rows(release):
    return [
        (config, row) for config, splits in release.splits.items() for split in splits
        for row in release.rows(config, split).to_pylist()
    ]  # fmt: skip


def test_it_has_as_many_scans_and_edits_as_asked_for(simulated):
    rows = _rows(simulated)

    assert sum(config == PRISTINE for config, _ in rows) == 7
    assert sum(config != PRISTINE for config, _ in rows) == 30
    assert len({row["sample_id"] for _, row in rows}) == 37
    assert len({row["scan_id"] for _, row in rows}) == 7


def test_every_edit_is_one_of_the_base_on_a_copy_of_its_volume(base, simulated):
    originals = {(row["patch"], row["base_sha256"]) for config, row in _rows(base) if config != PRISTINE}

    for config, row in _rows(simulated):
        if config != PRISTINE:
            assert (row["patch"], row["base_sha256"]) in originals
            sample = simulated.sample(row["sample_id"])
            assert np.count_nonzero(sample.ct[...] != sample.pristine[...]) > 0


def test_its_volumes_take_no_room(base, simulated):
    inodes = {path.stat().st_ino for path in simulated.path.glob("volumes/*.zarr/c/0/0/0")}

    assert inodes <= {path.stat().st_ino for path in base.path.glob("volumes/*.zarr/c/0/0/0")}


def test_it_is_sound(simulated):
    assert list(verify(simulated.path)) == []
