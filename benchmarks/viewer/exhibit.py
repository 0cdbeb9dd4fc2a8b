"""Exhibits: samples as the pages show them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from benchmarks.viewer import verdict
from benchmarks.viewer.block import block
from benchmarks.viewer.facts import facts, notice
from benchmarks.viewer.place import Place, edited_place
from m3dsynth_dataset import Release
from m3dsynth_dataset.export.notice import PHANTOM
from m3dsynth_dataset.export.selection import Entry
from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.submission import Prediction


@dataclass(frozen=True, eq=False)
class Exhibit:
    """One sample."""

    slug: str
    """Its name in files and addresses."""
    entry: Entry
    release: Release
    prediction: Prediction | None = None

    @cached_property
    def sample(self) -> Sample:
        """The sample itself."""
        return self.release.sample(self.entry.sample_id)

    @cached_property
    def place(self) -> Place:
        """Where it is shown: at its edit, or for a pristine scan where the detector is most alarmed."""
        alarm = verdict.place_of_alarm(self.sample, self.prediction) if self.entry.label == "pristine" else None
        return alarm or edited_place(self.sample)

    def line(self) -> dict[str, Any]:
        """What the list of all samples says of it."""
        diameter = self.sample.row["nodule_diameter_mm"]
        return {
            "slug": self.slug,
            "id": self.entry.sample_id,
            "label": self.entry.label,
            "generator": self.entry.generator,
            "manipulation": self.entry.manipulation,
            "split": self.entry.split,
            "patient": self.entry.patient_id,
            "place": self.place.key,
            "diameter_mm": None if diameter is None else round(float(diameter), 1),
            "score": None if self.prediction is None else self.prediction.score,
            "phantom": self.entry.source == PHANTOM,
        }

    def page(self) -> dict[str, Any]:
        """What its own page gets beside its place."""
        return {
            "slug": self.slug,
            "place": self.place.key,
            "notice": notice(self.sample),
            "facts": [list(fact) for fact in facts(self.release, self.entry, self.sample)],
            "edit": self._edit(),
            "verdict": None if self.prediction is None else verdict.page(self.prediction, self.sample, self.place),
        }

    def _edit(self) -> dict[str, Any] | None:
        box = self.sample.mask.edited
        if box is None:
            return None
        return {
            "after": block(box.start, self.sample.ct[box.slices()]),
            "mask": block(box.start, self.sample.mask[box.slices()]),
        }
