import random

import pytest
import tiny_release

from builder.row_spool import AT_A_TIME, RowSpool
from m3dsynth_dataset.schema import FEATURES


def row(number, config="pristine", split="train", centre=None):
    made = tiny_release._row("scan-1", config, f"{config}/{number}", "none", "pristine")
    return made | {"scan_id": f"scan-{number:03d}", "split": split, "centre_zyx": centre}


@pytest.fixture
def spool(tmp_path):
    with RowSpool(tmp_path / "new") as made:
        yield made


def test_rows_come_back_by_config_and_split_as_they_were(spool):
    rows = [row(number, config) for config in ("pristine", "dm-injection") for number in range(AT_A_TIME + 3)]
    random.Random(0).shuffle(rows)
    spool.extend(rows[:50])
    spool.extend(rows[50:])
    tables = dict(spool.tables())
    assert spool.counts == {("pristine", "train"): AT_A_TIME + 3, ("dm-injection", "train"): AT_A_TIME + 3}
    for (config, _), table in tables.items():
        wanted = sorted((each for each in rows if each["config"] == config), key=lambda each: each["scan_id"])
        assert [found["sample_id"] for found in table.to_pylist()] == [each["sample_id"] for each in wanted]
        assert list(table.schema.names) == list(FEATURES)


def test_rows_of_a_scan_run_from_the_head_down(spool):
    centres = [[9, 1, 1], [10, 0, 0], [9, 0, 5], None]
    spool.extend(row(1, centre=centre) for centre in centres)
    ((_, table),) = spool.tables()
    assert table["centre_zyx"].to_pylist() == [None, [9, 0, 5], [9, 1, 1], [10, 0, 0]]


def test_few_rows_are_held_and_nothing_is_left_behind(spool, tmp_path):
    spool.extend(row(number) for number in range(10 * AT_A_TIME + 1))
    assert sum(map(len, spool._waiting.values())) == 1
    assert not list((tmp_path / "new").iterdir())
