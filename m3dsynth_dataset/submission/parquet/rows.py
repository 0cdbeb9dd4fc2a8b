"""The rows of a stranger's Parquet file, one by one, unpacked in another process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from m3dsynth_dataset.errors import SubmissionError
from m3dsynth_dataset.submission.limits import MAX_ID_BYTES, MAX_PAGE_BYTES, MAX_TABLE_BYTES
from m3dsynth_dataset.submission.row import Row

_PROCESS = Path(__file__).with_name("process.py")
MEMORY = 1 << 30
"""Address space of the process, of which Python and pyarrow take a quarter."""
SECONDS = 60
"""Of its processor time; a gigabyte takes about one."""
_RECORD = 1 << 16
_QUIET = {
    # Memory that is taken as it is needed can be limited; arenas that are set aside cannot.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def unpack(file: BinaryIO, *, memory: int = MEMORY, seconds: int = SECONDS) -> Iterator[Row]:
    """The rows of a file, as they are asked for.

    Args:
        file: A real file, at its start; nobody else reads it meanwhile. Its footer and pages were checked.
        memory: Bytes that unpacking may take, where the system can limit them (Linux).
        seconds: Of processor time that it may take (not on Windows).

    Raises:
        SubmissionError: If it cannot be unpacked, or not within the limits.
    """
    arguments = map(str, (memory, seconds, MAX_TABLE_BYTES, MAX_ID_BYTES))
    # -P: the names beside the script are no modules for it.
    command = [sys.executable, "-P", str(_PROCESS), *arguments]
    with subprocess.Popen(
        command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | _QUIET
    ) as running:
        assert running.stdout is not None
        try:
            yield from _rows(running.stdout)
        except EOFError:
            raise SubmissionError(_epitaph(running.wait(), seconds)) from None
        finally:
            running.kill()


def _rows(stream: Any) -> Iterator[Row]:  # noqa: ANN401 (a pipe)
    number = 0
    while "sample_id" in (record := _record(stream)):
        size = record["heatmap"]
        heatmap = None if size is None else _exactly(stream, size, MAX_PAGE_BYTES)
        yield Row(number, record["sample_id"], record["score"], record["start"], record["shape"], heatmap)
        number += 1
    if "error" in record:
        raise SubmissionError(
            f"its rows cannot be unpacked ({record['error']}); write them again, in row groups of 64 rows"
        )


def _record(stream: Any) -> dict[str, Any]:  # noqa: ANN401 (a pipe)
    data = _exactly(stream, int.from_bytes(_exactly(stream, 4, 4), "little"), _RECORD)
    try:
        record: dict[str, Any] = json.loads(data)
    except ValueError as error:  # what a process writes that lost its mind
        raise EOFError from error
    return record


def _exactly(stream: Any, size: int, most: int) -> bytes:  # noqa: ANN401 (a pipe)
    if size > most:
        raise SubmissionError(f"a value of {size} bytes is larger than {most}, the most that is read")
    data: bytes = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _epitaph(status: int, seconds: int) -> str:
    """Why a process that did not finish has ended."""
    if status == -getattr(signal, "SIGXCPU", 0):
        return f"unpacking it takes more than {seconds} s of processor time"
    return f"it brings down the library that unpacks it (status {status}); write it again, in row groups of 64 rows"
