"""Copies of folders that take no room where the file system can link."""

import os
import shutil
from pathlib import Path


def link_tree(source: Path, target: Path) -> None:
    """Put a folder in a second place; its files are copied where they cannot be linked.

    Args:
        source: The folder.
        target: Its second place; must not exist.
    """
    shutil.copytree(source, target, copy_function=link_file)


def link_file(source: str | Path, target: str | Path) -> None:
    """Put a file in a second place, of which the folder exists; it is copied where it cannot be linked."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
