"""A reader of galleries: what their scripts hand to the page, and the voxels in it."""

import base64
import json
import zlib

import numpy as np

from m3dsynth_dataset.box import Box


def content(path):
    """What a script hands over."""
    text = path.read_text(encoding="ascii")
    call, _, rest = text.partition("(")
    assert call.startswith("m3d.")
    assert rest.endswith(");\n")
    return json.loads(rest[: -len(");\n")])


def box(block):
    """Where a block lies."""
    return Box(tuple(block["start"]), tuple(block["shape"]))


def voxels(block):
    """What a block holds."""
    data = zlib.decompress(base64.b64decode(block["data"]))
    if block["type"] == "uint8":
        return np.frombuffer(data, np.uint8).reshape(block["shape"])
    low, high = np.frombuffer(data, np.uint8).reshape(2, -1).astype(np.uint16)
    return (low | high << 8).view(np.int16).reshape(block["shape"])


def place_of(gallery, slug):
    """The place that a sample is shown at."""
    return content(gallery / "places" / f"{content(gallery / 'samples' / f'{slug}.js')['place']}.js")
