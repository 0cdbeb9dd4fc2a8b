"""Pages that need nothing else: templates that escape all they are told, and pictures inside."""

from base64 import b64encode
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def templates_in(folder: Path) -> Environment:
    """The templates of a folder."""
    return Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip


def inline_png(picture: bytes) -> str:
    """A PNG picture as a URL that holds it."""
    return f"data:image/png;base64,{b64encode(picture).decode('ascii')}"
