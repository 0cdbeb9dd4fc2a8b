import numpy as np
import pytest
from PIL import Image

from benchmarks.viewer.place import edited_place
from benchmarks.viewer.thumbnail import GAP, LUNG_WINDOW_HU, PIXELS, SIDE_MM, write_thumbnail

UPRIGHT = (False, False, False)


def squares(path):
    pixels = np.asarray(Image.open(path)).astype(int)
    assert pixels.shape == (PIXELS, 2 * PIXELS + GAP)
    return pixels[:, :PIXELS], pixels[:, PIXELS + GAP :]


def grey(hounsfield):
    low, high = LUNG_WINDOW_HU
    return np.clip((np.asarray(hounsfield, float) - low) / (high - low), 0, 1) * 255


def test_before_and_after_stand_side_by_side_and_differ_where_the_edit_is(release, tmp_path):
    sample = release.sample("pix2pix/inj_1")
    write_thumbnail(tmp_path / "t.png", sample, edited_place(sample), UPRIGHT)
    before, after = squares(tmp_path / "t.png")
    # The edit is 21 rows of 0.8 mm and 23 columns of 0.7 mm around the middle of 44 mm.
    rows, columns = (PIXELS * 21 * 0.8 / SIDE_MM, PIXELS * 23 * 0.7 / SIDE_MM)
    changed = np.argwhere(np.abs(before - after) > 3)
    reach = changed.max(axis=0) - changed.min(axis=0)
    assert reach == pytest.approx([rows, columns], abs=8)
    assert changed.mean(axis=0) == pytest.approx([PIXELS / 2, PIXELS / 2], abs=3)


def test_pixels_are_those_of_the_slice_in_a_lung_window(release, tmp_path):
    sample = release.sample("pix2pix/inj_1")
    write_thumbnail(tmp_path / "t.png", sample, edited_place(sample), UPRIGHT)
    for square, volume in zip(squares(tmp_path / "t.png"), (sample.pristine, sample.ct), strict=True):
        # The mean over the inner 20 mm: bicubic interpolation keeps it, and no voxel there is cut by the window.
        inner = square[PIXELS * 12 // 44 : PIXELS * 32 // 44, PIXELS * 12 // 44 : PIXELS * 32 // 44]
        expected = grey(np.clip(volume[6, 18:43, 27:56], *LUNG_WINDOW_HU)).mean()
        assert inner.mean() == pytest.approx(expected, abs=4)


def test_a_scan_that_was_stored_the_other_way_round_is_turned(release, tmp_path):
    sample = release.sample("pix2pix/inj_1")
    for name, flipped in (("a", UPRIGHT), ("b", (False, True, True))):
        write_thumbnail(tmp_path / name, sample, edited_place(sample), flipped)
    for one, other in zip(squares(tmp_path / "a"), squares(tmp_path / "b"), strict=True):
        np.testing.assert_array_equal(one[::-1, ::-1], other)


def test_a_pristine_scan_is_shown_whole_in_its_own_shape(release, tmp_path):
    sample = release.sample("pristine/scan-1")
    write_thumbnail(tmp_path / "t.png", sample, edited_place(sample), UPRIGHT)
    whole, _ = squares(tmp_path / "t.png")
    # 56 mm high, 46.2 mm wide: to the left and right of it there is air, of one grey.
    air = round((56 - 46.2) / 2 / 56 * PIXELS) - 3
    assert len(np.unique(whole[:, :air])) == len(np.unique(whole[:, -air:])) == 1
    assert len(np.unique(whole[:, PIXELS // 2])) > 20


def test_the_file_says_what_it_shows(release, tmp_path):
    sample = release.sample("pix2pix/inj_1")
    write_thumbnail(tmp_path / "t.png", sample, edited_place(sample), UPRIGHT)
    assert "SYNTHETIC: injection by pix2pix" in Image.open(tmp_path / "t.png").text["Description"]
