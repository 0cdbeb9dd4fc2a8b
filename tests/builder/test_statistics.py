import matplotlib as mpl
import numpy as np
import pytest
import tiny_release
from matplotlib.colors import to_hex
from PIL import Image

from builder.lungs import lung_shadow
from builder.publish import _OF_A_RELEASE
from builder.release import write_release
from builder.statistics import ACCENT, DARK, OF_MANIPULATIONS, OF_SPLITS, Holdings, _drawn, _from_middle
from m3dsynth_dataset import open_release
from m3dsynth_dataset.manifest import Manifest, record_file
from m3dsynth_dataset.verification import verify
from m3dsynth_dataset.volume import write_volume

PICTURE = "statistics.png"
COUNTS = {
    ("pristine", "train"): 1,
    ("pristine", "test"): 1,
    ("pix2pix-injection", "train"): 1,
    ("pix2pix-removal", "test"): 1,
    ("identity-injection", "train"): 1,
    ("identity-removal", "test"): 1,
}


@pytest.fixture(scope="module")
def panels(release_path):
    """Of the tiny release, by title."""
    figure = _drawn(Holdings.of(release_path, COUNTS))
    return {axes.get_title(loc="left") or axes.get_title(): axes for axes in figure.axes}


def test_a_release_carries_its_picture_and_vouches_for_it(release_path):
    assert Manifest.read(release_path).files[PICTURE] == record_file(release_path / PICTURE)
    assert list(verify(release_path)) == []
    with Image.open(release_path / PICTURE) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 1000
        assert picture.info.keys() <= {"dpi"}  # neither a time nor a program


def test_publishing_knows_every_file_of_a_release(release_path):
    """What a stopped publication of another release left is deleted by its name."""
    assert [name for name in Manifest.read(release_path).files if not _OF_A_RELEASE.fullmatch(name)] == []


def test_the_card_shows_it_and_says_what_it_shows(release_path):
    (line,) = [line for line in (release_path / "README.md").read_text().splitlines() if line.startswith("![")]
    assert line.endswith(f"({PICTURE})")
    assert "where in the lungs the sites lie" in line


def test_the_users_own_settings_of_matplotlib_change_nothing(release_path, tmp_path):
    with mpl.rc_context({"font.size": 31, "lines.linewidth": 9, "axes.facecolor": "black", "savefig.dpi": 30}):
        again = tiny_release.write(tmp_path / "m3dsynth", tmp_path / "work")
    assert (again / PICTURE).read_bytes() == (release_path / PICTURE).read_bytes()


def test_bars_are_as_long_as_there_are_rows(panels):
    axes = panels["Samples by config and split"]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[::-1] == ["pristine", "pix2pix-injection", "pix2pix-removal", "identity-injection", "identity-removal"]
    lengths = {bar.get_label(): [patch.get_width() for patch in bar] for bar in axes.containers}
    assert lengths == {"train": [0, 1, 0, 1, 1], "test": [1, 0, 1, 0, 1]}
    assert len(set(OF_SPLITS.values())) == 3


def test_a_site_counts_once_however_many_generators_edit_it(panels):
    axes = panels["Edited sites in a scan"]
    assert [patch.get_height() for patch in axes.patches] == [0, 2]  # each of the two scans has one


def test_sites_stand_in_mm_from_the_middle_and_below_the_first_slice(panels):
    x, y = (2 * 60 - 65) / 2 * 0.7, (2 * 60 - 69) / 2 * 0.8
    for title, place in (("Sites from the front (coronal)", (x, 5.0)), ("Sites from below (axial)", (x, y))):
        found = [points.get_offsets() for points in panels[title].collections]
        np.testing.assert_allclose(found, [[place], [place]])  # an injection and a removal
        first, second = panels[title].collections
        assert first.get_edgecolor().tolist() != second.get_edgecolor().tolist()
    assert {ACCENT, DARK} == {"#c2410c", "#374151"}


def test_left_and_back_are_the_patients():
    row = {"centre_zyx": [2, 10, 10], "spacing_mm": [2.0, 1.0, 1.0], "shape_zyx": [5, 41, 31]}
    supine, prone = ([1, 0, 0, 0, 1, 0, 0, 0, -1], [-1, 0, 0, 0, -1, 0, 0, 0, -1])
    assert _from_middle(row | {"direction": supine}) == (-5.0, -10.0, 4.0)
    assert _from_middle(row | {"direction": prone}) == (5.0, 10.0, 4.0)


def test_spacings_and_unknown_diameters(panels):
    (points,) = panels["Spacing of the scans"].collections
    np.testing.assert_allclose(points.get_offsets(), [[0.7, 2.5]] * 2)
    assert [text.get_text() for text in panels["Nodules at the sites"].texts] == ["none known"]


def test_diameters_are_counted_by_manipulation(release_path):
    found = Holdings.of(release_path, COUNTS)
    sites = tuple(row | {"nodule_diameter_mm": 4.5 + 6 * number} for number, row in enumerate(found.sites))
    figure = _drawn(Holdings(found.counts, found.scans, sites, ()))
    axes = figure.axes[2]
    bars = [(to_hex(bar.get_facecolor()), bar.get_x()) for bar in axes.patches if bar.get_height()]
    kinds = ["injection" if row["manipulation"] == 1 else "removal" for row in sites]
    assert [colour for colour, _ in bars] == [OF_MANIPULATIONS[kind] for kind in kinds]
    assert [int(x) for _, x in bars] == [4, 10]


def test_a_release_without_an_edit_has_a_picture_too(tmp_path):
    row = tiny_release._row("scan-1", "pristine", "pristine/scan-1", "none", "pristine")
    write_release(tmp_path / "m3dsynth", [row], [], tiny_release.built())
    assert (tmp_path / "m3dsynth" / PICTURE).is_file()
    assert open_release(tmp_path / "m3dsynth").configs == ("pristine",)


@pytest.mark.parametrize("turned", [False, True])
def test_lungs_are_air_within_the_body(tmp_path, turned):
    """A body with one lung, on the patient's left and in the upper half; a turned scan gives the same shadow."""
    voxels = np.full((32, 64, 80), -1000, np.int16)
    voxels[:, 8:56, 8:72] = 40
    voxels[:16, 20:44, 44:64] = -850
    voxels[8, 28, 20] = -900  # a speck of noise
    stored, sign = (voxels[:, ::-1, ::-1], -1.0) if turned else (voxels, 1.0)
    write_volume(tmp_path / "v.zarr", np.ascontiguousarray(stored), {})
    shadow = lung_shadow(tmp_path / "v.zarr", (2.0, 0.5, 0.5), (sign, 0, 0, 0, sign, 0, 0, 0, -1.0))
    assert (shadow.x_mm, shadow.y_mm, shadow.depth_mm) == ((-20.0, 20.0), (-16.0, 16.0), 64.0)
    rows, columns = np.nonzero(shadow.coronal)
    assert rows.max() < len(shadow.coronal) / 2
    assert columns.min() > shadow.coronal.shape[1] / 2 - 1
    assert shadow.axial.any()
