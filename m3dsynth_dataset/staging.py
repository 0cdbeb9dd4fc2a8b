"""Writing beside, then renaming: nothing half written is ever found under a final name."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """A place beside ``path`` to write a file or a folder to.

    It takes the name ``path`` once the block has ended well, in place of what was there before. When the block
    raises, it is removed and what was there before stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        place = Path(folder, path.name)
        yield place
        _put(place, path, retired=Path(folder, "retired"))


def _put(place: Path, path: Path, retired: Path) -> None:
    # A folder cannot be renamed onto one that holds something: the old one steps aside first.
    if path.is_dir():
        path.rename(retired)
    try:
        place.replace(path)
    except OSError:
        if retired.exists():
            retired.rename(path)
        raise
