"""Files in a form that GDCM reads rightly: it is given others in the place of those that it does not."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pydicom

from builder.series import Slice


@contextmanager
def readable(wanted: Slice) -> Iterator[Path]:
    """The file of a slice, or a stand-in, whose values :func:`rescaled` makes HU.

    Raises:
        ValueError: If no stand-in can be made.
    """
    if _is_plain(wanted) and _is_text(wanted.path):
        yield wanted.path
        return
    with tempfile.TemporaryDirectory() as folder:
        stand_in = Path(folder, "slice.dcm")
        if _is_plain(wanted):
            stand_in.symlink_to(wanted.path.absolute())
        else:
            _write_unscaled(wanted.path, stand_in)
        yield stand_in


def rescaled(wanted: Slice, values: np.ndarray) -> np.ndarray:
    """HU from what GDCM makes of the file that :func:`readable` gave it."""
    return values if _is_plain(wanted) else values * wanted.slope + wanted.intercept


def _is_plain(wanted: Slice) -> bool:
    """Whether GDCM rescales it; where values are turned over or raised, it may find no type that holds the result."""
    return wanted.slope > 0 and wanted.intercept <= 0


def _is_text(path: Path) -> bool:
    """Whether a name can be encoded: SimpleITK ends the whole process over one that cannot."""
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _write_unscaled(path: Path, stand_in: Path) -> None:
    """With a slope of 1, for :func:`rescaled` to do the rest."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path)
            dataset.RescaleSlope, dataset.RescaleIntercept = "1", "0"
            dataset.save_as(stand_in)
    except OSError:
        raise
    except Exception as error:  # whatever a stranger's bytes make of a parser
        raise ValueError(f"its header cannot be written anew: {error or type(error).__name__}") from error
