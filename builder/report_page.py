"""The build report as a page: one file that needs nothing else and runs nothing."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

TEMPLATES = Path(__file__).parent / "templates"


def render_report(told: Mapping[str, Any]) -> str:
    """The text of the page.

    Args:
        told: As the JSON report has it. Names of files come from strangers: the template escapes all.
    """
    return _template().render(told)


@cache
def _template() -> Template:
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    templates.filters["duration"] = _duration
    return templates.get_template("report.html")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest:.0f} s" if minutes else f"{rest:.1f} s"
