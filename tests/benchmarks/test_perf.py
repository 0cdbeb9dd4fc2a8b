import pytest

from benchmarks.cli import main
from benchmarks.perf import measure
from benchmarks.published_form import read_crop, write_slices


@pytest.fixture(scope="module")
def lines(release_path, tmp_path_factory):
    import benchmarks.growth
    import benchmarks.loading
    import benchmarks.scoring

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmarks.growth, "MANY", 30)
        patch.setattr(benchmarks.growth, "READS", 4)
        patch.setattr(benchmarks.loading, "BATCHES", 2)
        patch.setattr(benchmarks.loading, "WARM", 1)
        patch.setattr(benchmarks.scoring, "VOLUMES", 90)
        patch.setattr(benchmarks.scoring, "FULL_SCANS", 20)
        patch.setattr(benchmarks.scoring, "FULL_SHAPE", (24, 80, 80))
        return list(measure(release_path, repeats=1))


def test_every_row_of_the_design_on_reading_is_there(lines):
    targets = {(line.name, line.target) for line in lines if line.target is not None}

    assert targets >= {
        ("size of 8,577 edits", 1000), ("random 96-voxel crop", 150), ("random axial slice", 4),
        ("overhead of an edit", 1.05), ("crop at 30 volumes", 1.2), ("96-voxel crops, 0 workers", 0.6),
        ("96-voxel crops, 2 workers", 0.6), ("crop through release.store()", 1.1),
        ("scoring 90 volumes", 20), ("memory of scoring 90 volumes", 1),
    }  # fmt: skip


def test_other_forms_are_there_for_comparison(lines):
    against = {line.against for line in lines}

    assert against >= {"zarr-python, stored", "NIfTI (.nii.gz), nibabel", "raw memory map", "published TIFF form"}


def test_ratios_are_of_the_two_figures(lines):
    for line in lines:
        assert line.ratio == pytest.approx(line.ours / line.theirs) or line.ratio == pytest.approx(
            line.theirs / line.ours
        )


def test_nothing_is_left_beside_the_release(lines, release_path):
    assert not list(release_path.parent.glob(".perf.*"))


def test_the_published_form_holds_what_it_can(tmp_path, rng_volume):
    write_slices(tmp_path / "slices", rng_volume)
    crop = read_crop(tmp_path / "slices", (1, 2, 3), (2, 5, 6))

    assert (crop == rng_volume[1:3, 2:7, 3:9].clip(min=-1024)).all()


def test_no_release_is_one_line(tmp_path, capsys):
    assert main(["perf", str(tmp_path / "nothing")]) == 2
    assert "no release there" in capsys.readouterr().err


@pytest.fixture
def rng_volume():
    import numpy as np

    return np.random.default_rng(0).integers(-2000, 3000, (4, 12, 14), dtype=np.int16)
