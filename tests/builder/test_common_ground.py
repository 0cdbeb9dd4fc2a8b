from dataclasses import replace
from pathlib import Path

import pytest

from builder.common_ground import NodeError, marked
from builder.leftovers import clear_work_folder


@pytest.fixture
def ground(tmp_path):
    (tmp_path / "slice.dcm").write_bytes(b"12345")
    with marked(tmp_path / "work", [tmp_path / "slice.dcm"]) as ground:
        yield ground


def test_the_machine_itself_lacks_nothing(ground):
    assert ground.check() is None


def test_the_work_folder_is_told_from_another_of_its_name(ground):
    elsewhere = replace(ground, mark=ground.mark.with_name(".nodes.00000000"))
    assert f"does not see the work folder {ground.mark.parent}; put scans, weights" in elsewhere.check()
    with pytest.raises(NodeError, match="does not see the work folder"):
        elsewhere.enter()


@pytest.mark.parametrize("content", [None, b"1234"])
def test_a_file_that_is_not_there_or_another_one_is_named(ground, tmp_path, content):
    path = tmp_path / "slice.dcm"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert f"does not see the file {path} of 5 bytes" in ground.check()


@pytest.mark.parametrize("name", ["Python", "numpy", "code"])
def test_other_versions_and_other_code_are_named(ground, name):
    other = replace(ground, versions=ground.versions | {name: "0.0"})
    assert f" has {name} {ground.versions[name]} instead of 0.0; give all nodes the same environment" in other.check()


def test_paths_are_told_from_where_the_build_was_started(tmp_path, monkeypatch):
    for name in ("here", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "here" / "slice.dcm").touch()
    monkeypatch.chdir(tmp_path / "here")
    with marked(Path("work"), [Path("slice.dcm")]) as ground:
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert ground.check() is None
        assert Path.cwd() == tmp_path / "here"


def test_a_mark_goes_with_its_build_or_when_the_next_one_starts(tmp_path):
    with marked(tmp_path, []) as ground:
        assert ground.mark.is_dir()
    assert not list(tmp_path.iterdir())
    ground.mark.mkdir()  # as if it had been killed
    clear_work_folder(tmp_path)
    assert not list(tmp_path.iterdir())
