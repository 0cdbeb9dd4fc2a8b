"""What a training shows of itself while it runs: TensorBoard event files, and pictures of what it can do by now."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.image import imread
from torch.utils.tensorboard import SummaryWriter

logging.getLogger("tensorboard").setLevel(logging.ERROR)


class Journal:
    """Notes of one training in a folder.

    Args:
        folder: For the event files and ``samples/<step>.png``; what an earlier part of this training left stays.
        step: Where this part begins; notes from there on are replaced.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        self._folder = folder
        self._writer = SummaryWriter(str(folder), purge_step=step)

    def note(self, values: Mapping[str, float], step: int) -> None:
        """Write numbers down."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def picture_path(self, step: int) -> Path:
        """Where the picture of a step belongs."""
        return self._folder / "samples" / f"{step:06d}.png"

    def note_picture(self, path: Path, step: int) -> None:
        """Show a picture that lies at ``picture_path`` in TensorBoard too."""
        pixels = (imread(path)[..., :3] * 255).astype(np.uint8)
        self._writer.add_image("samples", pixels, step, dataformats="HWC")

    def close(self) -> None:
        """Write out what is still held back."""
        self._writer.close()
