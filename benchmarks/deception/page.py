"""The page, rendered: one file, the picture and the style inside."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from benchmarks.deception.figures import GROUPS, percent
from benchmarks.deception.trial import Deception
from m3dsynth_dataset.schema import CONTROL

TEMPLATES = Path(__file__).with_name("templates")


def render(found: Deception, picture: bytes) -> str:
    """The page.

    Args:
        found: What it tells of.
        picture: The histograms, PNG.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template("page.html").render(
        found=found,
        groups=GROUPS,
        control=CONTROL,
        percent=percent,
        picture=f"data:image/png;base64,{b64encode(picture).decode('ascii')}",
        style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
    )
