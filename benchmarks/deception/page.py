"""The page, rendered: one file, the picture and the style inside."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from benchmarks.deception.figures import GROUPS, percent
from benchmarks.deception.trial import Deception
from benchmarks.html_page import inline_png, templates_in
from m3dsynth_dataset.schema import CONTROL

TEMPLATES = Path(__file__).with_name("templates")


def render(found: Deception, picture: bytes) -> str:
    """The page.

    Args:
        found: What it tells of.
        picture: The histograms, PNG.
    """
    return (
        templates_in(TEMPLATES)
        .get_template("page.html")
        .render(
            found=found,
            groups=GROUPS,
            control=CONTROL,
            percent=percent,
            picture=inline_png(picture),
            style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
        )
    )
