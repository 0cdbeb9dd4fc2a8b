from pathlib import Path

import pytest
from hub_stand_in import read_folder
from huggingface_hub import HfApi, HfFileSystem, hf_hub_download, snapshot_download
from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

FILES = {"README.md": b"# hello\n", "data/a.bin": bytes(range(256)) * 40, "data/deep/b.txt": b"b"}


@pytest.fixture
def repository(hub):
    repository = hub.create("org/thing")
    repository.commit(FILES)
    return repository


def test_a_snapshot_holds_what_was_committed(hub, repository, tmp_path):
    folder = snapshot_download("org/thing", repo_type="dataset", local_dir=tmp_path / "there")
    found = {path: data for path, data in read_folder(tmp_path / "there").items() if not path.startswith(".cache")}
    assert found == FILES
    assert str(tmp_path / "there") == folder


def test_long_listings_come_in_pages(hub, repository):
    hub.page = 2
    assert [entry.path for entry in HfApi().list_repo_tree("org/thing", repo_type="dataset", recursive=True)] == [
        "README.md", "data", "data/a.bin", "data/deep", "data/deep/b.txt",
    ]  # fmt: skip
    assert len(hub.log.asked("/tree/")) == 3


def test_older_commits_and_tags_are_kept(repository):
    first = repository.head
    repository.refs["v1"] = first.id
    repository.commit({"README.md": b"# changed\n", "data/a.bin": None})
    for revision, expected in ((None, b"# changed\n"), ("v1", b"# hello\n"), (first.id, b"# hello\n")):
        path = hf_hub_download("org/thing", "README.md", repo_type="dataset", revision=revision)
        assert Path(path).read_bytes() == expected
    with pytest.raises(EntryNotFoundError):
        hf_hub_download("org/thing", "data/a.bin", repo_type="dataset")


def test_a_part_of_a_file_is_sent_alone(hub, repository):
    with HfFileSystem().open("datasets/org/thing/data/a.bin", block_size=1000, cache_type="readahead") as file:
        file.seek(5000)
        assert file.read(10) == FILES["data/a.bin"][5000:5010]
    assert 10 <= hub.log.sent("data/a.bin") < 3000


def test_a_download_that_broke_off_is_resumed(hub, repository, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)
    hub.break_off("data/a.bin", after=4000)
    path = hf_hub_download("org/thing", "data/a.bin", repo_type="dataset")
    assert Path(path).read_bytes() == FILES["data/a.bin"]
    assert [one.range for one in hub.log.asked("data/a.bin", "GET")] == [None, "bytes=4000-"]


def test_what_is_not_there_is_an_error_that_the_libraries_know(hub, repository):
    with pytest.raises(RepositoryNotFoundError):
        hf_hub_download("org/other", "README.md", repo_type="dataset")
    with pytest.raises(RevisionNotFoundError):
        hf_hub_download("org/thing", "README.md", repo_type="dataset", revision="v9")
    repository.gated = True
    repository.readers.add("known")
    for token in (False, "stranger"):
        with pytest.raises(GatedRepoError):
            hf_hub_download("org/thing", "README.md", repo_type="dataset", token=token)
    assert hf_hub_download("org/thing", "data/a.bin", repo_type="dataset", token="known")
