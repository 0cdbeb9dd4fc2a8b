"""The folder in which a run keeps what is ready, should it be stopped."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builder.build_lock import locked
from builder.leftovers import clear_leftovers, clear_work_folder, discard


@contextmanager
def work_folder(out: Path, wanted: Path | None) -> Iterator[Path]:
    """The folder for what a run leaves to the next, should it be stopped; nobody else makes ``out`` meanwhile.

    Args:
        out: What is being made; the folder lies beside it and goes when the run ends well.
        wanted: The user's own folder instead, which stays.

    Raises:
        FolderInUseError: If another process makes ``out``, or works in the folder.
    """
    folder = wanted if wanted is not None else out.with_name(f"{out.name}.work")
    with locked(out), locked(folder):
        clear_leftovers(out, folder)
        clear_work_folder(folder)
        yield folder
        if wanted is None and folder.exists():
            discard(folder)
