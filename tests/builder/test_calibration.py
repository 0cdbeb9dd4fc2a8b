import official_example as example
import pytest
from annotation_database import AnnotatedSeries, Ball, write

from builder.agreement import HALVES, half_of
from builder.annotations import read_annotations
from builder.calibration import ALTERNATIVES, HEAD, calibrate
from builder.cli import main
from builder.official_tables import read_tables

SIZES = (5.0, 6.0, 7.0, 7.6, 8.6, 10.0, 14.0, 17.3, 18.8, 21.0)
"""Of a patient's nodules; the published bounds are between the fourth and fifth, and the last two but one."""
WORLD = {"injection": lambda size: size < 8, "removal": lambda size: 8 <= size < 18}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four patients of either half, whose sites follow the rule."""
    folder = tmp_path_factory.mktemp("calibration")
    names = [f"LIDC-IDRI-{number}" for number in range(9000, 9040)]
    patients = sorted(name for half in HALVES for name in [each for each in names if half_of(each) == half][:4])
    balls = [Ball((20, 60 + 40 * (n % 5), 60 + 40 * (n // 5)), size) for n, size in enumerate(SIZES)]
    pixel = example.SPACING[1]
    write(
        folder / "annotations.sqlite", [AnnotatedSeries(f"1.{name}", name, balls, pixel_mm=pixel) for name in patients]
    )
    data = []
    for name in patients:
        for ball in balls:
            z, y, x = ball.centre
            if WORLD["injection"](ball.diameter_mm):
                data += [("inj", name, z + 1, y + 5, x + 5), ("inj", name, z + 2, y - 5, x - 5)]
            if WORLD["removal"](ball.diameter_mm):
                data += [("rem", name, z + 1, y, x), ("rem", name, z + 2, y, x)]
    lines = [(f"{ty}_{n}", ty, "real", name, 3, *place) for n, (ty, name, *place) in enumerate(data)]
    example.write_tables(folder, lines, [(name, 3) for name in patients], dict.fromkeys(patients, "train"))
    return folder


def outcomes(folder, alternatives):
    return list(calibrate(read_annotations(folder / "annotations.sqlite"), read_tables(folder), alternatives))


def test_the_bounds_are_the_plainest_numbers_that_part_the_sizes(folder):
    (rule,) = outcomes(folder, ALTERNATIVES[:1])
    assert (rule.smallest_mm, rule.largest_mm, rule.wrong) == (8, 18, 0)
    assert [(each.manipulation, each.found_share, each.confirmed_share) for each in rule.held_out] == [
        ("injection", 1, 1), ("removal", 1, 1),
    ]  # fmt: skip
    assert {each.patients for each in rule.held_out} == {"held out half"}
    assert [each.published for each in rule.held_out] == [4 * 8, 4 * 8]


def test_another_measure_has_other_bounds(folder):
    polygons = next(each for each in ALTERNATIVES if each.name.startswith("polygons"))
    (outcome,) = outcomes(folder, [polygons])
    assert outcome.smallest_mm > 8
    assert outcome.largest_mm > 18
    assert outcome.wrong == 0


def test_a_measure_that_tells_nothing_leaves_nodules_on_the_wrong_side(folder):
    alike = type(ALTERNATIVES[0])("all alike", measure=lambda scan, annotations: 1.0 + len(annotations))
    (outcome,) = outcomes(folder, [alike])
    assert outcome.wrong == 4 * (4 + 2)


def test_the_command_prints_a_line_for_each_alternative(folder, capsys):
    assert main(["calibrate", "--official", str(folder), "--annotations", str(folder / "annotations.sqlite")]) == 0
    out = capsys.readouterr().out
    assert out.startswith(HEAD)
    lines = out[len(HEAD) :].strip().splitlines()
    assert [line[:38].strip() for line in lines] == [each.name for each in ALTERNATIVES]
    assert lines[0].split()[2:5] == ["8.00", "18.00", "0"]
