"""What a killed process leaves: staging folders, cleared away by whoever holds the lock next."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

STAGING = re.compile(r"\.(?P<name>.+)\.[a-z0-9_]{8}")
"""How :func:`m3dsynth_dataset.staging.staged` calls the folder in which ``name`` is made."""
RETIRED = "retired"
LEVELS = ("", "scans", "imported", "inpainted", "inpainted/*")
"""Where a work folder has staging folders."""


def clear_leftovers(*targets: Path) -> None:
    """Clear away the staging folders of files and folders that nobody is making any more.

    Where a process was killed between stepping an old folder aside and naming the new one, which was whole by then, the
    new one gets its name.
    """
    for target in targets:
        for staging in _staging_folders(target.absolute().parent, target.name):
            if not target.exists() and (staging / RETIRED).exists() and (staging / target.name).exists():
                (staging / target.name).rename(target)
            shutil.rmtree(staging)


def clear_work_folder(work: Path) -> None:
    """The same for everything in a work folder."""
    for level in LEVELS:
        for folder in sorted(work.glob(level)) if level else [work]:
            for staging in list(_staging_folders(folder)):
                clear_leftovers(folder / _name_of(staging))


def discard(folder: Path) -> None:
    """Remove a folder so that, whenever this is interrupted, none of it is left under its name."""
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
    folder.rename(aside / RETIRED)
    shutil.rmtree(aside)


def _staging_folders(parent: Path, name: str | None = None) -> Iterator[Path]:
    if not parent.is_dir():
        return
    for path in sorted(parent.glob(".*")):
        found = _name_of(path)
        if found and name in (None, found) and path.is_dir():
            held = {each.name for each in path.iterdir()}
            if held <= {found, RETIRED}:
                yield path


def _name_of(path: Path) -> str:
    match = STAGING.fullmatch(path.name)
    return match["name"] if match else ""
