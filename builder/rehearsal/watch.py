"""Memory and open files of a process and all that it starts, over time."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

LOOK_EVERY_S = 0.5
MIB = 2**20


@dataclass
class Watch:
    """What was seen, a value for each look."""

    seconds: list[float] = field(default_factory=list)
    total_mib: list[float] = field(default_factory=list)
    """Of all processes, shared pages counted once for each (resident set size)."""
    largest_mib: list[float] = field(default_factory=list)
    """Of the largest process."""
    open_files: list[int] = field(default_factory=list)
    """Of the process that has most."""

    def look(self, root: psutil.Process, begun: float) -> None:
        """Add what there is now."""
        seen = [found for process in _family(root) if (found := _seen(process)) is not None]
        if seen:
            self.seconds.append(round(time.monotonic() - begun, 2))
            self.total_mib.append(round(sum(size for size, _ in seen) / MIB, 1))
            self.largest_mib.append(round(max(size for size, _ in seen) / MIB, 1))
            self.open_files.append(max(files for _, files in seen))


@contextmanager
def watched(pid: int | None = None) -> Iterator[Watch]:
    """Watch a process and its descendants meanwhile.

    Args:
        pid: Its number; this one's when omitted.
    """
    watch, over, begun = Watch(), threading.Event(), time.monotonic()
    root = psutil.Process(pid or os.getpid())

    def keep_looking() -> None:
        while not over.is_set():
            watch.look(root, begun)
            over.wait(LOOK_EVERY_S)

    thread = threading.Thread(target=keep_looking, name="watch", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()


def _family(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _seen(process: psutil.Process) -> tuple[int, int] | None:
    try:
        return process.memory_info().rss, process.num_fds() if hasattr(process, "num_fds") else 0
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # it ended between two looks
        return None
