import hashlib
import shutil
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sealable_release

from m3dsynth_dataset import open_release
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.errors import LabelsError
from m3dsynth_dataset.scoring import Truth
from m3dsynth_dataset.scoring.labels import read_labels, write_labels

EDITED = Truth("sealed/a", "a", "a", "tampered", "dm", "injection", (9, 8, 7), Box((1, 2, 3), (4, 3, 2)), b"mask")
PLAIN = Truth("sealed/b", "b", "b", "pristine", "none", "none", (9, 8, 7), None, None)
ABOUT = {
    "split": "test",
    "secret": bytes(range(32)),
    "source_digest": "5" * 64,
    "sources": {"sealed/a": "dm/inj_1", "sealed/b": "pristine/1.2"},
}


@pytest.fixture
def path(tmp_path):
    write_labels(tmp_path / "labels.parquet", [EDITED, PLAIN], **ABOUT)
    return tmp_path / "labels.parquet"


@pytest.fixture(scope="module")
def sealing(tmp_path_factory):
    source = open_release(sealable_release.write(tmp_path_factory.mktemp("sealable")))
    return sealable_release.Sealing.of(source, tmp_path_factory.mktemp("sealed"))


def test_what_was_written_is_read(path):
    labels = read_labels(path)

    assert labels.truths == (EDITED, PLAIN)
    assert labels.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert {name: getattr(labels, name) for name in ABOUT} == ABOUT


def test_a_log_does_not_show_them(path):
    shown = repr(read_labels(path))
    assert not [word for word in ("sealed/a", "tampered", "dm", repr(ABOUT["secret"])[2:-1]) if word in shown]


def test_another_secret_is_another_checksum(path, tmp_path):
    write_labels(tmp_path / "other", [EDITED, PLAIN], **ABOUT | {"secret": bytes(32)})
    assert read_labels(tmp_path / "other").digest != read_labels(path).digest


def test_a_short_secret_is_refused(tmp_path):
    with pytest.raises(ValueError, match="32 bytes, got 4"):
        write_labels(tmp_path / "labels", [PLAIN], **ABOUT | {"secret": b"1234"})


def test_no_byte_can_be_changed_and_the_labels_still_belong_to_the_release(sealing, tmp_path):
    data = sealing.path.read_bytes()
    for place in range(0, len(data), 97):
        changed = bytearray(data)
        changed[place] ^= 1
        (tmp_path / "labels").write_bytes(changed)
        with pytest.raises(LabelsError):
            read_labels(tmp_path / "labels").check(sealing.public)


def test_labels_cut_off_anywhere_are_refused(path, tmp_path):
    data = path.read_bytes()
    for size in range(0, len(data), 53):
        (tmp_path / "cut").write_bytes(data[:size])
        with pytest.raises(LabelsError, match=r"not labels that .* or damaged"):
            read_labels(tmp_path / "cut")


def test_labels_that_are_missing_are_refused(tmp_path):
    with pytest.raises(LabelsError, match="cannot be read"):
        read_labels(tmp_path / "labels")
    with pytest.raises(LabelsError, match="cannot be read"):
        read_labels(tmp_path)


@pytest.mark.parametrize(
    ("truths", "message"),
    [
        ([PLAIN, PLAIN], "twice"),
        ([replace(PLAIN, label="odd")], "label 'odd'"),
        ([replace(PLAIN, manipulation="odd")], "manipulation 'odd'"),
        ([replace(PLAIN, label="tampered")], "its box or mask say otherwise"),
        ([replace(EDITED, label="pristine")], "its box or mask say otherwise"),
        ([replace(EDITED, encoded_mask=None)], "its box or mask say otherwise"),
    ],
)
def test_labels_that_contradict_themselves_are_refused(tmp_path, truths, message):
    write_labels(tmp_path / "labels", truths, **ABOUT)
    with pytest.raises(LabelsError, match=message):
        read_labels(tmp_path / "labels")


@pytest.mark.parametrize(
    "about", [b"{", b"[]", b"{}", b'{"format": "2.0"}', b'{"format": "1.0", "secret": "5"}', b'{"format": "1.0"}']
)
def test_labels_of_another_format_are_refused(path, about):
    table = pq.read_table(path).replace_schema_metadata({b"m3dsynth_labels": about})
    pq.write_table(table, path)
    with pytest.raises(LabelsError, match="not labels that"):
        read_labels(path)


def test_another_table_is_refused(path, sealing):
    pq.write_table(pa.table({"sample_id": ["sealed/a"]}), path)
    with pytest.raises(LabelsError, match="its columns are others"):
        read_labels(path)
    with pytest.raises(LabelsError, match="its columns are others"):
        read_labels(sealing.public.path / "data/sealed/test-00000-of-00001.parquet")


def test_labels_belong_to_their_release_alone(path, sealing, release_path):
    read_labels(sealing.path).check(sealing.public)
    with pytest.raises(LabelsError, match=f"promised {sealing.labels.digest}: they are of another release"):
        read_labels(path).check(sealing.public)
    with pytest.raises(LabelsError, match="is not sealed, so it is scored without --labels"):
        sealing.labels.check(open_release(release_path))


def test_rows_that_are_not_those_of_the_labels_are_found(sealing, tmp_path):
    shutil.copytree(sealing.public.path, tmp_path / "public")
    rows = tmp_path / "public/data/sealed/test-00000-of-00001.parquet"
    pq.write_table(pq.read_table(rows).slice(1), rows)
    with pytest.raises(LabelsError, match="its sealed samples are not those of the labels"):
        sealing.labels.check(open_release(tmp_path / "public"))
    shutil.rmtree(rows.parent)
    with pytest.raises(LabelsError, match="its sealed samples are not those of the labels"):
        sealing.labels.check(open_release(tmp_path / "public"))
