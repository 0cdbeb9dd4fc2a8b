import pytest
import tiny_release

from benchmarks.viewer.facts import facts, notice
from benchmarks.viewer.selection import choose


def facts_of(release, sample_id):
    entry = next(entry for entry in choose(release) if entry.sample_id == sample_id)
    return dict(facts(release, entry, release.sample(sample_id)))


def test_facts_are_those_of_the_row(release):
    found = facts_of(release, "pix2pix/inj_1")
    assert found["sample"] == "pix2pix/inj_1"
    assert found["config"] == "pix2pix-injection, train"
    assert found["seed"] == "7"
    assert found["spacing, z y x"] == "2.500, 0.800, 0.700 mm"
    assert found["box from, z y x"] == "3, 20, 30"
    assert found["release"] == release.manifest.digest
    assert "malignancy" not in found  # the row has none


def test_facts_tell_what_the_edit_changed(release):
    edit = tiny_release.edit_of("pix2pix", "inj_1")
    change = edit.patch.astype(int) - tiny_release.scan("scan-1")[edit.box.slices()]
    found = facts_of(release, "pix2pix/inj_1")
    assert found["mask"] == f"{edit.mask.sum()} voxels"
    assert found["changed"] == f"{(change != 0).sum()} voxels"
    assert found["change"] == f"{change[edit.mask].mean():+.0f} HU on average, +1 to +299 HU"


def test_a_pristine_scan_has_no_edit_to_tell_of(release):
    assert not {"mask", "change", "site"} & facts_of(release, "pristine/scan-1").keys()


@pytest.mark.parametrize(
    ("sample_id", "said"),
    [
        ("pix2pix/inj_1", "AI-tampered research image; not for diagnosis. Phantom: a computed scan, not a patient."),
        ("identity/inj_1", "Control: resampled and blended without a generative model"),
        ("pristine/scan-1", "Unaltered scan. Research image; not for diagnosis. Phantom"),
    ],
)
def test_every_sample_says_what_it_is(release, sample_id, said):
    assert notice(release.sample(sample_id)).startswith(said)


def test_a_scan_of_a_patient_is_not_called_a_phantom(release, tmp_path, rewrite):
    real = rewrite(release, tmp_path / "m3dsynth", lambda row: {"source": "LIDC-IDRI"})
    assert notice(real.sample("pix2pix/inj_1")) == "AI-tampered research image; not for diagnosis."
