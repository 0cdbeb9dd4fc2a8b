"""What is wrong with a series: a reader must refuse it, and say why."""

from collections.abc import Callable
from typing import Any

from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage

from dicom_zoo import codecs
from dicom_zoo.harmless import overlay_bits
from dicom_zoo.specimen import Raw, Slice, Specimen

Trait = Callable[[Specimen], None]
FLAWS: dict[str, Trait] = {}


def flaw(reason: str, name: str = "") -> Callable[[Callable[[Specimen], None]], Trait]:
    """Register a flaw with the pattern of its finding."""

    def register(change: Callable[[Specimen], None]) -> Trait:
        def trait(it: Specimen) -> None:
            it.refused = reason
            change(it)

        FLAWS[name or change.__name__] = trait
        return trait

    return register


def _one(name: str, reason: str, **header: Any) -> None:
    """A flaw in the header of one slice."""
    flaw(reason, name)(lambda it: it.middle.header.update(header))


def _all(name: str, reason: str, **header: Any) -> None:
    flaw(reason, name)(lambda it: it.everywhere(**header))


# Slices


@flaw("slice missing")
def missing_slice(it: Specimen) -> None:
    it.slices.remove(it.middle)


@flaw("duplicated slice")
def doubled_slice(it: Specimen) -> None:
    each = it.middle
    it.slices.append(Slice(each.stored, dict(each.header), path=each.path.with_name("copy.dcm")))


@flaw("duplicated slice")
def doubled_slice_with_other_pixels(it: Specimen) -> None:
    each = it.middle
    it.slices.append(Slice(it.rng.permutation(each.stored), dict(each.header), path=each.path.with_name("again.dcm")))


@flaw("duplicated slice")
def whole_series_twice(it: Specimen) -> None:
    it.slices += [Slice(each.stored, dict(each.header), path=it.folder / "copy" / each.path.name) for each in it.slices]


@flaw("single slice")
def single_slice(it: Specimen) -> None:
    it.slices = it.slices[:1]


@flaw("slice missing")
def folder_called_like_a_file(it: Specimen) -> None:
    each = it.middle
    it.slices.remove(each)
    it.after.append(lambda it: each.path.mkdir())


# Geometry


@flaw("tilted gantry")
def tilted_orientation(it: Specimen) -> None:
    it.everywhere(ImageOrientationPatient=[1, 0, 0, 0, 0.95630476, -0.29237170])


@flaw("tilted gantry")
def sheared_positions(it: Specimen) -> None:
    for number, each in enumerate(it.slices):
        x, y, z = each.header["ImagePositionPatient"]
        each.header["ImagePositionPatient"] = [x, y + 0.4 * number, z]


_all("tilt_in_its_own_tag", "tilted gantry: GantryDetectorTilt is -15", GantryDetectorTilt=-15)
_all("coronal", "not axial", ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
_all("sagittal", "not axial", ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
_one("other_pixel_spacing", "pixel spacing", PixelSpacing=[1.1, 0.8])
_one("position_beside", "mm beside the first", ImagePositionPatient=[-80, -90, -40])


@flaw("its orientation")
def other_orientation(it: Specimen) -> None:
    each = it.middle
    x, *others = each.header["ImageOrientationPatient"]
    each.header["ImageOrientationPatient"] = [-x, *others]


@flaw("uneven spacing|slice missing")
def mixed_gaps(it: Specimen) -> None:
    for number, each in enumerate(it.slices[6:]):
        x, y, z = each.header["ImagePositionPatient"]
        each.header["ImagePositionPatient"] = [x, y, z - 1.25 * number]


@flaw("uneven spacing")
def one_uneven_gap(it: Specimen) -> None:
    each = it.middle
    x, y, z = each.header["ImagePositionPatient"]
    each.header["ImagePositionPatient"] = [x, y, z - 0.3]


@flaw("its size")
def other_size(it: Specimen) -> None:
    each = it.middle
    each.stored = each.stored[:32]


# Who is who

_one("two_patients", "PatientID 'SOMEBODY-ELSE' is not that of", PatientID="SOMEBODY-ELSE")
_one("two_frames", "FrameOfReferenceUID '1.2.3.4.5' is not that of", FrameOfReferenceUID="1.2.3.4.5")
_one("other_modality", "slice missing", Modality="MR", SOPClassUID=MRImageStorage)
_all("magnetic_resonance", "not a CT slice but MR", Modality="MR", SOPClassUID=MRImageStorage)
_all("no_modality", "a DICOM object without Modality", Modality=None)
for _name, _uid in {
    "uid_of_a_path": b"../../../evil",
    "uid_of_letters": b"1.2.abc.4",
    "uid_of_a_dot": b".",
    "uid_too_long": b"1." * 60 + b"1",
}.items():
    _all(_name, "is no DICOM identifier", SeriesInstanceUID=Raw("UI", _uid + b"\0" * (len(_uid) % 2)))


@flaw("has no SeriesInstanceUID|may have lost a slice")
def last_without_series(it: Specimen) -> None:
    it.last.header["SeriesInstanceUID"] = None


# Values

for _name in (
    "PatientID", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns", "BitsAllocated",
    "PixelRepresentation", "PhotometricInterpretation",
):  # fmt: skip
    _one(f"no_{_name}", f"has no {_name}", **{_name: None})
_one("empty_spacing", "has no PixelSpacing", PixelSpacing=Raw("DS", b""))
_DAMAGED = "damaged|numbers that can be|PixelSpacing is"
for _name, _value in {
    "text": b"abc\\def ",
    "zero": b"0\\0 ",
    "negative": b"-1\\-1 ",
    "one": b"0.9 ",
    "three": b"1\\1\\1 ",
    "nan": b"nan\\nan ",
    "commas": b"0,9\\1,1 ",
    "huge": b"900\\1100",
}.items():
    _all(f"spacing_{_name}", _DAMAGED, PixelSpacing=Raw("DS", _value))
for _name, _value in {
    "nan": b"nan\\nan\\nan ",
    "nan_z": b"-100\\-90\\nan",
    "infinite": b"0\\0\\inf ",
    "two": b"1\\2 ",
}.items():
    _one(f"position_{_name}", _DAMAGED, ImagePositionPatient=Raw("DS", _value))
_all("orientation_of_five", _DAMAGED, ImageOrientationPatient=Raw("DS", b"1\\0\\0\\0\\1 "))
_all("orientation_nan", _DAMAGED, ImageOrientationPatient=Raw("DS", b"nan\\0\\0\\0\\1\\0 "))
for _name in ("RescaleSlope", "RescaleIntercept"):
    _one(f"no_{_name}", f"has no {_name}", **{_name: Raw("DS", b"")})
_one("slope_zero", "RescaleSlope is 0", RescaleSlope=Raw("DS", b"0 "))
_one("slope_nan", "RescaleSlope is nan", RescaleSlope=Raw("DS", b"nan "))
_one("slope_comma", "damaged", RescaleSlope=Raw("DS", b"1,5 "))
_one("slope_pair", "damaged", RescaleSlope=Raw("DS", b"1\\2 "))
_one("too_wide_values", "do not fit into 16 bits", RescaleSlope=100)
_all("effective_atomic_number", "its values are Z_EFF, not HU", RescaleType="Z_EFF")
_all("table_of_values", "entries of a table", ModalityLUTSequence=[Dataset()])
_all("photometric_1", "MONOCHROME1, not MONOCHROME2", PhotometricInterpretation="MONOCHROME1")
_all("palette", "PALETTE COLOR, not", PhotometricInterpretation="PALETTE COLOR")
_all("colours", "several frames or colours", SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0)
_all("frames", "several frames or colours", NumberOfFrames=4)
_all("high_bit", "bits, the highest bit 15: not read", BitsStored=12, HighBit=15)
_all("too_many_bits", "its pixels are 20 of 16 bits", BitsStored=20, HighBit=19)
_all("packed_bits", "of 12 bits", BitsAllocated=12, BitsStored=12, HighBit=11)
_one("rows_of_a_giant", "truncated", Rows=65535, Columns=65535)
_all("rows_of_a_giant_everywhere", "truncated", Rows=65535, Columns=65535)
_all("rows_zero", "it has 0 rows", Rows=0)
_all("rows_too_few", "bytes, but 32 x 32", Rows=32)


@flaw("values from -6.* do not fit into 16 bits")
def too_wide_values_below_zero(it: Specimen) -> None:
    """Values that, cut to 16 bits, would pass for tissue."""
    it.signed = False
    for each in it.slices:
        each.stored, each.slope = each.stored % 1000 + 64000, -1.0


@flaw("in big endian: not read here")
def big_endian_bytes(it: Specimen) -> None:
    it.bits, it.syntax = (8, 8), uid.ExplicitVRBigEndian


@flaw("its bits can say|do not fit into 16 bits")
def more_than_its_bits(it: Specimen) -> None:
    """JPEG 2000 hands out unused bits."""
    overlay_bits(it)
    it.syntax, it.stream = uid.JPEG2000Lossless, lambda cells: list(codecs.fragments(codecs.jpeg_2000(cells)))
