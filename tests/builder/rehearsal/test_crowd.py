from collections import Counter

import pytest

from builder.inventory import find_series
from builder.rehearsal import crowd
from builder.rehearsal.crowd import write_crowd


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    place = tmp_path_factory.mktemp("crowd") / "scans"
    return place, write_crowd(place, series=9, sites=40)


def test_every_series_of_the_plan_is_there_and_every_site_is_planned(written):
    place, plan = written
    rows = plan.to_pylist()
    assert {series.scan_id for series in find_series(place).series} == {row["scan_id"] for row in rows}
    sites = [row for row in rows if row["site_id"]]
    assert len(sites) == len({row["site_id"] for row in sites}) == 40
    assert set(Counter(row["scan_id"] for row in sites).values()) == {4, 5}
    assert {row["manipulation"] for row in sites} == {"injection", "removal"}


def test_the_whole_crowd_is_split_as_the_published_one(monkeypatch, tmp_path):
    monkeypatch.setattr(crowd, "_write", lambda *job: None)
    rows = write_crowd(tmp_path).to_pylist()
    splits = {row["patient_id"]: row["split"] for row in rows}
    assert Counter(splits.values()) == {"train": 488, "validation": 100, "test": 150}
    assert len({row["scan_id"] for row in rows}) == 744
    assert sum(row["site_id"] is not None for row in rows) == 3251


def test_the_scans_do_not_depend_on_the_number_of_workers(written, tmp_path):
    place, plan = written
    again = write_crowd(tmp_path / "scans", series=9, sites=40, workers=2)
    assert again.equals(plan)
    files = sorted(path.relative_to(place) for path in place.rglob("*.dcm"))
    assert len(files) == 9 * 36
    assert all((place / name).read_bytes() == (tmp_path / "scans" / name).read_bytes() for name in files[::17])
