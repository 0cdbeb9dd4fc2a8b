from collections import Counter
from itertools import count

import official_example as example
import pytest

from builder.cli import main
from builder.errors import BuilderError
from builder.official_report import table_text
from builder.official_tables import SeriesKey, read_tables
from m3dsynth_dataset.schema import Split

A, B = "LIDC-IDRI-9001", "LIDC-IDRI-9002"
LINE = ("inj_1", "inj", "real", A, 3, 10, 45, 42)

TRAIN_AND_VALID = {
    ("pix2pix", "injection"): (1221, 362),
    ("pix2pix", "removal"): (316, 54),
    ("cyclegan", "injection"): (1247, 474),
    ("cyclegan", "removal"): (534, 188),
    ("dm", "injection"): (1221, 362),
    ("dm", "removal"): (486, 82),
    ("none", "injection"): (1253, 483),
    ("none", "removal"): (534, 188),
}
"""As published, of which the test patients are not at hand."""
TEST = {
    ("pix2pix", "injection"): 426,
    ("pix2pix", "removal"): 139,
    ("cyclegan", "injection"): 499,
    ("cyclegan", "removal"): 294,
    ("dm", "injection"): 426,
    ("dm", "removal"): 246,
    ("none", "injection"): 499,
    ("none", "removal"): 294,
}
PATIENTS = {Split.TRAIN: 488, Split.VALIDATION: 100, Split.TEST: 150}


@pytest.fixture
def read(tmp_path):
    """Reads tables of two patients that hold the given lines."""

    def read(data, *, centres=(), scans=((A, 3), (B, 5)), sets=((A, "train"), (B, "test"))):
        example.write_tables(tmp_path, list(data), list(scans), dict(sets), list(centres))
        return read_tables(tmp_path)

    return read


def found(tables):
    return [f"{finding.path}: {finding.reason}" for finding in tables.findings]


def test_names_are_those_of_this_project(read):
    mods = {"real": "none/inj_1", "pix2pix": "pix2pix/inj_1", "cycle": "cyclegan/inj_1", "diffusion": "dm/inj_1"}
    tables = read([("inj_1", "inj", mod, *LINE[3:]) for mod in mods])
    assert [row.sample_id for row in tables.rows] == list(mods.values())
    assert [row.config for row in tables.tampered] == ["pix2pix-injection", "cyclegan-injection", "dm-injection"]
    (site,) = tables.sites
    assert (site.site_id, site.manipulation, site.centre_zyx) == ("inj_1", "injection", (10, 45, 42))
    assert site.series == SeriesKey(A, 3)
    assert tables.series == {SeriesKey(A, 3): example.SPACING, SeriesKey(B, 5): example.SPACING}
    assert tables.splits == {A: Split.TRAIN, B: Split.TEST}
    assert tables.split_of(tables.rows[0]) is Split.TRAIN
    assert found(tables) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({2: "gan"}, "unknown mod 'gan': must be one of real, pix2pix, cycle, diffusion"),
        ({1: "add"}, "unknown ty 'add': must be one of inj, rem"),
        ({1: "rem"}, "img_id must be rem_ and a number for ty rem, got 'inj_1'"),
        ({0: "inj_x"}, "img_id must be inj_ and a number for ty inj, got 'inj_x'"),
        ({5: -1}, "site outside the scan: coord_z, coord_y, coord_x must be >= 0, got (-1, 45, 42)"),
        ({6: "x"}, "coord_y must be a number, got 'x'"),
        ({3: "LIDC-IDRI-9009"}, "orphan: patient LIDC-IDRI-9009 is not in sets.csv"),
        ({4: 4}, "orphan: LIDC-IDRI-9001, series 4 is not in LIDC.csv"),
        ({4: ""}, "sdir_id must be a number, got ''"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_left_out(read, change, reason):
    wrong = tuple(change.get(column, value) for column, value in enumerate(LINE))
    good = ("rem_7", "rem", "cycle", B, 5, 1, 2, 3)
    tables = read([wrong, good])
    assert [row.sample_id for row in tables.rows] == ["cyclegan/rem_7"]
    assert found(tables) == [f"data.csv, line 2: {reason}"]


def test_a_site_has_one_place_and_its_untouched_row_tells_it(read):
    elsewhere = ("inj_1", "inj", "cycle", A, 3, 11, 45, 42)
    tables = read([elsewhere, LINE, ("inj_1", "inj", "pix2pix", *LINE[3:])])
    assert [row.sample_id for row in tables.rows] == ["none/inj_1", "pix2pix/inj_1"]
    assert found(tables) == [
        "data.csv, line 2: another place than in another mod: inj_1, injection at (11, 45, 42) of LIDC-IDRI-9001, "
        "series 3, not injection at (10, 45, 42) of LIDC-IDRI-9001, series 3"
    ]


def test_without_an_untouched_row_the_first_one_tells_a_sites_place(read):
    tables = read([("inj_1", "inj", "cycle", *LINE[3:]), ("inj_1", "inj", "pix2pix", B, 5, 10, 45, 42)])
    assert [row.sample_id for row in tables.rows] == ["cyclegan/inj_1"]


def test_a_doubled_row_counts_once(read):
    tables = read([LINE, LINE])
    assert len(tables.rows) == 1
    assert found(tables) == ["data.csv, line 3: doubled row: inj_1 of none stands in data.csv, line 2, the same again"]


def test_orphans_of_the_other_tables_are_named(read):
    tables = read(
        [LINE],
        centres=[("inj_1", "real", 9.0, 256.0, 256.0), ("inj_909", "diffusion", 98.5, 256.0, 256.0)],
        scans=[(A, 3), ("LIDC-IDRI-9009", 1)],
    )
    assert [(each.site_id, each.generator, each.centre_zyx) for each in tables.centres] == [
        ("inj_1", "none", (9.0, 256.0, 256.0))
    ]
    assert list(tables.series) == [SeriesKey(A, 3)]
    assert found(tables) == [
        "LIDC.csv, line 3: orphan: patient LIDC-IDRI-9009 is not in sets.csv",
        "centers.csv, line 3: orphan: inj_909 of diffusion is not in data.csv",
    ]


def test_an_unknown_set_and_a_patient_in_two_sets_are_named(read, tmp_path):
    read([LINE])
    example.write_table(tmp_path, "sets.csv", [(A, "train"), (B, "dev"), (A, "test")])
    tables = read_tables(tmp_path)
    assert tables.splits == {A: Split.TRAIN}
    assert found(tables)[:2] == [
        "sets.csv, line 3: unknown set 'dev': must be one of train, valid, test",
        "sets.csv, line 4: doubled row: LIDC-IDRI-9001 stands in sets.csv, line 2, with other values",
    ]


def test_tables_are_found_in_a_clone_of_the_repository(read, tmp_path):
    read([LINE])
    clone = tmp_path / "clone"
    clone.mkdir()
    (clone / "data").mkdir()
    for path in tmp_path.glob("*.csv"):
        path.rename(clone / "data" / path.name)
    assert len(read_tables(clone).rows) == 1


def test_a_missing_table_is_an_error_that_names_it(read, tmp_path):
    read([LINE])
    (tmp_path / "sets.csv").unlink()
    with pytest.raises(BuilderError, match=r"no sets\.csv there or in its folder data"):
        read_tables(tmp_path)


def test_a_table_without_a_column_is_an_error(read, tmp_path):
    read([LINE])
    example.write_table(
        tmp_path, "data.csv", [LINE[:-1]], ("img_id", "ty", "mod", "orig_id", "sdir_id", "coord_z", "coord_y")
    )
    with pytest.raises(BuilderError, match=r"data\.csv: the table lacks coord_x"):
        read_tables(tmp_path)


def by_kind(tables):
    return Counter((row.generator, row.site.manipulation, tables.split_of(row)) for row in tables.rows)


def full_size(folder):
    """Tables of the published size: as many rows of each generator, manipulation and set, at as many sites."""
    numbers = {"inj": count(1), "rem": count(1)}
    patients = {split: [f"{split}-{number}" for number in range(size)] for split, size in PATIENTS.items()}
    data = []
    for split, column in zip(Split, range(3), strict=True):
        for ty, manipulation in (("inj", "injection"), ("rem", "removal")):
            sizes = {
                mod: [*TRAIN_AND_VALID[name, manipulation], TEST[name, manipulation]][column]
                for mod, name in (("real", "none"), ("pix2pix", "pix2pix"), ("cycle", "cyclegan"), ("diffusion", "dm"))
            }
            for place in range(sizes["real"]):
                site = f"{ty}_{next(numbers[ty])}"
                where = (patients[split][place % PATIENTS[split]], 1, 50, 200, 200 + place % 100)
                data += [(site, ty, mod, *where) for mod, size in sizes.items() if place < size]
    names = [name for members in patients.values() for name in members]
    # Six patients have a second series.
    scans = [(name, 1) for name in names] + [(name, 2) for name in names[:6]]
    sets = {name: str(split) for split, members in patients.items() for name in members}
    orphans = [("inj_9999", mod, 1.0, 256.0, 256.0) for mod in ("real", "pix2pix", "cycle", "diffusion")]
    example.write_tables(folder, data, scans, sets, orphans)


def test_tables_of_the_published_size_give_the_published_counts(tmp_path):
    full_size(tmp_path)
    tables = read_tables(tmp_path)
    assert (len(tables.rows), len(tables.tampered), len(tables.sites)) == (11_828, 8_577, 3_251)
    kinds = Counter(row.site.manipulation for row in tables.tampered)
    assert kinds == {"injection": 6_238, "removal": 2_339}
    assert Counter(tables.splits.values()) == PATIENTS
    assert len(tables.series) == 744
    for (generator, manipulation), sizes in TRAIN_AND_VALID.items():
        wanted = [*sizes, TEST[generator, manipulation]]
        assert [by_kind(tables)[generator, manipulation, split] for split in Split] == wanted
    assert len(tables.findings) == 4
    text = table_text(tables)
    assert "6,238 injections and 2,339 removals at 3,251 sites" in text
    assert "744 series of 738 patients" in text
    assert "patients: 488 train, 100 validation, 150 test" in text
    assert text.splitlines()[-1].startswith("orphan, 4 times, first centers.csv, line 2: orphan: inj_9999 of real")
    assert any(line.split() == ["total", "5,025", "1,522", "2,030", "8,577"] for line in text.splitlines())


@pytest.fixture(scope="module")
def official(real_lidc):
    """The published tables, of the user's own copy."""
    folder = real_lidc.parent / "official"
    if not folder.is_dir():
        pytest.skip(f"no published tables: {folder} is missing")
    return folder


def test_the_published_tables_give_the_published_counts(official):
    tables = read_tables(official)
    counts = by_kind(tables)
    for (generator, manipulation), sizes in TRAIN_AND_VALID.items():
        here = (counts[generator, manipulation, Split.TRAIN], counts[generator, manipulation, Split.VALIDATION])
        assert here == sizes
    assert (
        sum(counts.values())
        == len(tables.rows)
        == sum(map(sum, TRAIN_AND_VALID.values())) + sum(counts[*kind, Split.TEST] for kind in TEST)
    )
    assert Counter(tables.splits.values()) == PATIENTS
    assert (len(tables.series), len({key.patient_id for key in tables.series})) == (744, 738)
    assert {finding.path.partition(",")[0] for finding in tables.findings} <= {"centers.csv"}


def test_check_prints_the_counts_without_images(official, capsys):
    assert main(["import-official", "--m3dsynth", str(official), "--check"]) == 0
    out = capsys.readouterr().out
    assert "patients: 488 train, 100 validation, 150 test" in out
    assert out.startswith("config")
