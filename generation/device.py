"""Where torch works."""

import torch

from generation.errors import GenerationError


def chosen(name: str) -> torch.device:
    """The device that a word means on this machine.

    Args:
        name: auto (a GPU if there is one), cpu, cuda or cuda:N.

    Raises:
        GenerationError: If the word is none of these, or names a GPU that is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise GenerationError(f"device must be auto, cpu, cuda or cuda:N, got {name!r}") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise GenerationError(f"device is {name}, but torch finds {count or 'no'} GPU here; leave it out or say cpu")
    return device
