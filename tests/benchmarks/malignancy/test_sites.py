import nodule_release
import pytest
import tiny_release

from benchmarks.errors import BenchmarkError
from benchmarks.malignancy import sites_of
from benchmarks.sealing import Shares, seal
from m3dsynth_dataset import open_release


def test_a_site_is_found_once_with_the_samples_of_all_generators(nodules):
    found = sites_of(nodules)

    assert len(found) == 2 * len(nodule_release.SPLITS)
    first = next(site for site in found if site.site_id == "inj_1")
    assert first.samples == {"swap": "swap/inj_1", "identity": "identity/inj_1"}
    assert first.patient_id == "PHANTOM-0001"
    assert first.split == "train"
    assert first.manipulation == "injection"
    assert first.centre_zyx == nodule_release.PLACES["injection"]
    assert first.spacing_mm == nodule_release.GEOMETRY.spacing_mm
    assert first.rating == nodule_release.SMALL_RATING
    assert first.diameter_mm == nodule_release.SMALL_MM


def test_only_the_splits_that_are_asked_for_are_looked_at(nodules):
    assert {site.patient_id for site in sites_of(nodules, ["test"])} == {"PHANTOM-0006", "PHANTOM-0007"}


def test_sites_of_different_nodules_differ_in_their_nodule(nodules):
    assert len({site.nodule for site in sites_of(nodules)}) == 2 * len(nodule_release.SPLITS)


def test_a_sealed_release_is_refused(nodules, tmp_path):
    public = tmp_path / "public"
    seal(nodules, public, tmp_path / "labels.parquet", Shares())

    with pytest.raises(BenchmarkError, match="sealed"):
        sites_of(open_release(public))


def test_a_split_without_edits_is_an_error(release_path):
    assert "validation" not in tiny_release.SCANS
    with pytest.raises(BenchmarkError, match="no edits in validation"):
        sites_of(open_release(release_path), ["validation"])
