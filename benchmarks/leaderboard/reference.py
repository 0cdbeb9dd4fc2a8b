"""The paper's tables as rows to hold a board's against. They carry no rank: data, scorer and threshold differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.published import DETECTION, GENERATORS, IMAGE_SETS, LOCALISATION, PROBE, Cell, printed

PAPER = "https://arxiv.org/abs/2309.07973"

NAMES = {
    "xception": "Xception",
    "unet": "U-Net",
    "hp-fcn": "HP-FCN",
    "mantranet": "ManTraNet",
    "mvss-net": "MVSS-Net",
    "trufor": "TruFor",
}
"""Detectors of Table 3, in its order."""

SETS = {
    "progan": "ProGAN",
    "stylegan2": "StyleGAN2",
    "ldm": "LDM",
    "pix2pix": "Pix2Pix",
    "cyclegan": "CycleGAN",
    "dm": "DM",
}

MEASURES: dict[str, tuple[Mapping[str, Mapping[tuple[str, str], Cell]], int]] = {
    "f1": (LOCALISATION, 0),
    "iou": (LOCALISATION, 1),
    "accuracy": (DETECTION, 0),
    "pd": (DETECTION, 1),
}
"""Of Table 3: where each stands."""


@dataclass(frozen=True)
class Published:
    """A row of a published table."""

    name: str
    trained_on: str
    figures: Mapping[tuple[str, str], str]
    """As printed, in per cent, by measure and test set; without those that the paper does not give."""


def table_3() -> list[Published]:
    """Every detector by training set; rows train, columns test."""
    return [
        Published(
            title,
            train,
            {
                (measure, test): printed(table[detector][train, test][place])
                for measure, (table, place) in MEASURES.items()
                if detector in table
                for test in GENERATORS
            },
        )
        for detector, title in NAMES.items()
        for train in GENERATORS
    ]


def table_2() -> list[Published]:
    """The detector of synthetic photographs by training set, told where to look; rows train, columns test."""
    return [
        Published("Corvi et al.", train, {("accuracy", test): printed(PROBE[train, test]) for test in IMAGE_SETS})
        for train in IMAGE_SETS
    ]
