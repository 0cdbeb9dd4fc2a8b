from pathlib import Path

import pydicom
import pytest
from ct_series import CTSeries

from builder.errors import SeriesError
from builder.header_values import check_values, floats, range_hu

HERE = Path("slice.dcm")


@pytest.fixture
def dataset(tmp_path):
    return pydicom.dcmread(CTSeries(shape=(1, 8, 6)).write(tmp_path)[0])


def test_a_usual_header_passes(dataset):
    check_values(HERE, dataset)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("RescaleIntercept", None, "has no RescaleIntercept"),
        ("RescaleSlope", 0, "RescaleSlope is 0"),
        ("RescaleSlope", float("nan"), "RescaleSlope is nan"),
        ("RescaleIntercept", float("inf"), "RescaleIntercept inf"),
        ("RescaleType", "OD", "its values are OD, not HU"),
        ("ModalityLUTSequence", [pydicom.Dataset()], "entries of a table"),
        ("PhotometricInterpretation", "MONOCHROME1", "MONOCHROME1, not MONOCHROME2"),
        ("NumberOfFrames", 2, "several frames"),
        ("SamplesPerPixel", 3, "several frames or colours"),
        ("GantryDetectorTilt", 12.5, "a tilted gantry: GantryDetectorTilt is 12.5 degrees"),
        ("GantryDetectorTilt", float("nan"), "a tilted gantry"),
        ("PixelSpacing", [0, 0.5], "PixelSpacing is 0"),
        ("PixelSpacing", [700, 700], "not 2 numbers that can be"),
        ("PixelSpacing", [0.7, 0.7, 0.7], "not 2 numbers that can be"),
        ("ImagePositionPatient", [0, 0, float("nan")], "not 3 numbers that can be"),
        ("ImagePositionPatient", [0, 0], "not 3 numbers that can be"),
        ("ImageOrientationPatient", [1, 0, 0, 0, float("inf"), 0], "not 6 numbers that can be"),
    ],
)
def test_what_voxels_cannot_depend_on_is_refused(dataset, name, value, reason):
    with pydicom.config.disable_value_validation():
        setattr(dataset, name, value)
    with pytest.raises(SeriesError, match=reason):
        check_values(HERE, dataset)


@pytest.mark.parametrize("unit", ["HU", "hu ", "US", ""])
def test_values_that_are_hu_or_say_nothing_of_it_pass(dataset, unit):
    dataset.RescaleType = unit
    check_values(HERE, dataset)


@pytest.mark.parametrize(
    ("bits", "signed", "slope", "expected"),
    [(12, 0, 1, (-1000, 3095)), (12, 1, 1, (-3048, 1047)), (8, 0, -2, (-1510, -1000)), (16, 1, 0.5, (-17384, 15383.5))],
)
def test_the_range_is_what_the_stored_bits_can_say(dataset, bits, signed, slope, expected):
    dataset.BitsStored, dataset.PixelRepresentation = bits, signed
    dataset.RescaleSlope, dataset.RescaleIntercept = slope, -1000
    assert range_hu(dataset) == expected


def test_a_single_number_is_a_tuple_too(dataset):
    assert floats(dataset, "RescaleIntercept") == (-1024.0,)
    assert floats(dataset, "PixelSpacing") == (0.8, 0.7)
