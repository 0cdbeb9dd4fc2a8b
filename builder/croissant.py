"""``croissant.json``: the release in the vocabulary that data set search engines and loaders read (Croissant 1.1)."""

import json
from typing import Any

from datasets import ClassLabel, List, Value

from builder.card import ATTRIBUTION, LICENCES, Counts, terms_of
from builder.responsible_use import responsible_use
from m3dsynth_dataset.configs import config_members
from m3dsynth_dataset.manifest import FileRecord
from m3dsynth_dataset.schema import FEATURES, FORMAT_VERSION, Split

CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
HOMEPAGE = "https://arxiv.org/abs/2309.07973"
CITATION = (
    "@inproceedings{zingarini2024m3dsynth, title={M3Dsynth: A dataset of medical 3D images with AI-generated local "
    "manipulations}, author={Zingarini, Giada and Cozzolino, Davide and Corvi, Riccardo and Poggi, Giovanni and "
    "Verdoliva, Luisa}, booktitle={ICASSP}, year={2024}}"
)
PARQUET = "application/x-parquet"
ZARR = "https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html"

COLUMNS = {
    "sample_id": "Generator and site, such as dm/inj_12; of a pristine scan, pristine and its scan_id.",
    "source": "Where the scan comes from: LIDC-IDRI, phantom, or the user's own.",
    "site_id": "The place of the edit; null for a pristine scan.",
    "scan_id": "SeriesInstanceUID of the pristine scan.",
    "patient_id": "Splits are by patient.",
    "label": "Class, by number.",
    "manipulation": "Class, by number.",
    "generator": "What filled the edit's core; none for a pristine scan.",
    "centre_zyx": "Centre of the edit, in voxels along z, y, x.",
    "centre_mm": "Centre of the edit, x, y, z in mm, in the patient's coordinates (LPS).",
    "shape_zyx": "Voxels of the scan along z, y, x.",
    "spacing_mm": "Distance between voxels along z, y, x, in mm.",
    "origin_mm": "Centre of voxel (0, 0, 0), x, y, z in mm (LPS).",
    "direction": "Direction cosines of the x, y, z index axes: a 3 x 3 matrix, row by row, as ITK has it.",
    "nodule_diameter_mm": "Volume-equivalent diameter of the nodule; null where no nodule is known.",
    "malignancy": "Mean of the readers' ratings, 1 to 5; null where no nodule is known.",
    "readers": "How many readers outlined the nodule.",
    "box_start_zyx": "First voxel of the edit's box along z, y, x. No voxel outside the box differs.",
    "box_shape_zyx": "Voxels of the edit's box along z, y, x.",
    "patch": "The box's voxels after the edit, compressed; bytes.",
    "patch_encoding": "blosc: the voxels themselves; delta-blosc: what they differ from the pristine ones.",
    "mask": "The box's voxels that came from the inpainter: packed bits, compressed with zstd; bytes.",
    "base_sha256": "Of the pristine box: C order, little-endian int16.",
    "seed": "Of all randomness at the site.",
    "weights_sha256": "Of the inpainter's weights; null where none were used.",
    "volume": "Path of the pristine volume in the release.",
}
"""What each column holds, in a sentence."""

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_DATA_TYPES = {
    "string": "sc:Text",
    # Croissant has no type for bytes; readers of text get the bytes as they are.
    "binary": "sc:Text",
    "int32": "cr:Int32",
    "int64": "cr:Int64",
    "float32": "cr:Float32",
    "float64": "cr:Float64",
}

Node = dict[str, Any]


def render_croissant(counts: Counts, built: dict[str, Any], digest: str, files: dict[str, FileRecord]) -> str:
    """The text of a release's croissant.json; the same release has the same text.

    All paths are relative to the file, so it holds wherever the folder lies.

    Args:
        counts: What the release holds.
        built: The manifest's account of how it came about.
        digest: Of the release; its version ends in it.
        files: Size and checksum of the release's other files.
    """
    source = built["source"]
    terms = terms_of(built)
    members = config_members({config for config, _ in counts})
    document = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": "m3dsynth" + ("-phantom" if source == "phantom" else ""),
        "description": f"{_description(source)} {ATTRIBUTION[terms].splitlines()[-1]}",
        "version": f"{FORMAT_VERSION}.0+{digest[:16]}",
        "license": LICENCES[terms].url,
        "url": HOMEPAGE,
        "citeAs": CITATION,
        "creator": {"@type": "sc:Organization", "name": "m3dsynth", "url": HOMEPAGE},
        "keywords": ["computed tomography", "deepfake detection", "image forensics", "lung nodule", "synthetic"],
        "isLiveDataset": False,
        **responsible_use(built),
        "distribution": [*_file_objects(files), *(_rows_of(*each) for each in members.items()), _volumes()],
        "recordSet": [_splits(counts), *(_record_set(name) for name in members)],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _description(source: str) -> str:
    kind = "Computed phantom chest CT scans" if source == "phantom" else "Chest CT scans"
    return (
        f"{kind} in which a generative model injected or removed a lung nodule, with the exact voxels that changed, "
        "and the same scans untouched. For training and judging detectors of medical deepfakes. Rows hold edits: a box "
        "of voxels to put into the pristine volume that the row names."
    )


def _file_objects(files: dict[str, FileRecord]) -> list[Node]:
    """Every file of rows, with its checksum."""
    return [
        {
            "@type": "cr:FileObject",
            "@id": path,
            "name": path,
            "contentUrl": path,
            "contentSize": f"{record.size} B",
            "encodingFormat": PARQUET,
            "sha256": record.sha256,
        }
        for path, record in sorted(files.items())
        if path.startswith("data/")
    ]


def _rows_of(config: str, parts: list[str]) -> Node:
    return {
        "@type": "cr:FileSet",
        "@id": f"rows-of-{config}",
        "name": f"rows of {config}",
        "description": f"The rows of the config {config}, one file for each split.",
        "encodingFormat": PARQUET,
        "includes": [f"data/{part}/*.parquet" for part in parts],
    }


def _volumes() -> Node:
    return {
        "@type": "cr:FileSet",
        "@id": "volumes",
        "name": "volumes",
        "description": "The pristine scans: int16 Hounsfield units, axes z, y, x, slice 0 the most cranial; one zarr "
        "v3 array with one shard for each. The column volume names a row's. manifest.json has their checksums.",
        "encodingFormat": ZARR,
        "includes": ["volumes/*.zarr/*"],
    }


def _splits(counts: Counts) -> Node:
    """The names of the splits that have rows."""
    present = [str(split) for split in Split if any(each == split for _, each in counts)]
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "Who sees a patient.",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [_named("splits", "name", "Of the split.") | {"dataType": "sc:Text"}],
        "data": [{"splits/name": name} for name in present],
    }


def _record_set(config: str) -> Node:
    return {
        "@type": "cr:RecordSet",
        "@id": config,
        "name": config,
        "description": f"The rows of the config {config}.",
        "key": {"@id": f"{config}/sample_id"},
        "field": [_split_field(config), *(_field(config, name, feature) for name, feature in FEATURES.items())],
    }


def _split_field(config: str) -> Node:
    return _named(config, "split", "Who sees the patient: the name of the row's file says it.") | {
        "dataType": "sc:Text",
        "source": {
            "fileSet": {"@id": f"rows-of-{config}"},
            "extract": {"fileProperty": "fullpath"},
            # Of a path, or of a name already: mlcroissant applies it twice where a field refers to another.
            "transform": {"regex": f"(?:data/.+/)?({'|'.join(Split)})(?:-.+\\.parquet)?$"},
        },
        "references": {"field": {"@id": "splits/name"}},
    }


def _field(config: str, name: str, feature: Value | ClassLabel | List) -> Node:
    """A column as a field."""
    node = _named(config, name, COLUMNS[name])
    if isinstance(feature, ClassLabel):
        classes = ", ".join(f"{number} {each}" for number, each in enumerate(feature.names))
        node |= {"description": f"{COLUMNS[name]} {classes}.", "dataType": "cr:Int64"}
    elif isinstance(feature, List):
        node |= {"dataType": _DATA_TYPES[feature.feature.dtype], "isArray": True, "arrayShape": str(feature.length)}
    else:
        node |= {"dataType": _DATA_TYPES[feature.dtype]}
    return node | {"source": {"fileSet": {"@id": f"rows-of-{config}"}, "extract": {"column": name}}}


def _named(config: str, name: str, description: str) -> Node:
    return {"@type": "cr:Field", "@id": f"{config}/{name}", "name": name, "description": description}
