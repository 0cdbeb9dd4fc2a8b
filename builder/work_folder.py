"""The folder in which a run keeps what is ready, should it be stopped."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def work_folder(out: Path, wanted: Path | None) -> Iterator[Path]:
    """The folder for what a run leaves to the next, should it be stopped.

    Args:
        out: What is being made; the folder lies beside it and goes when the run ends well.
        wanted: The user's own folder instead, which stays.
    """
    folder = wanted if wanted is not None else out.with_name(f"{out.name}.work")
    yield folder
    if wanted is None:
        shutil.rmtree(folder)
