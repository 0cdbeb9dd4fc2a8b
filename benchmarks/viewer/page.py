"""The two pages, rendered."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from benchmarks.html_page import templates_in

TEMPLATES = Path(__file__).with_name("templates")
FILTERS = ("generator", "manipulation", "split", "patient")


def render(name: str, about: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> str:
    """A page with its style and scripts inside.

    Args:
        name: Of the template.
        about: Name, digest, detector, and whether there are phantoms.
        lines: Of :meth:`benchmarks.viewer.exhibit.Exhibit.line`.
    """
    samples = list(lines)
    choices = {key: sorted({line[key] for line in samples}) for key in FILTERS}
    template = templates_in(TEMPLATES).get_template(name)
    return template.render(about=about, samples=samples, choices=choices, source=_source)


def _source(name: str) -> Markup:
    """A style sheet or a script of ours, as it is."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))
