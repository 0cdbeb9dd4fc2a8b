"""Read m3dsynth releases: lung CT scans with AI-injected and AI-removed nodules."""

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.builder import M3DSynth
from m3dsynth_dataset.crops import Crop, Crops
from m3dsynth_dataset.edit import Edit, EncodedEdit
from m3dsynth_dataset.errors import (
    DamagedReleaseError,
    FormatVersionError,
    HubAccessError,
    HubUnavailableError,
    ReleaseNotFoundError,
    UnknownSampleError,
)
from m3dsynth_dataset.release import Release, open_release
from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.schema import FEATURES, FORMAT_VERSION
from m3dsynth_dataset.volume import Geometry

__all__ = [
    "FEATURES",
    "FORMAT_VERSION",
    "Box",
    "Crop",
    "Crops",
    "DamagedReleaseError",
    "Edit",
    "EncodedEdit",
    "FormatVersionError",
    "Geometry",
    "HubAccessError",
    "HubUnavailableError",
    "M3DSynth",
    "Release",
    "ReleaseNotFoundError",
    "Sample",
    "UnknownSampleError",
    "open_release",
]
