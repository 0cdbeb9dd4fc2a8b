import numpy as np
import pytest
from scipy.ndimage import binary_fill_holes

from builder.outlines import regions


def lines(*points):
    return "\n".join(f"{x},{y}" for x, y in points)


SQUARE = lines((10, 20), (14, 20), (14, 24), (10, 24))
"""Of 4 by 4; 3 by 3 pixels are inside."""


def region(*contours):
    ((_, found),) = regions([(1, *contour) for contour in contours])
    return found


def test_pixels_inside_are_counted_and_those_of_the_outline_are_not():
    found = region((5.0, True, SQUARE))
    assert (found.inside, found.area) == (9, 16)


def test_it_does_not_matter_whether_the_outline_is_closed_or_which_way_it_runs():
    closed = lines((10, 20), (14, 20), (14, 24), (10, 24), (10, 20))
    backwards = lines((10, 24), (14, 24), (14, 20), (10, 20))
    assert region((5.0, True, closed)).inside == region((5.0, True, backwards)).inside == 9


@pytest.mark.parametrize("seed", range(5))
def test_pixels_inside_any_chain_of_pixels_are_counted(seed):
    """Held against a flood of the picture from outside."""
    rng = np.random.default_rng(seed)
    heights = rng.integers(3, 12, 9)
    top = [(2 * column + side, 30 - height) for column, height in enumerate(heights) for side in (0, 2)]
    walk = [*top, (18, 31), (0, 31)]
    picture = np.zeros((40, 24), bool)
    for (x0, y0), (x1, y1) in zip(walk, [*walk[1:], walk[0]], strict=True):
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for step in range(steps + 1):
            picture[round(y0 + (y1 - y0) * step / steps), round(x0 + (x1 - x0) * step / steps)] = True
    inside = binary_fill_holes(picture) & ~picture
    # Where the chain runs along itself, both ways, Pick's theorem is out by a pixel or two.
    assert region((0.0, True, lines(*walk))).inside == pytest.approx(np.count_nonzero(inside), abs=2)


def test_slices_add_up_and_what_is_counted_out_is_taken_off():
    small = lines((11, 21), (13, 21), (13, 23), (11, 23))
    assert region((5.0, True, SQUARE), (6.0, True, SQUARE)).inside == 18
    assert region((5.0, True, SQUARE), (5.0, False, small)).inside == 8


def test_the_centre_is_that_of_the_volume_and_not_of_the_points():
    many = lines((10, 20), (11, 20), (12, 20), (13, 20), (14, 20), (14, 24), (10, 24))
    wide = lines((10, 20), (18, 20), (18, 28), (10, 28))
    assert region((5.0, True, many)).centre == pytest.approx((5, 22, 12))
    # 16 pixels at 12 and 64 at 14.
    assert region((5.0, True, many), (10.0, True, wide)).centre == pytest.approx((9, 23.6, 13.6))


def test_what_is_counted_out_moves_the_centre_away():
    wide = lines((10, 20), (18, 20), (18, 28), (10, 28))
    # 64 pixels at (24, 14) without 16 at (22, 12).
    assert region((5.0, True, wide), (5.0, False, SQUARE)).centre == pytest.approx((5, 24 + 2 / 3, 14 + 2 / 3))


@pytest.mark.parametrize("flat", [lines((10, 20)), lines((10, 20), (12, 22), (10, 20))])
def test_a_point_or_a_line_encloses_nothing_and_lies_where_it_is(flat):
    found = region((5.0, True, flat))
    assert (found.inside, found.area) == (0, 0)
    assert found.centre[0] == 5
    assert 20 <= found.centre[1] <= 22
    assert 10 <= found.centre[2] <= 12


def test_annotations_are_kept_apart():
    moved = lines((110, 20), (114, 20), (114, 24), (110, 24))
    found = dict(regions([(3, 5.0, True, SQUARE), (3, 6.0, True, SQUARE), (8, 9.0, True, moved)]))
    assert {key: (each.inside, each.centre) for key, each in found.items()} == {
        3: (18, (5.5, 22, 12)),
        8: (9, (9, 22, 112)),
    }
    assert [len(each.points) for each in found.values()] == [8, 4]


def test_no_outlines_give_no_regions():
    assert list(regions([])) == []


@pytest.mark.parametrize("text", ["1,2\n3", "a,b", "1,2,3\n4,5,6", "", "1,2\n\n3,4", "1,nan"])
def test_text_that_is_not_points_is_an_error(text):
    with pytest.raises(ValueError, match=r"CSV|x,y"):
        list(regions([(1, 5.0, True, text)]))
