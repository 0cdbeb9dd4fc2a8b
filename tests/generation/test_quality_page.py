import json
from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest

from generation.errors import GenerationError
from generation.quality import Quality
from generation.quality_page import COLUMNS, write


def row(generator="mine", manipulation="injection", **others):
    cubes = np.full((2, 32, 32, 32), -600, dtype=np.int16)
    quality = Quality(
        generator=generator,
        manipulation=manipulation,
        weights_sha256="c0ffee",
        real_cubes=3,
        site_cubes=2,
        reference_cubes=5,
        ring_error_hu=0,
        core_mae_hu=123.456,
        histogram_distance_hu=30.25,
        histogram_floor_hu=4.04,
        frequency_per_mm=(0.0, 0.25, 0.5),
        power_filled=(5.0, 400.0, 100.0),
        power_real=(6.0, 500.0, 200.0),
        spectrum_distance_db=2.5,
        spectrum_floor_db=0.5,
        diameters_filled_mm=(9.0, 14.0),
        diameters_real_mm=(11.0, 12.0, 13.5),
        share_met=0.5,
        share_met_real=1.0,
        shown={"input": cubes, "masked": cubes, "filled": cubes},
    )
    return replace(quality, **others)


WITHOUT_TRUTH = dict.fromkeys(
    [
        "core_mae_hu",
        "histogram_distance_hu",
        "histogram_floor_hu",
        "power_real",
        "spectrum_distance_db",
        "spectrum_floor_db",
        "diameters_real_mm",
        "share_met_real",
    ]
)
WITHOUT_SITES = dict.fromkeys(
    ["histogram_distance_hu", "power_filled", "spectrum_distance_db", "diameters_filled_mm", "share_met"]
)


def table(folder):
    """The cells of the report's table by generator, manipulation and column."""
    lines = [line for line in (folder / "report.md").read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {(line[0], line[1]): dict(zip(cells[0], line, strict=True)) for line in cells[2:]}


def test_a_report_is_numbers_a_table_and_pictures(tmp_path):
    write([row(), row(manipulation="removal"), row("other")], tmp_path / "report")
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "report.json",
        "report.md",
        "spectra.png",
        "diameters.png",
        "mine-injection.png",
        "mine-removal.png",
        "other-injection.png",
    }


def test_the_numbers_come_back_from_json(tmp_path):
    rows = [row(), row("other", "removal", **WITHOUT_TRUTH)]
    write(rows, tmp_path / "report")
    found = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert found == json.loads(json.dumps([one.numbers() for one in rows]))
    assert found[0]["core_mae_hu"] == 123.456
    assert found[1]["core_mae_hu"] is None


def test_the_table_has_a_row_for_each_inpainter_and_manipulation(tmp_path):
    write([row(), row(manipulation="removal"), row("other", ring_error_hu=3)], tmp_path / "report")
    cells = table(tmp_path / "report")
    assert list(cells) == [("mine", "injection"), ("mine", "removal"), ("other", "injection")]
    assert list(cells["mine", "injection"].values()) == [
        "mine",
        "injection",
        "2",
        "3",
        "0",
        "123.5",
        "30.2 (4.0)",
        "2.5 (0.5)",
        "11.5",
        "12.0",
        "50.0",
        "100.0",
    ]
    assert cells["other", "injection"]["ring (HU)"] == "3"


def test_every_column_of_numbers_is_explained(tmp_path):
    write([row()], tmp_path / "report")
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    words = {name.split(" (")[0] for name in COLUMNS} - {"generator", "manipulation", "of real"}
    assert all(f"**{word}**" in text for word in words)


@pytest.mark.parametrize(("missing", "dashes"), [(WITHOUT_TRUTH, 5), (WITHOUT_SITES, 4)])
def test_what_could_not_be_measured_is_a_dash(tmp_path, missing, dashes):
    write([row(**missing)], tmp_path / "report")
    cells = table(tmp_path / "report")["mine", "injection"]
    assert [cell.startswith("-") for cell in cells.values()].count(True) == dashes
    assert not {"nan", "None"} & set(" ".join(cells.values()).split())


def test_a_flat_spectrum_can_be_drawn(tmp_path):
    write([row(power_filled=(0.0, 0.0, 0.0), power_real=None)], tmp_path / "report")
    assert (tmp_path / "report" / "spectra.png").is_file()


@pytest.mark.parametrize(
    ("picture", "other"),
    [
        ("spectra.png", {"power_filled": (5.0, 40.0, 10.0)}),
        ("spectra.png", {"power_real": (5.0, 40.0, 10.0)}),
        ("diameters.png", {"diameters_filled_mm": (1.0, 2.0)}),
        ("diameters.png", {"diameters_real_mm": (1.0, 2.0)}),
    ],
)
def test_other_numbers_draw_another_picture(tmp_path, picture, other):
    for name, quality in {"a": row(), "b": row(**other), "again": row()}.items():
        write([quality], tmp_path / name)
    drawn = {name: matplotlib.image.imread(tmp_path / name / picture) for name in ("a", "b", "again")}
    assert np.array_equal(drawn["a"], drawn["again"])
    assert not np.array_equal(drawn["a"], drawn["b"])


def test_the_picture_of_a_row_shows_its_cubes(tmp_path):
    white = np.full((2, 32, 32, 32), 150, dtype=np.int16)
    write([row(shown={"input": white, "masked": white, "filled": white}), row("grey")], tmp_path / "report")
    bright = [
        matplotlib.image.imread(tmp_path / "report" / f"{name}-injection.png").mean() for name in ("mine", "grey")
    ]
    assert bright[0] > bright[1] + 0.1


def test_a_report_takes_the_place_of_the_one_before(tmp_path):
    write([row("old")], tmp_path / "report")
    write([row("new")], tmp_path / "report")
    assert not (tmp_path / "report" / "old-injection.png").exists()
    assert (tmp_path / "report" / "new-injection.png").is_file()


def test_a_failure_leaves_the_report_before_as_it_was(tmp_path):
    write([row("old")], tmp_path / "report")
    with pytest.raises(ValueError, match="JSON"):
        write([row("new", core_mae_hu=float("nan"))], tmp_path / "report")
    assert list(table(tmp_path / "report")) == [("old", "injection")]
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    write([row()], tmp_path / "mixed")
    for name, file in {"other": "thesis.md", "mixed": "mine.safetensors"}.items():
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / file).write_text("years of work")
        with pytest.raises(GenerationError, match="is no report and will not be replaced"):
            write([row()], tmp_path / name)
        assert (tmp_path / name / file).read_text() == "years of work"


def test_a_file_of_that_name_is_left_alone(tmp_path):
    (tmp_path / "report").write_text("mine")
    with pytest.raises(GenerationError, match="is no report"):
        write([row()], tmp_path / "report")


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "report").mkdir()
    write([row()], tmp_path / "report")
    assert (tmp_path / "report" / "report.json").is_file()


def test_no_rows_make_no_report(tmp_path):
    with pytest.raises(GenerationError, match="nothing to report"):
        write([], tmp_path / "report")


def test_an_inpainter_stands_in_a_report_once(tmp_path):
    with pytest.raises(GenerationError, match="got mine-injection more than once"):
        write([row(), row(manipulation="removal"), row()], tmp_path / "report")


def test_a_users_name_breaks_neither_files_nor_table_nor_pictures(tmp_path):
    write([row("../a|b$c_$ d")], tmp_path / "report")
    assert list(table(tmp_path / "report")) == [("a_b_c_d", "injection")]
    assert (tmp_path / "report" / "a_b_c_d-injection.png").is_file()
    assert json.loads((tmp_path / "report" / "report.json").read_text())[0]["generator"] == "../a|b$c_$ d"
