import html
import re

import pytest
import tiny_release
from gallery_reading import box, content, place_of, voxels

from benchmarks.cli import main
from benchmarks.errors import BenchmarkError
from benchmarks.viewer import gallery as galleries
from benchmarks.viewer import view

SLUGS = {
    "pristine/scan-1": "pristine_scan-1", "pix2pix/inj_1": "pix2pix_inj_1", "identity/inj_1": "identity_inj_1",
    "pristine/scan-2": "pristine_scan-2", "pix2pix/rem_1": "pix2pix_rem_1", "identity/rem_1": "identity_rem_1",
}  # fmt: skip


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("sample_id", SLUGS)
def test_before_and_after_are_the_releases_voxels_to_the_last_bit(release, gallery, sample_id):
    sample = release.sample(sample_id)
    place = place_of(gallery, SLUGS[sample_id])
    edit = content(gallery / "samples" / f"{SLUGS[sample_id]}.js")["edit"]
    for block in (place["region"], *place["planes"]):
        before = voxels(block).copy()
        assert (before == sample.pristine[box(block).slices()]).all()
        after = before.copy()
        if edit:
            both = box(edit["after"]).intersection(box(block))
            patch = voxels(edit["after"])[both.relative_to(box(edit["after"])).slices()]
            after[both.relative_to(box(block)).slices()] = patch
        assert (after == sample.ct[box(block).slices()]).all()


@pytest.mark.parametrize("sample_id", [name for name in SLUGS if "pristine" not in name])
def test_the_mask_is_the_releases(release, gallery, sample_id):
    mask = content(gallery / "samples" / f"{SLUGS[sample_id]}.js")["edit"]["mask"]
    whole = release.sample(sample_id).mask[...]
    assert (voxels(mask).astype(bool) == whole[box(mask).slices()]).all()
    assert voxels(mask).sum() == whole.sum()


def test_the_samples_of_a_site_load_the_same_voxels(gallery):
    assert place_of(gallery, "pix2pix_inj_1") == place_of(gallery, "identity_inj_1")
    assert len(list((gallery / "places").iterdir())) == 4  # two sites, and two pristine scans


def test_the_list_names_every_sample_and_what_the_detector_says(gallery, release):
    found = content(gallery / "samples.js")
    assert {each["id"]: each["slug"] for each in found["samples"]} == SLUGS
    assert [each["id"] for each in found["samples"]] == list(SLUGS)
    assert found["digest"] == release.manifest.digest
    assert found["phantom"] is True
    scores = {each["id"]: each["score"] for each in found["samples"]}
    assert scores["pix2pix/inj_1"] == pytest.approx(0.1)
    assert scores["identity/rem_1"] is None  # of which the submission says nothing


def test_the_index_shows_every_sample_with_what_it_can_be_filtered_by(gallery):
    index = (gallery / "index.html").read_text()
    cards = re.findall(r"<li (data-generator.*?)>.*?</li>", index, re.DOTALL)
    assert len(cards) == len(SLUGS)
    control = 'data-generator="identity" data-manipulation="injection" data-split="train" data-patient="PHANTOM-0001"'
    assert control in cards
    assert re.findall(r'<option value="(.*?)">', index) == [
        *("", "identity", "none", "pix2pix"),
        *("", "injection", "none", "removal"),
        *("", "test", "train"),
        *("", "PHANTOM-0001", "PHANTOM-0002"),
    ]
    for slug in SLUGS.values():
        assert f'<img src="thumbnails/{slug}.png"' in index
        assert (gallery / "thumbnails" / f"{slug}.png").is_file()
    assert 'loading="lazy"' in index


def test_every_page_says_that_phantoms_are_phantoms_and_what_was_tampered_with(gallery):
    assert "Phantoms: these scans are computed, no person was scanned." in (gallery / "index.html").read_text()
    for slug in SLUGS.values():
        notice = content(gallery / "samples" / f"{slug}.js")["notice"]
        assert "Phantom: a computed scan, not a patient." in notice
        assert ("AI-tampered research image; not for diagnosis." in notice) == slug.startswith("pix2pix")


def test_nothing_is_loaded_from_elsewhere(gallery):
    for page in ("index.html", "sample.html"):
        assert not re.search(r"https?://|//[a-z]|@import|url\(", (gallery / page).read_text().replace("// ", ""))


def test_what_a_stranger_wrote_is_text_and_nothing_else(release, detector, tmp_path, rewrite):
    bad = '</script><img src=x onerror="alert(1)">'
    changed = rewrite(release, tmp_path / "m3dsynth", lambda row: {"patient_id": bad, "site_id": bad})
    view(changed, tmp_path / "site", split="all")
    for path, data in files(tmp_path / "site").items():
        if path.endswith(".html"):
            assert bad.encode() not in data
    assert html.escape(bad, quote=False).encode() in (tmp_path / "site/index.html").read_bytes().replace(b"&#34;", b'"')


def test_the_same_gives_the_same_bytes_in_place_of_what_was_there(release, detector, gallery, tmp_path):
    view(release, tmp_path / "site", limit=1)
    view(release, tmp_path / "site", split="all", submission=detector.path)
    assert files(tmp_path / "site") == files(gallery)


def test_what_is_no_gallery_is_not_replaced(release, tmp_path):
    (tmp_path / "thesis.txt").write_text("all of it")
    for out in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(BenchmarkError, match=f"{out}: is no gallery and will not be replaced; name another"):
            view(release, out)
    assert (tmp_path / "thesis.txt").read_text() == "all of it"


def test_nothing_half_written_is_left_behind(release, tmp_path, monkeypatch):
    monkeypatch.setattr(galleries, "write_thumbnail", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        view(release, tmp_path / "site")
    assert list(tmp_path.iterdir()) == []


def test_only_what_is_shown_is_read_of_a_volume(release, tmp_path, monkeypatch):
    read = []

    def note(volume, box):
        read.append(box)
        return original(volume, box)

    from m3dsynth_dataset.lazy import EditedVolume

    original = EditedVolume.read
    monkeypatch.setattr(EditedVolume, "read", note)
    monkeypatch.setattr("benchmarks.viewer.place.MOST_VOXELS", 4000)
    monkeypatch.setattr("benchmarks.viewer.thumbnail.SIDE_MM", 10.0)
    view(release, tmp_path / "site", configs=["pix2pix-injection"], split="train")
    depth, height, width = tiny_release.SHAPE
    assert read
    assert max(each.size for each in read) <= max(height * width, 6000) < depth * height * width


def test_samples_that_are_sealed_are_refused(release, tmp_path, rewrite):
    sealed = rewrite(release, tmp_path / "m3dsynth", lambda row: {"label": None, "manipulation": None})
    with pytest.raises(BenchmarkError, match=r"is sealed; .*; choose another --split"):
        view(sealed, tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_the_command_writes_a_gallery_and_says_where(release, tmp_path, capsys):
    site = tmp_path / "site"
    assert main(["view", str(release.path), "--out", str(site), "--config", "pix2pix-removal", "identity-removal"]) == 0
    assert capsys.readouterr().out == f"2 samples at 1 places, 0 MB: {site / 'index.html'}\n"
    assert [each["id"] for each in content(site / "samples.js")["samples"]] == ["pix2pix/rem_1", "identity/rem_1"]


def test_the_command_says_in_a_line_what_is_wrong(release, tmp_path, capsys):
    assert main(["view", str(release.path), "--out", str(tmp_path / "site"), "--config", "dm-injection"]) == 2
    assert "error: " in (said := capsys.readouterr().err)
    assert "no rows of dm-injection, test; it has identity-injection (train)" in said
