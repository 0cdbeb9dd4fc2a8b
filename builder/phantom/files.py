"""DICOM files that share most of a header: what they share is encoded once.

pydicom encodes every element; but encoding some 60 of them for every slice would take longer than drawing it.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Int16, UInt16
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import UID, ExplicitVRLittleEndian

from builder.phantom.identity import MAKER, implementation_uid

PREAMBLE = b"\0" * 128 + b"DICM"

Stored = Int16[np.ndarray, "rows columns"] | UInt16[np.ndarray, "rows columns"]


class Template:
    """A header of which a few elements vary.

    Args:
        shared: The elements that all files have in common.
        varying: Keywords of the others. Pixels are always among them.
    """

    def __init__(self, shared: Dataset, varying: Sequence[str]) -> None:
        self._kind = shared.SOPClassUID
        tags = sorted(tag for keyword in (*varying, "PixelData") if (tag := tag_for_keyword(keyword)) is not None)
        bounds = [0, *tags, 0xFFFFFFFF]
        self._tags = tags
        self._between = [_encoded(shared[low:high]) for low, high in pairwise(bounds)]

    def write(self, file: Path, varying: Dataset, pixels: Stored) -> None:
        """Write one file.

        Args:
            file: Where to.
            varying: The elements of this file, SOPInstanceUID among them.
            pixels: What goes into PixelData.
        """
        varying.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
        varying["PixelData"].VR = "OW"
        own = [_encoded(varying[tag : tag + 1]) for tag in self._tags]
        parts = [PREAMBLE, self._meta(varying.SOPInstanceUID), self._between[0]]
        for element, following in zip(own, self._between[1:], strict=True):
            parts += [element, following]
        file.write_bytes(b"".join(parts))

    def _meta(self, instance: str) -> bytes:
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = self._kind
        meta.MediaStorageSOPInstanceUID = UID(instance)
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.ImplementationClassUID = UID(implementation_uid("implementation"))
        meta.ImplementationVersionName = MAKER.upper()
        buffer = DicomBytesIO()
        write_file_meta_info(buffer, meta)
        return buffer.getvalue()


def _encoded(elements: Dataset) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, elements)
    return buffer.getvalue()
