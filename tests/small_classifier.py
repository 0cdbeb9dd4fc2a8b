"""A preset of the malignancy classifier that learns in a second or two."""

from dataclasses import replace

from benchmarks.malignancy.classifier import PRESETS

NAME = "small"
SMALL = replace(PRESETS["tiny"], side=16, voxel_mm=2.0, stem=4, widths=(8, 8, 8, 8), back=(8, 16), hidden=16, steps=40)


def add(monkeypatch):
    monkeypatch.setitem(PRESETS, NAME, SMALL)
