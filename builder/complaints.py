"""What a decoder written in C complains of: libjpeg tells of a damaged stream on standard error only, and goes on."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

DAMAGE = re.compile(rb"Corrupt JPEG data[^\n]*|Premature end of JPEG[^\n]*")
STANDARD_ERROR = 2


@contextmanager
def complaints(listen: bool) -> Iterator[list[str]]:
    """Collect what is said of damage on standard error.

    GDCM tries its decoders one after the other, and each that is not for a stream says so: whatever else is said
    meanwhile is no news.

    Args:
        listen: Otherwise nothing is done.

    Yields:
        The complaints, once the block is left.
    """
    told: list[str] = []
    if not listen:
        yield told
        return
    kept = os.dup(STANDARD_ERROR)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), STANDARD_ERROR)
        try:
            yield told
        finally:
            os.dup2(kept, STANDARD_ERROR)
            os.close(kept)
            file.seek(0)
            told += [match.group().decode(errors="replace") for match in DAMAGE.finditer(file.read())]
