import pytest

from benchmarks.viewer.orientation import Orientation
from m3dsynth_dataset.volume import Geometry

SUPINE = (1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0)
PRONE = (-1.0, 0, 0, 0, -1.0, 0, 0, 0, -1.0)
FEET_FIRST = (-1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
TILTED = (0.96, 0.1, 0.2, -0.1, 0.97, 0.2, 0.2, 0.2, -0.9)


def turned(direction):
    return Orientation.of(Geometry((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), direction))


@pytest.mark.parametrize("direction", [SUPINE, PRONE, FEET_FIRST, TILTED])
def test_the_head_is_up_the_front_up_or_left_and_the_patients_right_on_the_left(direction):
    assert turned(direction).letters == ("HF", "AP", "RL")


def test_a_supine_scan_from_the_head_down_is_shown_as_it_is_stored():
    assert turned(SUPINE).flipped == (False, False, False)


def test_a_prone_scan_is_turned_round():
    assert turned(PRONE).flipped == (False, True, True)


def test_a_scan_from_the_feet_up_is_shown_from_its_last_slice():
    assert turned(FEET_FIRST).flipped == (True, False, True)


def test_axes_of_another_order_have_the_letters_of_the_axes_they_run_along():
    # x runs to the back, y to the head, z to the left.
    assert turned((0, 0, 1.0, 1.0, 0, 0, 0, 1.0, 0)) == Orientation((False, True, False), ("RL", "HF", "AP"))
