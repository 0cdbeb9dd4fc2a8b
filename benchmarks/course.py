"""The course of a training: what it noted of itself, as TensorBoard events, as JSON, and as a picture."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from torch.utils.tensorboard import SummaryWriter

from benchmarks.run_folder import COURSE, CURVES
from m3dsynth_dataset.staging import staged

matplotlib.use("Agg")
logging.getLogger("tensorboard").setLevel(logging.ERROR)


class Course:
    """Notes of one training in its folder.

    Args:
        folder: Of the run.
        step: Where this part begins; what an earlier part noted before it stays.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        self._folder = folder
        self._writer = SummaryWriter(str(folder), purge_step=step)
        self._notes: dict[str, dict[int, float]] = {}
        if step and (folder / COURSE).is_file():
            for name, notes in json.loads((folder / COURSE).read_text(encoding="utf-8")).items():
                self._notes[name] = {int(at): value for at, value in notes.items() if int(at) < step}

    def note(self, values: Mapping[str, float], step: int) -> None:
        """Write numbers down."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
            self._notes.setdefault(name, {})[step] = value

    def save(self) -> None:
        """Write the notes and draw them."""
        with staged(self._folder / COURSE) as place:
            place.write_text(json.dumps(self._notes) + "\n", encoding="utf-8")
        with staged(self._folder / CURVES) as place:
            self._drawn().savefig(place, dpi=120, format="png")

    def close(self) -> None:
        """Write out what is still held back."""
        self.save()
        self._writer.close()

    def _drawn(self) -> Figure:
        figure = Figure(figsize=(5 * max(1, len(self._notes)), 3.5), layout="constrained")
        for axes, (name, notes) in zip(
            figure.subplots(1, max(1, len(self._notes)), squeeze=False)[0], self._notes.items(), strict=False
        ):
            axes.plot(list(notes), list(notes.values()))
            axes.set(title=name, xlabel="step")
            axes.grid(alpha=0.3)
        return figure
