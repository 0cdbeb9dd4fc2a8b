import doctest
import io
from contextlib import suppress

import handed_in
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from m3dsynth_dataset import open_release
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.submission import (
    PREDICTIONS,
    Heatmap,
    Submission,
    SubmissionWriter,
    expected_of,
    read_submission,
    validate,
    writer,
)

SHAPE = (20, 70, 66)
META = {"detector": "hp-fcn", "split": "test"}
ALONE = META | {"release_digest": "0" * 64}


@pytest.fixture(scope="module")
def release(release_path):
    return open_release(release_path)


def volume(seed=0):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(SHAPE) < 0.01, rng.random(SHAPE), 0).astype(np.float32)


def write(out, *samples, meta=ALONE, **options):
    """A submission of arguments of :meth:`SubmissionWriter.add`."""
    with SubmissionWriter(out, meta, **options) as writing:
        for sample in samples:
            writing.add(*sample)
    return read_submission(out)


def maps(submission: Submission):
    found = []
    for each in submission.predictions():
        whole = np.zeros(SHAPE, np.uint8)
        if each.heatmap is not None:
            whole[each.heatmap.box.slices()] = each.heatmap.values
        found.append(whole)
    return found


def expected_map(values):
    return np.rint(np.where(values < 0.25, 0, values) * 255).astype(np.uint8)


def test_the_example_of_the_docstring_makes_a_sound_submission(tmp_path, release):
    globs = {"release": release, "out": tmp_path / "s", "np": np}
    (test,) = doctest.DocTestFinder(recurse=False).find(SubmissionWriter, "writer", module=writer, globs=globs)
    told = io.StringIO()
    results = doctest.DocTestRunner().run(test, out=told.write)

    assert (results.failed, results.attempted > 2) == (0, True), told.getvalue()
    assert list(validate(tmp_path / "s", expected_of(release, "test"))) == []
    found = {each.sample_id: each for each in read_submission(tmp_path / "s").predictions()}
    ct = np.asarray(release.sample("pix2pix/rem_1").ct[0:20, 0:70, 0:66])
    heatmap = found["pix2pix/rem_1"].heatmap
    assert np.count_nonzero(heatmap.values) == np.count_nonzero(ct > 380) > 0


def test_arrays_and_slices_of_any_framework_give_the_same_map(tmp_path):
    values = volume()
    slices = [(number, values[number]) for number in reversed(range(20))]
    submission = write(
        tmp_path / "s",
        ("a", 0.5, values),
        ("b", np.float32(0.5), torch.from_numpy(values)),
        ("c", torch.tensor(0.5), values.astype(np.float64)),
    )
    with SubmissionWriter(tmp_path / "t", ALONE) as writing:
        writing.add("d", 0.5, slices, shape=SHAPE)
        writing.add("e", 1, ((number, torch.from_numpy(plane)) for number, plane in slices), shape=SHAPE)
    for found in (*maps(submission), *maps(read_submission(tmp_path / "t"))):
        assert np.array_equal(found, expected_map(values))


def test_yes_and_no_are_probabilities_and_nothing_is_no_map(tmp_path):
    values = volume() > 0.5
    submission = write(tmp_path / "s", ("a", 1, values), ("b", 0, None), ("c", 0, np.zeros(SHAPE)))
    yes, none, zeros = submission.predictions()
    assert np.count_nonzero(yes.heatmap.values == 255) == np.count_nonzero(values)
    assert none.heatmap is None
    assert zeros.heatmap is None


def test_predictions_are_written_group_by_group(tmp_path):
    submission = write(tmp_path / "s", *((f"dm/inj_{number}", number / 200) for number in range(200)))
    with pq.ParquetFile(tmp_path / "s" / PREDICTIONS) as file:
        groups = [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)]
    assert groups == [64, 64, 64, 8]
    assert [each.score for each in submission.predictions()] == [number / 200 for number in range(200)]


def test_large_maps_are_not_gathered(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_BYTES_PER_GROUP", 1000)
    rng = np.random.default_rng(0)
    noise = Heatmap(Box((0, 0, 0), (9, 9, 9)), rng.integers(0, 256, (9, 9, 9)).astype(np.uint8))
    with SubmissionWriter(tmp_path / "s", ALONE) as writing:
        for name in "abcd":
            writing.add(name, 0.5, noise)
            assert len(writing._rows) == 1
    assert len(list(read_submission(tmp_path / "s").predictions())) == 4


WRONG = [
    (("a", 1.5), "a: a score lies in 0 to 1, got 1.5"),
    (("a", float("nan")), "a score lies in 0 to 1"),
    (("", 0.5), "sample_id must be printable text of 1 to 1000 bytes"),
    (("x" * 1001, 0.5), "sample_id must be printable text of 1 to 1000 bytes"),
    (("\ud800", 0.5), "sample_id must be printable text"),
    (("a", 0.5, np.zeros((3, 4))), r"a map has the shape \(z, y, x\)"),
    (("a", 0.5, np.full((2, 3, 4), np.nan)), "slice 0 holds what is no probability"),
    (("a", 0.5, np.full((2, 3, 4), 1.01)), "slice 0 holds what is no probability"),
    (("a", 0.5, np.full((2, 3, 4), 255, np.uint8)), "float or bool, got uint8"),
    (("a", 0.5, np.full((2, 3, 4), "x")), "float or bool, got <U1"),
    (("a", 0.5, [(0, np.zeros((3, 4)))]), "slices need `shape`"),
    (("a", 0.5, Heatmap(Box((-1, 0, 0), (1, 1, 1)), np.ones((1, 1, 1), np.uint8))), "a map starts at voxel 0"),
]


@pytest.mark.parametrize(("sample", "message"), WRONG)
def test_what_would_be_refused_later_is_refused_at_once(tmp_path, sample, message):
    with SubmissionWriter(tmp_path / "s", ALONE) as writing:
        with pytest.raises(SubmissionError, match=message):
            writing.add(*sample)
        writing.add("a", 0.5)
        with pytest.raises(SubmissionError, match="a: is there already"):
            writing.add("a", 0.5)
    assert pq.read_table(tmp_path / "s" / PREDICTIONS)["sample_id"].to_pylist() == ["a"]


@pytest.mark.parametrize(
    ("slices", "message"),
    [
        ([(20, np.zeros(SHAPE[1:]))], "slice 20 of"),
        ([(0, np.zeros((3, 3)))], r"slice 0 of \(3, 3\) pixels does not fit"),
        ([(0, np.zeros(SHAPE[1:])), (0, np.zeros(SHAPE[1:]))], "slice 0 comes twice"),
        ([(0, np.zeros(9))], "slice 0 has the axes y, x"),
        ([(0, np.zeros((0, 0)))], "slice 0 has the axes y, x"),
        (np.zeros((20, 70, 65)), "the shape"),
        (Heatmap(Box((19, 0, 0), (2, 1, 1)), np.ones((2, 1, 1), np.uint8)), "does not lie in the scan"),
    ],
)
def test_maps_that_do_not_fit_the_scan_are_refused_at_once(tmp_path, release, slices, message):
    with suppress(KeyboardInterrupt), SubmissionWriter(tmp_path / "s", META, release=release) as writing:
        with pytest.raises(SubmissionError, match=f"pix2pix/rem_1: .*{message}"):
            writing.add("pix2pix/rem_1", 0.5, slices)
        assert "pix2pix/rem_1" in writing.missing
        raise KeyboardInterrupt


def test_a_map_too_large_to_be_read_again_is_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "MAX_VOXELS", 20 * 70 * 66 - 1)
    with SubmissionWriter(tmp_path / "s", ALONE) as writing:
        with pytest.raises(SubmissionError, match="a: a map starts at voxel 0 or later and has at most 92399 voxels"):
            writing.add("a", 0.5, np.ones(SHAPE))
        monkeypatch.setattr(writer, "_MAX_PACKED_BYTES", 10)
        with pytest.raises(SubmissionError, match="a: a map takes at most 10 bytes"):
            writing.add("a", 0.5, np.ones((3, 3, 3)))


def test_samples_of_other_releases_are_refused_at_once(tmp_path, release):
    with pytest.raises(SubmissionError, match="dm/inj_9: is no sample of the split test"):
        write(tmp_path / "s", ("dm/inj_9", 0.5), meta=META, release=release)
    assert not any(tmp_path.iterdir())


def test_a_submission_that_lacks_samples_is_not_written(tmp_path, release):
    with pytest.raises(SubmissionError, match="2 samples of the split were not added"):
        write(tmp_path / "s", ("pix2pix/rem_1", 0.5), meta=META, release=release)
    assert not any(tmp_path.iterdir())


def test_a_block_that_raises_leaves_what_was_there_before(tmp_path):
    write(tmp_path / "s", ("a", 0.5))
    with suppress(ZeroDivisionError), SubmissionWriter(tmp_path / "s", ALONE) as writing:
        writing.add("b", 0.5)
        raise ZeroDivisionError
    assert pq.read_table(tmp_path / "s" / PREDICTIONS)["sample_id"].to_pylist() == ["a"]
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
    with pytest.raises(SubmissionError, match="within the writer's `with` block"):
        writing.add("c", 0.5)


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        (META, "release_digest"),
        (ALONE | {"url": "javascript:1"}, "url matches"),
        (ALONE | {"note": float("nan")}, "NaN is no number"),
        (ALONE | {"note": {1, 2}}, "holds what JSON has no word for"),
        (ALONE | {"note": 2**60}, "beyond 2"),
    ],
)
def test_metadata_that_would_be_refused_later_is_refused_at_once(tmp_path, meta, message):
    with pytest.raises(SubmissionError, match=message):
        SubmissionWriter(tmp_path / "s", meta)


def test_the_digest_of_another_release_is_refused(tmp_path, release):
    with pytest.raises(SubmissionError, match="release_digest must be that of the release"):
        SubmissionWriter(tmp_path / "s", ALONE, release=release)


def test_the_same_samples_give_the_same_bytes(tmp_path):
    samples = [(each.sample_id, each.score, each.heatmap) for each in handed_in.predictions()]
    assert write(tmp_path / "a", *samples).digest == write(tmp_path / "b", *samples).digest
