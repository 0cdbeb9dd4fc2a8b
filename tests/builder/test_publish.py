import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import tiny_release
from conftest import forget_connections, point_at_hub
from datasets import load_dataset
from hub_commits import ATTRIBUTES, HubThatIsWrittenTo
from hub_stand_in import read_folder

from builder import publish as publishing
from builder.cli import main
from builder.publish import PublishOptions, publish
from builder.repository import PublishError
from m3dsynth_dataset import ReleaseNotFoundError, open_release
from m3dsynth_dataset.manifest import Manifest
from m3dsynth_dataset.schema import data_file

ROWS = data_file("pix2pix-injection", "train")
VOLUME = "volumes/scan-1.zarr/c/0/0/0"

# How huggingface_hub puts a file, by the way of git LFS.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub to write to, with the user logged in."""
    with HubThatIsWrittenTo() as hub:
        point_at_hub(hub, tmp_path / "hub-cache", monkeypatch)
        monkeypatch.setenv("HF_TOKEN", "writer")
        yield hub
        forget_connections()


@pytest.fixture
def release(release_path, tmp_path):
    """A release that a test may change."""
    return shutil.copytree(release_path, tmp_path / "m3dsynth")


def rebuilt(release, monkeypatch, **changes):
    """Another release in the place of a release, with another seed in every row."""
    row = tiny_release._row
    monkeypatch.setattr(tiny_release, "_row", lambda *names: row(*names) | {"seed": 8})
    for name, value in changes.items():
        monkeypatch.setattr(tiny_release, name, value)
    work = release.with_name("work-of-another")
    shutil.rmtree(work, ignore_errors=True)
    tiny_release.write(release, work)


def on_the_hub(hub, repo_id="org/m3dsynth"):
    """The files of the main branch, without what the Hub puts there."""
    files = dict(hub.repositories[repo_id].head.files)
    assert files.pop(".gitattributes") == ATTRIBUTES
    return files


def test_the_hub_then_has_the_files_of_the_release_and_no_others(hub, release):
    (release / ".cache/huggingface").mkdir(parents=True)
    (release / ".cache/huggingface/CACHEDIR.TAG").write_text("of the client of the Hub")
    done = publish(release, "org/m3dsynth")
    files = read_folder(release)
    del files[".cache/huggingface/CACHEDIR.TAG"]
    assert on_the_hub(hub) == files
    assert (done.added, done.deleted) == (len(files), 0)
    assert done.added_bytes == sum(map(len, files.values()))
    assert done.commit == hub.repositories["org/m3dsynth"].head.id
    assert hub.settings["org/m3dsynth"] == {"private": False}


def test_what_was_published_loads_from_the_hub(hub, release):
    publish(release, "org/m3dsynth")
    rows = load_dataset("org/m3dsynth", "pix2pix-injection", split="train")
    assert rows["sample_id"][:] == ["pix2pix/inj_1"]
    assert load_dataset("org/m3dsynth")["test"].num_rows == 2


def test_what_was_published_opens_from_the_hub(hub, release):
    done = publish(release, "org/m3dsynth")
    opened = open_release("org/m3dsynth", revision=done.tag)
    assert opened.manifest == Manifest.read(release)
    np.testing.assert_array_equal(opened.sample("pix2pix/inj_1").ct[...], tiny_release.tampered("pix2pix", "inj_1"))


def test_a_publication_that_was_stopped_is_no_release_yet(hub, release, monkeypatch):
    monkeypatch.setattr(publishing, "FILES_PER_COMMIT", 2)
    hub.accepts = 3
    with pytest.raises(PublishError):
        publish(release, "org/m3dsynth")
    with pytest.raises(ReleaseNotFoundError):
        open_release("org/m3dsynth")


def test_the_tag_names_the_release_whatever_comes_after(hub, release, monkeypatch):
    first = publish(release, "org/m3dsynth")
    assert first.tag == f"v-{Manifest.read(release).digest[:16]}"
    rebuilt(release, monkeypatch)
    second = publish(release, "org/m3dsynth")
    assert second.tag != first.tag
    for done, seed in ((first, 7), (second, 8)):
        assert load_dataset("org/m3dsynth", "pristine", split="train", revision=done.tag)[0]["seed"] == seed


def test_volumes_go_first_and_the_manifest_last(hub, release, monkeypatch):
    monkeypatch.setattr(publishing, "FILES_PER_COMMIT", 2)
    publish(release, "org/m3dsynth")
    *parts, last = hub.commits
    assert len(parts) == 2  # of two volumes of two files each
    for commit in parts:
        assert {name.split("/")[0] for name in commit.files} == {".gitattributes", "volumes"}
    assert {"manifest.json", "README.md", ROWS} <= last.files.keys()
    assert hub.operations[:-1] == [2, 2]
    assert last.title.endswith("(3 of 3)")


def test_a_release_of_few_files_is_one_commit(hub, release):
    publish(release, "org/m3dsynth", PublishOptions(message="first"))
    assert [commit.title for commit in hub.commits] == ["first"]


@pytest.mark.parametrize("accepted", [0, 1, 4])
def test_an_upload_that_was_stopped_goes_on_and_sends_nothing_twice(hub, release, monkeypatch, accepted):
    monkeypatch.setattr(publishing, "FILES_PER_COMMIT", 2)
    hub.accepts = accepted
    with pytest.raises(
        PublishError, match=r"org/m3dsynth: .*'(volumes/|data/|statistics).*limit reached.*the same command goes on"
    ):
        publish(release, "org/m3dsynth")
    assert len(hub.put) == accepted
    assert "manifest.json" not in on_the_hub(hub)
    hub.accepts = None
    publish(release, "org/m3dsynth")
    assert on_the_hub(hub) == read_folder(release)
    assert len(hub.put) == len(set(hub.put)) > accepted


def test_what_is_published_already_is_not_sent_again(hub, release):
    first = publish(release, "org/m3dsynth")
    sent, commits = list(hub.put), list(hub.commits)
    again = publish(release, "org/m3dsynth")
    assert (again.added, again.added_bytes, again.commit, again.tag) == (0, 0, first.commit, first.tag)
    assert (hub.put, hub.commits) == (sent, commits)


def test_another_release_replaces_the_older_one_in_one_commit(hub, release, monkeypatch):
    publish(release, "org/m3dsynth")
    volumes = {name for name in on_the_hub(hub) if name.startswith("volumes/")}
    without_control = {key: value for key, value in tiny_release.EDITS.items() if key[0] != "identity"}
    rebuilt(release, monkeypatch, EDITS=without_control)
    hub.log.clear()
    done = publish(release, "org/m3dsynth")
    assert on_the_hub(hub) == read_folder(release)
    assert done.deleted == 2
    assert len(hub.commits) == 2
    assert not hub.log.asked("scan-1.zarr/c", "GET")
    assert {name for name in on_the_hub(hub) if name.startswith("volumes/")} == volumes


def test_the_old_manifest_goes_before_volumes_that_it_lists_are_replaced(hub, release, monkeypatch):
    monkeypatch.setattr(publishing, "FILES_PER_COMMIT", 2)
    publish(release, "org/m3dsynth")
    old = len(hub.commits)
    scan = tiny_release.scan
    rebuilt(release, monkeypatch, scan=lambda scan_id: scan(scan_id) + np.int16(1))
    publish(release, "org/m3dsynth")
    *parts, last = hub.commits[old:]
    assert parts
    assert not any("manifest.json" in commit.files for commit in parts)
    assert last.files["manifest.json"] == (release / "manifest.json").read_bytes()
    assert on_the_hub(hub) == read_folder(release)


def test_the_old_manifest_stays_while_volumes_are_added(hub, release, monkeypatch):
    monkeypatch.setattr(publishing, "FILES_PER_COMMIT", 2)
    publish(release, "org/m3dsynth")
    old = len(hub.commits)
    manifest = (release / "manifest.json").read_bytes()
    scans = tiny_release.SCANS | {"scan-3": ("PHANTOM-0003", "train")}
    rebuilt(release, monkeypatch, SCANS=scans, built=lambda: BUILT | {"scans": 3, "patients": 3})
    publish(release, "org/m3dsynth")
    *parts, last = hub.commits[old:]
    assert parts
    assert all(commit.files["manifest.json"] == manifest for commit in parts)
    assert last.files["manifest.json"] != manifest


BUILT = tiny_release.built()


def test_the_manifest_comes_back_when_volumes_alone_were_lost(hub, release, monkeypatch):
    monkeypatch.setattr(publishing, "FILES_PER_COMMIT", 2)
    publish(release, "org/m3dsynth")
    damaged = {name: b"\0" for name in on_the_hub(hub) if name.startswith("volumes/")}
    hub.repositories["org/m3dsynth"].commit(damaged)
    publish(release, "org/m3dsynth")
    assert on_the_hub(hub) == read_folder(release)


def test_what_a_stopped_publication_of_another_release_left_is_deleted(hub, release):
    left = {"volumes/scan-9.zarr/c/0/0/0": b"\0", data_file("dm-removal", "test"): b"\0"}
    hub.create("org/m3dsynth").commit({".gitattributes": ATTRIBUTES} | left)
    done = publish(release, "org/m3dsynth")
    assert done.deleted == 2
    assert on_the_hub(hub) == read_folder(release)


def test_something_else_on_the_hub_is_left_alone(hub, release):
    theirs = {"data/train-00000-of-00001.parquet": b"\0three years", "README.md": b"# thesis\n"}
    hub.create("org/thesis").commit(theirs)
    for more in ({}, {"manifest.json": b'{"of": "another kind"}'}):
        hub.repositories["org/thesis"].commit(more)
        with pytest.raises(PublishError, match=r"org/thesis: .*not a release .*\(data/train-00000-of-00001.parquet\)"):
            publish(release, "org/thesis")
        assert hub.repositories["org/thesis"].head.files == theirs | more


def test_files_beside_a_release_on_the_hub_stay_and_are_named(hub, release):
    publish(release, "org/m3dsynth")
    hub.repositories["org/m3dsynth"].commit({"figure.svg": b"<svg/>"})
    done = publish(release, "org/m3dsynth")
    assert done.left_alone == ("figure.svg",)
    assert on_the_hub(hub)["figure.svg"] == b"<svg/>"
    assert "left alone, since they are of no release: figure.svg" in str(done)


@pytest.mark.parametrize("name", [VOLUME, ROWS, "README.md", "manifest.json"])
def test_a_file_that_the_hub_loses_or_changes_is_named_and_sent_again(hub, release, name):
    hub.loses = {name}
    with pytest.raises(PublishError, match=rf"(?s)1 files on the Hub .*{name}: missing"):
        publish(release, "org/m3dsynth")
    hub.loses = set()
    hub.corrupts = {name}
    with pytest.raises(PublishError, match=rf"(?s)1 files on the Hub .*{name}: \d+ bytes, .*; should be \d+ bytes"):
        publish(release, "org/m3dsynth")
    assert not [ref for ref in hub.repositories["org/m3dsynth"].refs if ref.startswith("v-")]
    hub.corrupts = set()
    assert publish(release, "org/m3dsynth").added == 1
    assert on_the_hub(hub) == read_folder(release)


def test_a_file_that_stays_though_it_was_deleted_is_named(hub, release):
    stale = data_file("dm-removal", "test")
    hub.create("org/m3dsynth").commit({".gitattributes": ATTRIBUTES, stale: b"\0"})
    hub.loses = {stale}
    with pytest.raises(PublishError, match=f"{stale}: should have been deleted"):
        publish(release, "org/m3dsynth")


def test_the_tag_moves_to_the_commit_that_is_right(hub, release):
    first = publish(release, "org/m3dsynth")
    hub.repositories["org/m3dsynth"].commit({VOLUME: b"\0"})
    second = publish(release, "org/m3dsynth")
    assert second.tag == first.tag
    assert hub.repositories["org/m3dsynth"].refs[second.tag] == second.commit != first.commit


def damage_rows(release):
    path = release / ROWS
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        (damage_rows, ROWS),
        (lambda release: (release / VOLUME).unlink(), VOLUME),
        (lambda release: (release / "notes.txt").write_text("names of patients"), "notes.txt"),
    ],
)
def test_a_release_that_does_not_hold_to_its_manifest_is_refused_before_anything_is_asked(hub, release, damage, place):
    damage(release)
    with pytest.raises(PublishError, match=rf"(?s)is not published.*{place}"):
        publish(release, "org/m3dsynth")
    assert hub.log == []


def test_quick_looks_at_names_and_sizes_and_the_check_afterwards_at_all(hub, release):
    damage_rows(release)
    with pytest.raises(PublishError, match=rf"(?s)files on the Hub .*{ROWS}: \d+ bytes"):
        publish(release, "org/m3dsynth", PublishOptions(quick=True))
    (release / VOLUME).unlink()
    with pytest.raises(PublishError, match=rf"(?s)is not published.*{VOLUME}"):
        publish(release, "org/m3dsynth", PublishOptions(quick=True))


def test_what_is_no_release_is_refused(hub, tmp_path):
    with pytest.raises(ReleaseNotFoundError):
        publish(tmp_path, "org/m3dsynth")
    assert hub.log == []


def test_nobody_publishes_without_a_token(hub, release, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(PublishError, match=r"hf auth login.*HF_TOKEN"):
        publish(release, "org/m3dsynth")
    assert hub.log == []


def test_a_token_that_may_not_write_is_an_error_that_says_so(hub, release, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "reader")
    with pytest.raises(PublishError, match=r"org/m3dsynth: .*403.*see that your token may write"):
        publish(release, "org/m3dsynth")
    assert not hub.repositories


def test_a_hub_that_cannot_be_reached_is_an_error_that_says_so(hub, release, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(PublishError, match="the same command goes on from here"):
        publish(release, "org/m3dsynth")


def test_a_name_that_is_none_is_an_error_that_says_so(hub, release):
    with pytest.raises(PublishError, match="not the name of a repository"):
        publish(release, "org/m3d synth")


def test_somebody_elses_commit_in_between_is_not_overwritten(hub, release, monkeypatch):
    monkeypatch.setattr(publishing, "FILES_PER_COMMIT", 2)
    take = hub.take_commit

    def interfered(query, **names):
        answer = take(query, **names)
        hub.repositories["org/m3dsynth"].commit({"theirs.txt": b"mine"})
        return answer

    hub.route("POST", "/api/datasets/{org}/{name}/commit/{revision}", interfered)
    with pytest.raises(PublishError, match="somebody else changed it meanwhile"):
        publish(release, "org/m3dsynth")
    assert len(hub.commits) == 1


def test_a_private_repository_is_made_private_and_a_public_one_is_not_used_as_one(hub, release):
    publish(release, "org/hidden", PublishOptions(private=True))
    assert hub.settings["org/hidden"] == {"private": True}
    publish(release, "org/hidden", PublishOptions(private=True))
    hub.create("org/open").commit({".gitattributes": ATTRIBUTES})
    with pytest.raises(PublishError, match="org/open is there already and public"):
        publish(release, "org/open", PublishOptions(private=True))
    assert on_the_hub(hub, "org/open") == {}


def test_the_gate_is_closed_before_anything_is_sent(hub, release):
    publish(release, "org/m3dsynth", PublishOptions(gate="manual"))
    assert hub.settings["org/m3dsynth"]["gated"] == "manual"
    asked = [one.path for one in hub.log]
    assert asked.index("/api/datasets/org/m3dsynth/settings") < next(
        index for index, path in enumerate(asked) if "/preupload/" in path
    )


def test_a_branch_is_made_and_the_main_one_stays(hub, release):
    publish(release, "org/m3dsynth", PublishOptions(branch="next"))
    assert on_the_hub(hub) == {}
    repository = hub.repositories["org/m3dsynth"]
    assert repository.at("next").files == read_folder(release) | {".gitattributes": ATTRIBUTES}


@pytest.mark.parametrize(
    ("account", "why"),
    [({"source": "user"}, "your own scans"), ({"source": "LIDC-IDRI", "imported": {}}, "what others published")],
)
def test_what_is_somebody_elses_is_not_made_public_by_accident(hub, release, monkeypatch, account, why):
    built = tiny_release.built() | account
    monkeypatch.setattr(publishing, "verify", lambda *_, **__: iter(()))  # the rows are those of phantoms
    replace(Manifest.read(release), built=built).write(release)
    with pytest.raises(PublishError, match=rf"{why}.*--private.*--yes"):
        publish(release, "org/m3dsynth")
    assert hub.log == []
    publish(release, "org/m3dsynth", PublishOptions(private=True))
    publish(release, "org/agreed", PublishOptions(may_pass_on=True))


def test_the_command_says_what_it_did_and_that_phantoms_are_phantoms(hub, release, capsys):
    assert main(["publish", str(release), "org/m3dsynth", "--gated", "auto"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("org/m3dsynth: phantoms (computed scans of nobody), v-")
    assert hub.settings["org/m3dsynth"]["gated"] == "auto"
    (release / VOLUME).unlink()
    assert main(["publish", str(release), "org/m3dsynth"]) == 2
    assert f"{VOLUME}: the file is there; found none" in capsys.readouterr().err


def test_the_help_of_the_command_has_an_example(capsys):
    with pytest.raises(SystemExit):
        main(["publish", "--help"])
    assert "python -m builder publish m3dsynth ORG/m3dsynth" in capsys.readouterr().out


def test_what_a_hub_says_of_a_manifest_that_it_cannot_read_is_no_error(hub, release):
    publish(release, "org/m3dsynth")
    hub.repositories["org/m3dsynth"].commit({"manifest.json": json.dumps([]).encode()})
    assert publish(release, "org/m3dsynth").added == 1
