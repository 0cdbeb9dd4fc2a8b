import pytest
from annotation_database import AnnotatedSeries, write

from builder.annotations import read_annotations
from builder.errors import BuilderError
from builder.plan import make_plan
from builder.site_list import read_sites


@pytest.fixture
def scans(tmp_path):
    series = [AnnotatedSeries("1.1", "A"), AnnotatedSeries("1.2", "B"), AnnotatedSeries("1.3", "B")]
    return read_annotations(write(tmp_path / "a.sqlite", series))


def sites(tmp_path, scans, text, at_hand=None):
    (tmp_path / "sites.csv").write_text(text)
    return read_sites(tmp_path / "sites.csv", scans, at_hand or {})


def test_sites_are_edited_where_the_user_says(tmp_path, scans):
    listed = sites(tmp_path, scans, "patient_id,z,y,x,manipulation\nA,5,60,70,injection\nA,9,20,30,removal\n")
    plan = make_plan(scans, sites=listed).to_pylist()
    assert [(row["site_id"], row["patient_id"], row["centre_zyx"]) for row in plan] == [
        (None, "A", None), ("inj_1", "A", [5, 60, 70]), ("rem_2", "A", [9, 20, 30]),
    ]  # fmt: skip
    assert {row["split"] for row in plan} <= {"train", "validation", "test"}


def test_a_scan_can_be_named_instead_of_a_patient(tmp_path, scans):
    (site,) = sites(tmp_path, scans, "scan_id,z,y,x,manipulation\n1.3,5,60,70,removal\n")
    assert (site.scan_id, site.patient_id) == ("1.3", "B")


def test_a_scan_that_the_database_does_not_know_can_be_edited(tmp_path, scans):
    (site,) = sites(tmp_path, scans, "patient_id,z,y,x,manipulation\nME,5,60,70,removal\n", {"9.9": "ME"})
    assert make_plan(scans, sites=[site], at_hand={"9.9"})["source"].to_pylist() == ["user", "user"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"the header must be patient_id,z,y,x,manipulation .* got nothing"),
        ("a,b\n", "the header must be .* got a,b"),
        ("patient_id,z,y,x,manipulation\nA,1,2,3,insert\n", "site 1: manipulation must be injection or removal"),
        ("patient_id,z,y,x,manipulation\nA,1,2.5,3,removal\n", "site 1: z, y, x must be whole numbers .* got 1,2.5,3"),
        (
            "patient_id,z,y,x,manipulation\nA,1,2,3,removal\nC,1,2,3,removal\n",
            "site 2: patient 'C' has no scan at hand",
        ),
        ("patient_id,z,y,x,manipulation\nB,1,2,3,removal\n", "patient 'B' has 2 scans; say which"),
        ("scan_id,z,y,x,manipulation\n7,1,2,3,removal\n", "no scan '7' at hand or in the annotation database"),
        ("patient_id,z,y,x,manipulation\nA,1,2\n", "site 1: manipulation must be"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path, scans, text, message):
    with pytest.raises(BuilderError, match=rf"sites.csv.*{message}"):
        sites(tmp_path, scans, text)


def test_a_missing_file_is_named(tmp_path, scans):
    with pytest.raises(BuilderError, match=r"gone.csv: cannot be read \(No such file"):
        read_sites(tmp_path / "gone.csv", scans, {})
