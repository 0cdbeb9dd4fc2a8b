"""How the files of a series are called, where they lie, and what lies beside them: none of it may matter."""

import os
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import MediaStorageDirectoryStorage

from dicom_zoo.specimen import Raw, Specimen

Trait = Callable[[Specimen], None]


def _called(name: Callable[[int], str]) -> Trait:
    def trait(it: Specimen) -> None:
        for number, each in enumerate(it.slices):
            each.path = each.path.parent / name(number)

    return trait


def lying_numbers(it: Specimen) -> None:
    order = it.rng.permutation(len(it.slices)).tolist()
    for each, number in zip(it.slices, order, strict=True):
        each.path = each.path.parent / f"{number:03d}.dcm"
        each.header["InstanceNumber"] = len(order) - number


NAMES = {
    "reversed": _called(lambda number: f"IM{99 - number}"),
    "no_extension": _called(lambda number: f"{number:08x}"),
    "wrong_extension": _called(lambda number: f"{number}.{('png', 'nii', 'jpg', 'tif', 'mhd')[number % 5]}"),
    "upper_case": _called(lambda number: f"{number}.DCM"),
    "unicode_and_spaces": _called(lambda number: f"Schnitt Nr {number} größer 肺 'quoted' & <b>.dcm"),
    "bytes_of_no_encoding": _called(lambda number: os.fsdecode(b"slice\xff\xfe%d.dcm" % number)),
    "long_names": _called(lambda number: f"{number:03d}" + "n" * 240 + ".dcm"),
    "lying_numbers": lying_numbers,
}


def nested(it: Specimen) -> None:
    for number, each in enumerate(it.slices):
        each.path = it.folder.joinpath(*["deep"] * number, each.path.name)


def long_path(it: Specimen) -> None:
    for each in it.slices:
        each.path = it.folder.joinpath(*["p" * 200] * 12, each.path.name[:100])


def two_folders(it: Specimen) -> None:
    for number, each in enumerate(it.slices):
        each.path = it.folder / str(number % 2) / each.path.name


def _link_files(it: Specimen) -> None:
    (it.folder / "linked").mkdir()
    for number, each in enumerate(it.slices):
        link = it.folder / "linked" / f"{number}-{each.path.name}"
        link.symlink_to(os.path.relpath(each.path, link.parent))


def linked_files(it: Specimen) -> None:
    it.after.append(_link_files)


def linked_folder(it: Specimen) -> None:
    two_folders(it)
    it.after.append(lambda it: (it.folder / "9-again").symlink_to("0"))


def loop(it: Specimen) -> None:
    two_folders(it)
    it.after.append(lambda it: (it.folder / "0" / "loop").symlink_to(".."))
    it.after.append(lambda it: (it.folder / "self").symlink_to("."))


def hard_links(it: Specimen) -> None:
    def link(it: Specimen) -> None:
        (it.folder / "again").mkdir()
        for number, each in enumerate(it.slices):
            os.link(each.path, it.folder / "again" / f"{number}-{each.path.name}")

    it.after.append(link)


LAYOUTS = {
    each.__name__: each for each in (nested, long_path, two_folders, linked_files, linked_folder, loop, hard_links)
}


def _company(write: Callable[[Specimen], None], *noted: str) -> Trait:
    def trait(it: Specimen) -> None:
        it.after.append(write)
        it.noted += noted

    return trait


def _litter(it: Specimen) -> None:
    folder = it.slices[0].path.parent
    (folder / "notes.txt").write_text("nothing of interest")
    (folder / "._000.dcm").write_bytes(b"\0\5\x16\7" + b"\0" * 60)  # as macOS leaves them
    (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0" * 100)
    (folder / "empty.txt").touch()
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.write(it.slices[0].path, "000.dcm")


def _object(modality: str | None, name: str, **header: object) -> Callable[[Specimen], None]:
    def write(it: Specimen) -> None:
        other = Specimen(it.folder, f"{it.scan_id}.77", it.patient_id, it.rng)
        other.slices[0].header |= {"Modality": modality, **header}
        other.slices[0].path = it.slices[0].path.parent / name
        other.write_slice(other.slices[0])

    return write


def _pipe(it: Specimen) -> None:
    os.mkfifo(it.folder / "pipe.dcm")


def _socket(it: Specimen) -> None:
    here = Path.cwd()
    os.chdir(it.folder)  # its name may be of 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as served:
            served.bind("socket.dcm")
    finally:
        os.chdir(here)


def second_series(it: Specimen) -> None:
    other = Specimen(it.slices[0].path.parent, f"{it.scan_id}.78", f"{it.patient_id}b", it.rng, ["second_series"])
    for number, each in enumerate(other.slices):
        each.path = each.path.parent / f"second-{number}{it.slices[0].path.suffix}"
    other.is_companion = True
    it.companions.append(other)


COMPANY = {
    "litter": _company(_litter),
    "localizer": _company(_object("CT", "scout.dcm", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), "a localizer"),
    "report": _company(_object("SR", "report.dcm"), "not a CT slice but SR"),
    "directory_record": _company(
        _object(None, "DICOMDIR", SOPClassUID=MediaStorageDirectoryStorage), "not a CT slice but a directory"
    ),
    "pipe": _company(_pipe, "a pipe or a device"),
    "socket": _company(_socket, "a pipe or a device"),
    "second_series": second_series,
}


def icon(it: Specimen) -> None:
    """Pixels within the header."""
    inner = Dataset()
    inner.Rows, inner.Columns, inner.BitsAllocated = 4, 4, 8
    inner.PixelData = b"\x55" * 16
    inner["PixelData"].VR = "OB"
    it.everywhere(IconImageSequence=[inner])


def _turned(x: int, y: int) -> Trait:
    def trait(it: Specimen) -> None:
        it.direction = (x, y)
        it.everywhere(ImageOrientationPatient=[x, 0, 0, 0, y, 0])

    return trait


def wrong_kinds_of_values(it: Specimen) -> None:
    it.everywhere(
        InstanceNumber=Raw("IS", b"four"),
        StudyDate=Raw("DA", b"yesterday!"),
        PatientAge=Raw("AS", b"old"),
        SliceThickness=Raw("DS", b"thin"),
        StudyInstanceUID=Raw("UI", b"not a UID\0"),
        PatientName=Raw("PN", b"\xff\xfe\x1b[31m"),
    )


def nothing_that_is_not_needed(it: Specimen) -> None:
    gone = ("SOPInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "PatientName", "InstanceNumber", "ImageType")
    it.everywhere(**dict.fromkeys(gone), SliceThickness=None, SamplesPerPixel=None)


def rounded_positions(it: Specimen) -> None:
    for each in it.slices:
        x, y, z = each.header["ImagePositionPatient"]
        each.header["ImagePositionPatient"] = [x, y, round(z + float(it.rng.uniform(-0.004, 0.004)), 3)]
    it.slices[0].header["ImagePositionPatient"] = [x, y, it.origin_mm[2]]
    it.last.header["ImagePositionPatient"] = [x, y, it.origin_mm[2] - 2.0 * (len(it.slices) - 1)]


def trailing_padding(it: Specimen) -> None:
    it.everywhere(DataSetTrailingPadding=b"\0" * 300)


HEADERS = {
    "icon": icon,
    "turned_both": _turned(-1, -1),
    "turned_x": _turned(-1, 1),
    "turned_y": _turned(1, -1),
    "wrong_kinds_of_values": wrong_kinds_of_values,
    "nothing_that_is_not_needed": nothing_that_is_not_needed,
    "rounded_positions": rounded_positions,
    "trailing_padding": trailing_padding,
}
