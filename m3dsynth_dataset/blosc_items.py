"""Decompressing a part of a blosc buffer.

numcodecs has the function in its library but no longer in its Python interface. It is called there directly, if it
is there and does what it should; else the whole buffer is to be decompressed.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from numcodecs import blosc

GetItems = Callable[[bytes, int, int, ctypes.c_void_p], int]


def decode_items(data: bytes, first: int, count: int, dtype: np.dtype[Any]) -> np.ndarray | None:
    """Some items of a compressed buffer; only the blocks that hold them are decompressed.

    Args:
        data: A whole blosc buffer.
        first: Item to begin with.
        count: Items.
        dtype: Of an item; the buffer was compressed with this item size.

    Returns:
        The items, or None if this cannot be done here: decompress the whole buffer then.
    """
    if _GET_ITEMS is None:
        return None
    items = np.empty(count, dtype)
    done = _GET_ITEMS(data, first, count, ctypes.c_void_p(items.ctypes.data))
    return items if done == items.nbytes else None


def _find() -> GetItems | None:
    try:
        function = ctypes.CDLL(blosc.__file__).blosc_getitem
    except (OSError, AttributeError, TypeError):
        return None
    function.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
    function.restype = ctypes.c_int
    found: GetItems = function
    return found if _works(found) else None


def _works(function: GetItems) -> bool:
    """Whether it does what it should on a buffer of two blocks."""
    items = np.arange(4096, dtype=np.int16)
    data = blosc.compress(items, b"zstd", 1, blosc.SHUFFLE, 4096)
    part = np.zeros(100, np.int16)
    done = function(bytes(data), 2000, 100, ctypes.c_void_p(part.ctypes.data))
    return done == part.nbytes and bool((part == items[2000:2100]).all())


_GET_ITEMS = _find()
