import os

import pytest

from m3dsynth_dataset.linking import link_tree


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "source" / "c").mkdir(parents=True)
    (tmp_path / "source" / "c" / "0").write_bytes(b"voxels")
    return tmp_path


def test_files_are_linked_and_take_no_room(folder):
    link_tree(folder / "source", folder / "target")

    assert (folder / "target" / "c" / "0").samefile(folder / "source" / "c" / "0")


def test_where_nothing_can_be_linked_files_are_copied(folder, monkeypatch):
    def refuse(*_):
        raise OSError("another file system")

    monkeypatch.setattr(os, "link", refuse)
    link_tree(folder / "source", folder / "target")

    assert (folder / "target" / "c" / "0").read_bytes() == b"voxels"
    assert not (folder / "target" / "c" / "0").samefile(folder / "source" / "c" / "0")
