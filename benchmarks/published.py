"""The figures of the M3Dsynth paper (Zingarini et al., ICASSP 2024), in per cent.

Table 3 is printed with the test set over groups of columns and the training set within a group; here a key is
(training set, test set).
"""

GENERATORS = ("pix2pix", "cyclegan", "dm")

Cell = tuple[float, float]

_PAIRS = tuple((train, test) for train in GENERATORS for test in GENERATORS)


def _table(rows: dict[str, tuple[Cell, ...]]) -> dict[str, dict[tuple[str, str], Cell]]:
    return {name: dict(zip(_PAIRS, cells, strict=True)) for name, cells in rows.items()}


LOCALISATION = _table(
    {
        "unet": ((44.5, 30.7), (34.4, 23.3), (46.9, 33.3), (39.7, 26.6), (57.5, 43.6), (49.1, 35.8), (35.5, 23.2),
                 (22.7, 15.5), (57.7, 43.6)),
        "hp-fcn": ((85.0, 75.3), (63.6, 49.8), (77.0, 64.9), (59.1, 43.4), (84.5, 75.3), (73.6, 61.9), (45.6, 31.3),
                   (36.4, 24.6), (84.9, 75.4)),
        "mantranet": ((87.0, 79.1), (74.8, 63.3), (83.2, 73.0), (66.5, 50.5), (85.5, 77.2), (81.8, 70.7),
                      (61.4, 45.5), (60.5, 47.4), (87.2, 78.5)),
        "mvss-net": ((81.4, 70.4), (74.7, 64.2), (79.5, 68.5), (63.2, 49.8), (86.2, 78.0), (72.8, 62.2), (56.8, 42.5),
                     (55.1, 44.1), (84.9, 75.4)),
        "trufor": ((89.9, 82.9), (79.0, 70.1), (84.4, 75.2), (68.1, 55.5), (88.2, 81.2), (76.9, 66.7), (68.0, 54.7),
                   (65.0, 54.1), (89.3, 82.0)),
    }
)  # fmt: skip
"""F1 and IoU, means over volumes (Table 3)."""

DETECTION = _table(
    {
        "xception": ((83.7, 99.8), (81.3, 86.1), (83.5, 97.7), (86.9, 95.2), (87.4, 99.2), (86.8, 94.1), (71.9, 80.3),
                     (64.1, 37.8), (71.9, 96.9)),
        "unet": ((52.9, 93.1), (52.1, 64.4), (52.9, 91.1), (60.3, 74.5), (60.6, 95.4), (60.3, 79.5), (53.7, 56.5),
                 (53.0, 29.2), (53.7, 96.8)),
        "hp-fcn": ((59.8, 45.6), (59.8, 43.1), (59.8, 45.4), (71.4, 50.8), (71.4, 52.0), (71.4, 51.4), (60.2, 31.7),
                   (60.3, 28.9), (60.4, 33.6)),
        "mantranet": ((52.7, 100), (52.7, 93.4), (52.7, 99.9), (56.6, 99.9), (56.6, 99.7), (56.6, 100), (52.8, 91.2),
                      (52.8, 87.3), (52.8, 100)),
        "mvss-net": ((73.0, 95.8), (72.1, 70.8), (73.0, 91.2), (92.5, 97.2), (92.7, 99.3), (92.6, 97.9), (75.4, 86.2),
                     (73.7, 67.4), (76.0, 99.3)),
        "trufor": ((95.0, 100), (93.3, 95.9), (95.0, 99.9), (95.8, 97.8), (96.0, 99.4), (96.0, 98.1), (94.3, 97.0),
                   (91.2, 89.1), (94.9, 99.6)),
    }
)  # fmt: skip
"""Balanced accuracy at 0.5, and Pd@1% with the threshold set on the test's own pristine scans (Table 3)."""

IMAGE_SETS = ("progan", "stylegan2", "ldm", *GENERATORS)
"""What Table 2 trains and tests on: synthetic photographs first, then tampered scans."""

PROBE = {
    (train, test): accuracy
    for train, row in {
        "progan": (99.9, 98.1, 57.1, 50.0, 47.1, 48.8),
        "stylegan2": (99.9, 100, 57.9, 50.4, 49.6, 52.0),
        "ldm": (50.8, 50.0, 100, 44.6, 44.5, 46.2),
        "pix2pix": (50.5, 49.0, 48.9, 99.5, 96.6, 95.8),
        "cyclegan": (49.5, 49.0, 49.9, 97.7, 98.5, 91.6),
        "dm": (50.9, 50.6, 50.7, 96.1, 92.8, 97.3),
    }.items()
    for test, accuracy in zip(IMAGE_SETS, row, strict=True)
}
"""Accuracy of the detector of Corvi et al. at a known place (Table 2); keys are (training set, test set)."""


def printed(figure: float) -> str:
    """A figure as the paper prints it: one decimal, but for 100."""
    return "100" if figure == 100 else f"{figure:.1f}"
