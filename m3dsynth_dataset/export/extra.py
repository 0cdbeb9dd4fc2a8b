"""The libraries of extras such as ``export``, loaded when a file is written with them."""

from importlib import import_module
from types import ModuleType

from m3dsynth_dataset.errors import MissingExtraError


def need(library: str, purpose: str, extra: str = "export") -> ModuleType:
    """Import a library.

    Args:
        library: Its name in Python.
        purpose: What it is for, such as ``DICOM files are written with``.
        extra: Of m3dsynth, which brings it.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        return import_module(library)
    except ModuleNotFoundError as error:
        if error.name != library:
            raise
        raise MissingExtraError(
            f"{purpose} {library}, which is not installed: pip install 'm3dsynth[{extra}]'"
        ) from error
