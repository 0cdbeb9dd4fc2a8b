"""Which patients are taken, and who sees them: drawn by hash from the annotation database, never from the scans.

A patient's lot depends on the patient's name and the seed alone, so nobody changes sides when a scan is missing,
when all patients are taken, or when a build runs elsewhere.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from m3dsynth_dataset.schema import Split

PUBLISHED = {Split.TRAIN: 488, Split.VALIDATION: 100, Split.TEST: 150}
TAKEN = sum(PUBLISHED.values())
"""738 patients."""


@dataclass(frozen=True)
class Draw:
    """The patients that are taken, each with a split; everybody else's split is known too."""

    drawn: dict[str, Split]
    seed: int

    def split_of(self, patient: str) -> Split:
        """The split of any patient, drawn or not."""
        if patient in self.drawn:
            return self.drawn[patient]
        lot = _lot(patient, self.seed) / 2**256 * TAKEN
        if lot < PUBLISHED[Split.TRAIN]:
            return Split.TRAIN
        return Split.VALIDATION if lot < TAKEN - PUBLISHED[Split.TEST] else Split.TEST


def draw_patients(qualifying: Iterable[str], seed: int) -> Draw:
    """Draw the published number of patients from those who qualify, or all of them where there are fewer.

    Args:
        qualifying: Patients with at least one site.
        seed: Another seed, another draw.
    """
    order = sorted(set(qualifying), key=lambda patient: _lot(patient, seed))[:TAKEN]
    drawn: dict[str, Split] = {}
    start = 0
    for split, count in _proportioned(len(order)).items():
        drawn |= dict.fromkeys(order[start : start + count], split)
        start += count
    return Draw(drawn, seed)


def _proportioned(total: int) -> dict[Split, int]:
    """The published proportion of the splits for any number of patients; none is empty from three patients on."""
    held_out = {
        split: max(round(total * PUBLISHED[split] / TAKEN), int(total > 2)) for split in (Split.VALIDATION, Split.TEST)
    }
    return {Split.TRAIN: total - sum(held_out.values()), **held_out}


def _lot(patient: str, seed: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{patient}".encode()).digest())
