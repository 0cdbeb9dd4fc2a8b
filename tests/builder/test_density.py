from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pytest
from annotation_database import AnnotatedSeries, Ball, write
from ct_series import UID_ROOT, CTSeries

from builder.annotations import read_annotations
from builder.cli import main
from builder.density import add_dense_sites
from builder.inventory import find_series
from builder.parenchyma import AWAY_FROM_NODULES_MM
from builder.plan import make_plan, read_plan

SPACING = (3.0, 2.0, 2.0)
LUNG = -860
NODULE = (20, 40, 30)


@dataclass
class ChestSeries(CTSeries):
    """Water in air, with two boxes of lung in it."""

    shape: tuple[int, int, int] = (40, 80, 100)
    spacing_mm: tuple[float, float, float] = SPACING
    intercept: float = 0.0

    @property
    def stored(self) -> np.ndarray:
        voxels = np.full(self.shape, -1000, np.int16)
        voxels[:, 8:72, 5:95] = 40
        voxels[3:37, 16:64, 12:46] = LUNG
        voxels[3:37, 16:64, 54:88] = LUNG
        return voxels


CHESTS = [ChestSeries(scan_id=f"{UID_ROOT}{number}", patient_id=f"P{number}") for number in (1, 2)]


@pytest.fixture(scope="module")
def lidc(tmp_path_factory):
    """Two chests with a small nodule each, and their annotations."""
    folder = tmp_path_factory.mktemp("chests")
    for chest in CHESTS:
        chest.write(folder / chest.patient_id)
    write(folder / "annotations.sqlite", [
        AnnotatedSeries(chest.scan_id, chest.patient_id, [Ball(NODULE, 6)], slices=40, spacing_mm=3.0, pixel_mm=2.0,
                        thickness_mm=3.0, top_mm=chest.top_mm) for chest in CHESTS
    ])  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def scans(lidc):
    return read_annotations(lidc / "annotations.sqlite")


@pytest.fixture(scope="module")
def inventory(lidc):
    return find_series(lidc)


def dense(plan):
    return [row for row in plan.to_pylist() if (row["site_id"] or "").startswith("inj_dense")]


def places(plan, patient="P1"):
    return [tuple(row["centre_zyx"]) for row in dense(plan) if row["patient_id"] == patient]


@pytest.fixture(scope="module")
def planned(scans, inventory):
    return add_dense_sites(make_plan(scans), scans, inventory, count=12, seed=0)


def test_every_scan_gets_so_many_injections_in_its_lungs(planned):
    plan, findings = planned
    assert [len(places(plan, patient)) for patient in ("P1", "P2")] == [12, 12]
    assert findings == ()
    assert {CHESTS[0].stored[place] for place in places(plan)} == {LUNG}
    assert {(row["manipulation"], row["readers"], row["nodule_zyx"]) for row in dense(plan)} == {
        ("injection", None, None)
    }
    assert len({row["site_id"] for row in plan.to_pylist()}) == 1 + 2 * (12 + 2)


def test_their_cores_share_no_voxel(planned):
    found = places(planned[0])
    for one, other in combinations(found, 2):
        assert (np.abs(np.subtract(one, other)) * SPACING).max() >= 16


def test_what_was_planned_stays_and_nobody_changes_sides(planned, scans):
    plan = planned[0]
    assert [row for row in plan.to_pylist() if row not in dense(plan)] == make_plan(scans).to_pylist()
    assert len({(row["patient_id"], row["split"]) for row in plan.to_pylist()}) == 2
    assert [row["slice_mm"] for row in dense(plan)] == [-30 - 3 * row["centre_zyx"][0] for row in dense(plan)]


def test_more_sites_add_to_fewer_and_a_missing_scan_changes_nothing(planned, scans, inventory):
    few, _ = add_dense_sites(make_plan(scans), scans, inventory, count=5, seed=0)
    assert places(few) == places(planned[0])[:5]
    alone = replace(inventory, series=inventory.series[:1])
    at_hand = {series.scan_id for series in alone.series}
    part, _ = add_dense_sites(make_plan(scans, at_hand=at_hand), scans, alone, count=12, seed=0)
    assert dense(part) == [row for row in dense(planned[0]) if row["scan_id"] in at_hand]


def test_places_differ_from_scan_to_scan_and_from_seed_to_seed(planned, scans, inventory):
    other, _ = add_dense_sites(make_plan(scans), scans, inventory, count=12, seed=1)
    assert places(other) != places(planned[0]) != places(planned[0], "P2")


def test_coordinates_are_not_those_of_a_grid(planned):
    assert {place[1] % 2 for place in places(planned[0])} == {0, 1}


def test_full_lungs_keep_clear_of_nodules_and_are_reported(scans, inventory):
    plan, findings = add_dense_sites(make_plan(scans), scans, inventory, count=500, seed=0)
    assert 12 < len(places(plan)) < 500
    away = [np.linalg.norm(np.subtract(place, NODULE) * SPACING) for place in places(plan)]
    # A place may move off the grid by less than its step of 4 mm.
    assert min(away) > AWAY_FROM_NODULES_MM - np.linalg.norm((3, 2, 2))
    assert [each.reason for each in findings] == [
        f"room for {len(places(plan, patient))} of 500 dense sites in the lungs of {patient}, away from nodules"
        for patient in ("P1", "P2")
    ]


def test_a_scan_that_cannot_be_read_is_reported(scans, inventory, tmp_path):
    bad = tmp_path / "gone.dcm"
    series = replace(inventory.series[0], slices=(replace(inventory.series[0].slices[0], path=bad),
                                                  *inventory.series[0].slices[1:]))  # fmt: skip
    plan, findings = add_dense_sites(make_plan(scans), scans, replace(inventory, series=(series,)), count=3, seed=0)
    assert dense(plan) == []
    assert "cannot be decoded" in findings[0].reason


def test_the_command_adds_them_whatever_the_number_of_workers(lidc, planned, tmp_path, capsys):
    arguments = ["plan", "--lidc", str(lidc), "--density", "12", "--workers", "2", "--out", str(tmp_path / "p.parquet")]
    assert main(arguments) == 0
    assert read_plan(tmp_path / "p.parquet").equals(planned[0])
    assert "28 injection and 0 removal sites in 2 scans of 2 patients" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--annotations-only", "--density", "3"], "--density looks for healthy lung in the voxels: name the scans"),
        (["--lidc", "x", "--density", "-1"], "--density must be 0 or more sites per scan, got -1"),
    ],
)
def test_density_without_scans_is_an_error(options, message, capsys):
    assert main(["plan", *options]) == 2
    assert message in capsys.readouterr().err
