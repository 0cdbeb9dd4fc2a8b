"""Exported DICOM as others read it, and as the standard wants it."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from highdicom._standard_utils import get_iod_module_map, get_module_attribute_map, get_sop_class_iod_map

NEWER_THAN_DCIODVFY = "(0x0008,0x001c)"
"""Synthetic Data came into the standard in 2023."""


def itk_image(folder):
    """A series as SimpleITK (GDCM) sorts and reads it: slices upwards."""
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(os.fspath(folder))
    return sitk.ReadImage(names)


def headers(folder):
    """The slices from the head down."""
    slices = [pydicom.dcmread(path) for path in sorted(Path(folder).iterdir())]
    return sorted(slices, key=lambda each: -each.ImagePositionPatient[2])


def hu(slices):
    """What pydicom makes of the pixels of slices."""
    return np.stack([pydicom.pixels.apply_modality_lut(each.pixel_array, each) for each in slices])


def shortcomings(dataset):
    """Attributes of type 1 without a value and of type 2 that are missing, in the mandatory modules of a dataset's IOD.

    The attributes and their types are those of the tables that highdicom derives from the standard. Functional groups
    are left out: each of their macros may stand in one of two places.
    """
    iod = get_sop_class_iod_map()[dataset.SOPClassUID]
    modules = [module["key"] for module in get_iod_module_map()[iod] if module["usage"] == "M"]
    modules = [module for module in modules if "functional-groups" not in module]
    attributes = get_module_attribute_map()
    return [
        f"{module}: {'/'.join([*attribute['path'], attribute['keyword']])} of type {attribute['type']}"
        for module in modules
        for attribute in attributes[module]
        if attribute["type"] in "12"
        for item in _items(dataset, attribute["path"])
        if attribute["keyword"] not in item or (attribute["type"] == "1" and _empty(item[attribute["keyword"]]))
    ]


def errors_of_dciodvfy(path):
    """What David Clunie's validator finds wrong; nothing where it is not installed."""
    if shutil.which("dciodvfy") is None:
        return None
    done = subprocess.run(["dciodvfy", os.fspath(path)], capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    assert any(line in ("CTImage", "Segmentation") for line in lines)  # it knew what it was
    return [line for line in lines if line.startswith("Error") and NEWER_THAN_DCIODVFY not in line]


def _items(dataset, path):
    if not path:
        return [dataset]
    return [item for inner in dataset.get(path[0]) or [] for item in _items(inner, path[1:])]


def _empty(element):
    return element.VM == 0 or (element.VR != "SQ" and element.value in ("", None))
