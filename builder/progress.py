"""How far a stage is: a bar on a terminal, now and then a line in a log, both with rate and time left."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

LINE_EVERY_S = 30.0
"""Lines in a log."""


@contextmanager
def progress(total: int, description: str, unit: str) -> Iterator[Callable[[int], None]]:
    """Show how far a stage is.

    Args:
        total: How much there is to do.
        description: What is being done.
        unit: What is counted.

    Returns:
        To be called with how much more is done.
    """
    started = said = time.monotonic()
    done = 0

    def advance(count: int) -> None:
        nonlocal done, said
        done += count
        bar.update(count)
        if bar.disable and time.monotonic() - said >= LINE_EVERY_S:
            said = time.monotonic()
            line = tqdm.format_meter(done, total, said - started, prefix=description, unit=unit, ncols=0)
            tqdm.write(line, file=sys.stderr)

    with tqdm(total=total, desc=description, unit=unit, disable=None) as bar:
        yield advance
