import pytest

from builder.leftovers import clear_leftovers, clear_work_folder, discard
from builder.work_folder import work_folder


def make(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_what_was_half_written_is_cleared_away_and_the_rest_stays(tmp_path):
    make(tmp_path / "m3dsynth" / "manifest.json", "old")
    make(tmp_path / ".m3dsynth.abcdefgh" / "m3dsynth" / "manifest.json", "ne")
    make(tmp_path / ".m3dsynth.settings" / "mine", "not ours: staging folders hold the thing alone")
    make(tmp_path / ".m3dsynth2.abcdefgh" / "m3dsynth2", "of another build")
    make(tmp_path / ".m3dsynth.abcdefg1", "a file")
    clear_leftovers(tmp_path / "m3dsynth")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".m3dsynth.abcdefg1",
        ".m3dsynth.settings",
        ".m3dsynth2.abcdefgh",
        "m3dsynth",
    ]
    assert (tmp_path / "m3dsynth" / "manifest.json").read_text() == "old"


def test_the_new_gets_its_name_when_the_old_had_stepped_aside(tmp_path):
    make(tmp_path / ".m3dsynth.abcdefgh" / "m3dsynth" / "manifest.json", "new")
    make(tmp_path / ".m3dsynth.abcdefgh" / "retired" / "manifest.json", "old")
    clear_leftovers(tmp_path / "m3dsynth")
    assert [path.name for path in tmp_path.iterdir()] == ["m3dsynth"]
    assert (tmp_path / "m3dsynth" / "manifest.json").read_text() == "new"


def test_a_half_written_one_never_gets_the_name(tmp_path):
    make(tmp_path / ".m3dsynth.abcdefgh" / "m3dsynth" / "manifest.json", "ne")
    clear_leftovers(tmp_path / "m3dsynth")
    assert list(tmp_path.iterdir()) == []


def test_every_level_of_a_work_folder_is_cleared(tmp_path):
    for level in (".", "scans", "imported", "inpainted", "inpainted/dm-removal"):
        make(tmp_path / level / ".1.2.3.abcdefgh" / "1.2.3" / "scan.json", "half")
        make(tmp_path / level / "ready", "whole")
    clear_work_folder(tmp_path)
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"ready"}
    assert not list(tmp_path.rglob(".*"))


def test_a_folder_that_is_removed_is_whole_or_gone(tmp_path, monkeypatch):
    """Half a scan of a work folder would pass for a whole one."""
    make(tmp_path / "work" / "scan.json", "ready")
    monkeypatch.setattr("builder.leftovers.shutil.rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        discard(tmp_path / "work")
    assert not (tmp_path / "work").exists()
    monkeypatch.undo()
    clear_leftovers(tmp_path / "work")
    assert list(tmp_path.iterdir()) == []


def interrupted(path):
    raise KeyboardInterrupt


def test_a_run_that_ends_well_leaves_no_work_folder_but_the_users(tmp_path):
    for wanted in (None, tmp_path / "mine"):
        with work_folder(tmp_path / "m3dsynth", wanted) as work:
            make(work / "scans" / "ready", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    make(tmp_path / "m3dsynth.work" / "scans" / "ready", "whole")
    with pytest.raises(KeyboardInterrupt), work_folder(tmp_path / "m3dsynth", None):
        raise KeyboardInterrupt
    assert (tmp_path / "m3dsynth.work" / "scans" / "ready").exists()
