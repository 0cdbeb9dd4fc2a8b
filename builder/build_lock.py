"""The lock on a folder that is being made: one build at a time.

The operating system holds it for as long as the process lives, so that of a build that was killed is free at once. On
network file systems it is as good as their `flock`: over NFS 4 it holds between machines while the lock service runs,
and the server frees that of a machine that died after its lease of about a minute and a half.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from builder.errors import BuilderError


class FolderInUseError(BuilderError):
    """Another process makes the same folder."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep every other process from making a folder.

    Args:
        folder: It need not be there yet; the lock lies beside it and goes at the end.

    Raises:
        FolderInUseError: If another process is at it.
    """
    place = folder.absolute().with_name(f".{folder.name}.lock")
    owner = place.with_name(f"{place.name}.owner")
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise FolderInUseError(
            f"{folder}: {_told(owner)} is making it; wait until it is done, or stop it and start this one again, "
            "which then goes on from there; another --out and --work can be built at the same time"
        ) from None
    try:
        owner.write_text(json.dumps(_me()), encoding="utf-8")  # who reads half of it knows enough
        yield
    finally:
        owner.unlink(missing_ok=True)
        place.unlink(missing_ok=True)  # while it is held: who opened it meanwhile sees that it is gone, and looks again
        lock.release()


def _me() -> dict[str, str | int]:
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(sep=" ", timespec="seconds"),
    }


def _told(owner: Path) -> str:
    try:
        who = json.loads(owner.read_text(encoding="utf-8"))
        return f"process {who['pid']} on {who['host']}, at work since {who['since']},"
    except (OSError, ValueError, KeyError):  # between its lock and its name
        return "another process"
