import json
import stat
import zipfile

import handed_in
import pytest

from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.submission import read_submission
from m3dsynth_dataset.submission.prediction import METADATA, PREDICTIONS


def members(prefix=""):
    return [(prefix + PREDICTIONS, handed_in.table_bytes()), (prefix + METADATA, json.dumps(handed_in.metadata()))]


def refusal(path):
    with pytest.raises(SubmissionError) as caught:
        list(read_submission(path).predictions())
    assert str(caught.value).startswith(str(path))
    return str(caught.value)


@pytest.mark.parametrize("prefix", ["", "submission/"])
def test_a_zip_is_what_its_folder_is(tmp_path, prefix):
    folder = read_submission(handed_in.folder(tmp_path / "s"))
    zipped = read_submission(handed_in.zipped(tmp_path / "s.zip", members(prefix)))

    assert (zipped.metadata, zipped.digest) == (folder.metadata, folder.digest)
    assert [each.row() for each in zipped.predictions()] == [each.row() for each in folder.predictions()]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s", "s.zip"]


def test_what_macos_and_folders_leave_in_a_zip_is_not_looked_at(tmp_path):
    extra = [("s/", b""), ("__MACOSX/s/._metadata.json", b"x"), ("s/.DS_Store", b"x")]
    read_submission(handed_in.zipped(tmp_path / "s.zip", [*extra, *members("s/")]))


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        members()[:1],
        [*members(), ("notes.txt", b"x")],
        [*members(), ("../../evil.py", b"x")],
        [*members("a/b/")],
        [members("a/")[0], members("b/")[1]],
        [*members("a/"), *members("b/")],
    ],
)
def test_a_zip_of_anything_else_is_refused(tmp_path, wrong):
    assert "a zip holds predictions.parquet and metadata.json and nothing else" in refusal(
        handed_in.zipped(tmp_path / "s.zip", wrong)
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_comes_twice_is_refused(tmp_path):
    assert "nothing else" in refusal(handed_in.zipped(tmp_path / "s.zip", [*members(), members()[1]]))


@pytest.mark.parametrize("name", ["/" + PREDICTIONS, "../" + PREDICTIONS])
def test_a_name_in_a_zip_leads_nowhere(tmp_path, name):
    data = handed_in.table_bytes()
    handed_in.zipped(tmp_path / "s.zip", [(name, data), members()[1]])
    refusal(tmp_path / "s.zip")
    assert not (tmp_path.parent / PREDICTIONS).exists()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_in_a_zip_are_refused(tmp_path, kind):
    link = zipfile.ZipInfo(PREDICTIONS)
    link.external_attr = (kind | 0o777) << 16
    found = refusal(handed_in.zipped(tmp_path / "s.zip", [(link, b"/etc/passwd"), members()[1]]))
    assert "'predictions.parquet' in the zip must be a plain file" in found


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_codecs_that_take_much_memory_are_refused(tmp_path, method):
    info = zipfile.ZipInfo(PREDICTIONS)
    info.compress_type = method
    assert "must be stored or deflated" in refusal(handed_in.zipped(tmp_path / "s.zip", [(info, b"x"), members()[1]]))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    bomb = json.dumps(handed_in.metadata(note=" " * (2 << 20)))
    path = handed_in.zipped(tmp_path / "s.zip", [members()[0], (METADATA, bomb)])
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_, **__: pytest.fail("it was opened"))
    assert "'metadata.json' must have at most 1048576 bytes unpacked" in refusal(path)


def edited(path, offset, value):
    """A zip whose entry of predictions, in the list at its end, has another number at a place."""
    handed_in.zipped(path, members())
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + offset
    data[at : at + 4] = value.to_bytes(4, "little")
    path.write_bytes(data)
    return path


def test_sizes_that_lie_are_found_out(tmp_path):
    assert "more than it can" in refusal(edited(tmp_path / "s.zip", 24, 2**31))
    refusal(edited(tmp_path / "s.zip", 24, 100))  # cut there, and no Parquet file
    refusal(edited(tmp_path / "s.zip", 16, 1))  # its checksum
    refusal(edited(tmp_path / "s.zip", 42, 2**31))  # where it lies


def test_a_password_is_not_asked_for(tmp_path):
    assert "is encrypted" in refusal(edited(tmp_path / "s.zip", 8, 1 | 8 << 16))


def test_a_list_of_a_million_files_is_not_read(tmp_path, monkeypatch):
    path = handed_in.zipped(tmp_path / "s.zip", members())
    data = path.read_bytes()
    at = data.rindex(b"PK\x05\x06")
    path.write_bytes(data[: at + 12] + (50_000_000).to_bytes(4, "little") + data[at + 16 :])
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("zipfile was asked"))
    assert "it lists more than 64 files" in refusal(path)
    path.write_bytes(data[:at] + b"PK\x06\x07" + bytes(16) + data[at:])
    assert "over 4 GiB" in refusal(path)


def test_other_archives_and_files_are_refused(tmp_path):
    for data in (b"", b"\x1f\x8b\x08" + bytes(100), b"ustar", handed_in.table_bytes(), b"PK\x03\x04", b"PK\x05\x06"):
        (tmp_path / "s.tar").write_bytes(data)
        refusal(tmp_path / "s.tar")


def test_a_file_without_a_name_is_refused(tmp_path):
    nameless = zipfile.ZipInfo("x")
    nameless.filename = ""
    assert "nothing else" in refusal(handed_in.zipped(tmp_path / "s.zip", [*members(), (nameless, b"x")]))
