"""The one place that says what a release looks like: configs, splits, columns, and how volumes are stored."""

from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import ClassLabel, Features, List, Value

FORMAT_VERSION = "1.1"
"""Of the release folder. A reader refuses another major version. Since 1.1 every chunk carries a checksum."""

LABELS = ("pristine", "tampered", "control")
MANIPULATIONS = ("none", "injection", "removal")

CONTROL = "identity"
"""The generator whose configs are the control: the whole pipeline without a generative model."""


class Split(StrEnum):
    """Who sees a patient."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class PatchEncoding(StrEnum):
    """What the bytes of a patch hold, before compression (blosc, zstd, byte shuffle; little-endian int16)."""

    RAW = "blosc"
    """The voxels themselves."""
    DELTA = "delta-blosc"
    """What they differ from the pristine voxels."""


PRISTINE = "pristine"
"""The config with one row per scan."""
ALL = "all"
"""The default config: pristine and every generator's rows, not the control's."""
SEALED = "sealed"
"""The config of a test whose labels are not in the release: of each scan one version, and nobody is told which.

Its rows have the scan's geometry; label, manipulation, generator and whatever says where an edit is are null.
"""


def config_name(generator: str, manipulation: str) -> str:
    """The config that a generator's edits of one kind stand in, such as ``dm-injection``."""
    return f"{generator}-{manipulation}"


def data_file(config: str, split: str) -> str:
    """Where the rows of a config and split lie, relative to the release."""
    return f"data/{config}/{split}-00000-of-00001.parquet"


def volume_path(scan_id: str) -> str:
    """Where a scan's volume lies, relative to the release."""
    return f"volumes/{scan_id}.zarr"


FEATURES = Features(
    {
        "sample_id": Value("string"),  # generator/site, such as dm/inj_12; pristine/<scan_id>
        "source": Value("string"),  # LIDC-IDRI, phantom, or the user's own
        "site_id": Value("string"),  # null for a pristine scan
        "scan_id": Value("string"),  # SeriesInstanceUID
        "patient_id": Value("string"),
        "label": ClassLabel(names=list(LABELS)),
        "manipulation": ClassLabel(names=list(MANIPULATIONS)),
        "generator": Value("string"),  # none for a pristine scan
        "centre_zyx": List(Value("int32"), length=3),  # voxels; null for a pristine scan
        "centre_mm": List(Value("float64"), length=3),  # x, y, z of the patient (LPS), as DICOM has them
        "shape_zyx": List(Value("int32"), length=3),
        "spacing_mm": List(Value("float64"), length=3),  # z, y, x
        "origin_mm": List(Value("float64"), length=3),  # x, y, z of the centre of voxel (0, 0, 0)
        "direction": List(Value("float64"), length=9),  # row-major 3 x 3; columns: the x, y, z index axes (ITK)
        "nodule_diameter_mm": Value("float32"),  # volume-equivalent; null where no nodule is known
        "malignancy": Value("float32"),  # mean over readers, 1 to 5
        "readers": Value("int32"),
        "box_start_zyx": List(Value("int32"), length=3),
        "box_shape_zyx": List(Value("int32"), length=3),
        "patch": Value("binary"),  # the box's voxels after the edit; see PatchEncoding
        "patch_encoding": Value("string"),
        "mask": Value("binary"),  # the box's voxels that came from the inpainter: bits, packed, zstd
        "base_sha256": Value("string"),  # of the pristine box, C order, little-endian int16
        "seed": Value("int64"),
        "weights_sha256": Value("string"),  # null where no weights were used
        "volume": Value("string"),  # path in the release
    }
)

ROWS_PER_GROUP = 16
"""Rows of a Parquet row group: a remote read of one row then fetches well under a megabyte."""
BINARY_COLUMNS = ("patch", "mask")

CHUNK = (16, 64, 64)
"""Voxels of a chunk of a volume along z, y, x; all chunks of a volume lie in one shard."""
BLOSC_BLOCK = 32_768
"""Bytes that are decompressed at once: four planes of a chunk, so that single slices read little."""
AIR_HU = np.int16(-1000)


def arrow_schema() -> pa.Schema:
    """The columns of every config, with the metadata from which ``datasets`` restores its features."""
    return FEATURES.arrow_schema


def class_index(names: tuple[str, ...], name: str) -> int:
    """The number that stands for a class label in the files."""
    return names.index(name)


def class_name(names: tuple[str, ...], index: int | None) -> str:
    """The class label that a number in the files stands for; ``sealed`` where they do not tell."""
    return SEALED if index is None else names[index]


def is_compatible(version: Any) -> bool:  # noqa: ANN401 - it comes from a file that may hold anything
    """Whether this reader understands a release of a format version: same number before the dot."""
    return str(version).split(".")[0] == FORMAT_VERSION.split(".")[0]
