"""The libraries of the extra ``export``, loaded when a file is written with them."""

from importlib import import_module
from types import ModuleType

from m3dsynth_dataset.errors import MissingExtraError


def need(library: str, purpose: str) -> ModuleType:
    """Import a library.

    Args:
        library: Its name in Python.
        purpose: What it is for, such as ``DICOM files are written with``.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        return import_module(library)
    except ModuleNotFoundError as error:
        if error.name != library:
            raise
        raise MissingExtraError(
            f"{purpose} {library}, which is not installed: pip install 'm3dsynth[export]'"
        ) from error
