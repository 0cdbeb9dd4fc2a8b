import numpy as np
import official_example as example
import pytest
from PIL import Image

from builder.errors import BuilderError
from builder.official_images import RefusedSampleError, SliceFolder, find_images
from builder.official_tables import OfficialRow, OfficialSite, SeriesKey

SCAN = np.arange(5 * 6 * 7, dtype=np.uint16).reshape(5, 6, 7) * 300
ROW = OfficialRow(OfficialSite("inj_3", "injection", SeriesKey("LIDC-IDRI-9001", 3), (1, 2, 3)), "cyclegan")


@pytest.fixture
def folder(tmp_path):
    return example.write_slices(tmp_path / "scan", SCAN)


def test_slices_are_read_as_they_were_stored(folder):
    slices = SliceFolder.open(folder)
    assert len(slices) == 5
    for index, pixels in enumerate(SCAN):
        np.testing.assert_array_equal(slices.scan_slice(index, (6, 7)), pixels)
    with Image.open(slices.files[0]) as image:
        assert image.info["compression"] == "lzma"


def test_slices_come_in_the_order_of_their_numbers_whatever_they_are_called(tmp_path):
    for number in (8, 9, 10, 11):
        Image.fromarray(np.full((2, 2), number, np.uint16)).save(tmp_path / f"a{number}.TIF", format="TIFF")
    (tmp_path / "percentile.npy").write_bytes(b"left by the published loader")
    slices = SliceFolder.open(tmp_path)
    assert [slices.scan_slice(index, (2, 2))[0, 0] for index in range(len(slices))] == [8, 9, 10, 11]


def test_labels_of_one_bit_and_of_eight_are_read(tmp_path):
    label = SCAN % 7 == 0
    bits = SliceFolder.open(example.write_slices(tmp_path / "bits", label))
    grey = SliceFolder.open(example.write_slices(tmp_path / "grey", label.astype(np.uint8) * 255))
    for index, pixels in enumerate(label):
        np.testing.assert_array_equal(bits.label_slice(index, (6, 7)), pixels)
        np.testing.assert_array_equal(grey.label_slice(index, (6, 7)), pixels)


@pytest.mark.parametrize(("missing", "named"), [((2,), "slice 2 missing"), ((1, 2, 3), "slices 1 to 3 missing")])
def test_a_missing_slice_is_named(folder, missing, named):
    for index in missing:
        (folder / f"slide{index:04d}.tiff").unlink()
    with pytest.raises(RefusedSampleError, match=named):
        SliceFolder.open(folder)


def test_a_doubled_slice_is_named(folder):
    (folder / "slide2.tif").write_bytes((folder / "slide0002.tiff").read_bytes())
    with pytest.raises(RefusedSampleError, match="slice 2 is doubled"):
        SliceFolder.open(folder)


def test_a_folder_that_is_missing_or_empty_is_named(tmp_path):
    with pytest.raises(RefusedSampleError, match="no slices in"):
        SliceFolder.open(tmp_path)
    with pytest.raises(RefusedSampleError, match="no folder"):
        SliceFolder.open(tmp_path / "inj_1")


def test_a_damaged_file_is_named(folder):
    path = folder / "slide0003.tiff"
    whole = path.read_bytes()
    for damaged in (whole[:60], b"II*\0", b"", b"not a picture"):
        path.write_bytes(damaged)
        with pytest.raises(RefusedSampleError, match=r"slide0003\.tiff: cannot be read"):
            SliceFolder.open(folder).scan_slice(3, (6, 7))


def test_a_slice_of_another_size_or_depth_is_named(folder, tmp_path):
    with pytest.raises(RefusedSampleError, match=r"has \(6, 7\) pixels, a slice of the scan \(6, 8\)"):
        SliceFolder.open(folder).scan_slice(0, (6, 8))
    grey = SliceFolder.open(example.write_slices(tmp_path / "grey", SCAN.astype(np.uint8)))
    with pytest.raises(RefusedSampleError, match="not an image of 16 bits but uint8"):
        grey.scan_slice(0, (6, 7))


@pytest.mark.parametrize("below", [".", "unpacked", "a/b"])
def test_generators_are_found_wherever_the_archives_were_unpacked(tmp_path, below):
    example.write_slices(tmp_path / below / "cycle" / "scan" / "inj_3", SCAN)
    images = find_images(tmp_path)
    assert images.folders == {"cyclegan": tmp_path / below / "cycle"}
    assert images.place(ROW, "label") == tmp_path / below / "cycle" / "label" / "inj_3"
    assert images.has(ROW)


def test_what_is_not_there_is_missing_and_not_wrong(tmp_path):
    (tmp_path / "pix2pix" / "scan").mkdir(parents=True)
    assert not find_images(tmp_path).has(ROW)


def test_a_folder_without_images_is_an_error(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BuilderError, match="--m3dsynth names the folder into which the published archives"):
            find_images(folder)
