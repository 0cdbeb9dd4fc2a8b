import matplotlib.image
import numpy as np

from generation.identity import Identity
from generation.montage import COLUMNS, draw, show


def grey(hu):
    return np.full((3, 32, 32, 32), hu, dtype=np.int16)


def test_the_picture_has_a_dark_row_and_a_bright_row(tmp_path):
    draw({"air": grey(-1350), "tissue": grey(150)}, tmp_path / "grid.png", title="two rows")
    height = (picture := matplotlib.image.imread(tmp_path / "grid.png")[..., :3].mean(axis=2)).shape[0]
    upper, lower = picture[: height // 2], picture[height // 2 :]
    assert (upper < 0.05).mean() > 0.4
    assert (lower > 0.95).mean() > 0.9


def test_only_the_central_slice_is_shown(tmp_path):
    elsewhere = grey(-600)
    elsewhere[:, :10] = 3000
    draw({"row": grey(-600)}, tmp_path / "a.png", title="")
    draw({"row": elsewhere}, tmp_path / "b.png", title="")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_many_cubes_are_thinned_out(tmp_path):
    cubes = np.zeros((50, 32, 32, 32), dtype=np.int16)
    show(Identity(), cubes, list(range(50)), tmp_path / "many.png", title="")
    show(Identity(), cubes[:COLUMNS], list(range(COLUMNS)), tmp_path / "few.png", title="")
    assert (tmp_path / "many.png").read_bytes() == (tmp_path / "few.png").read_bytes()
