"""The trial: classifiers, what they say of every site, and what that amounts to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.deception.figures import Figures, figures
from benchmarks.deception.judges import Judge, given, trained
from benchmarks.deception.scores import Change, changes
from benchmarks.errors import BenchmarkError
from benchmarks.malignancy import Options, Site, sites_of
from m3dsynth_dataset import Release
from m3dsynth_dataset.schema import CONTROL

FEW = 20
"""Patients, below which intervals are said to be wide."""
LEGEND = (
    "AUC: how often a site of a removal scores above a site of an injection, in per cent. Roles are exchanged where "
    "all of the interval lies above 50 before, and below 50 after.",
    "A decision is malignant from a probability of 0.5 on; shares are of the sites that were judged the other way "
    "before.",
    f"{CONTROL} is the control, which must change nothing.",
    "No classifier judges a patient that it has learned from. In brackets: 95 % intervals by patient.",
)


@dataclass(frozen=True)
class Deception:
    """What was found."""

    release_digest: str
    source: str
    """Of the scans."""
    split: str
    classifier: str
    """What it is, and what it has learned from."""
    classifiers: int
    """How many there are."""
    ratings: str
    patients: int
    of_train: int
    """Those of them whose nodules inpainters may have learned from."""
    left_out: int
    """Patients of the split from whom the classifier has learned."""
    changes: tuple[Change, ...]
    figures: tuple[Figures, ...]

    @property
    def about(self) -> str:
        """What was judged, by whom."""
        return (
            f"Release {self.release_digest[:16]} ({self.source or 'source unknown'}), {self.split}: {self.patients} "
            f"patients; {self.classifier}; {self.ratings}."
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """How the figures are to be read, and what a reader must know of them."""
        told = {
            "The scores of all classifiers are taken together as they are, which blurs every AUC a little.": (
                self.classifiers > 1
            ),
            f"{self.of_train} of the patients are of train: inpainters may have learned from their nodules, which the "
            "classifier that judges them has not.": self.of_train > 0,
            f"{self.left_out} patients are left out, from whom the classifier has learned.": self.left_out > 0,
            "Phantoms: readers' ratings here follow a formula of size, spiculation and texture.": (
                self.source == "phantom"
            ),
            f"{self.patients} patients are few: intervals are wide.": self.patients < FEW,
        }
        return (*LEGEND, *(note for note, holds in told.items() if holds))


def deception(
    release: Release, out: Path, *, split: str, options: Options, classifier: str | None = None, folds: int = 4
) -> Deception:
    """Ask a malignancy classifier about every site, before and after.

    Args:
        release: With injections and removals.
        out: Folder for classifiers that are trained.
        split: Whose patients are judged: train, validation, test or all. Without a classifier, one is trained on
            everybody else; for ``all``, several are, each on those whom the others judge.
        options: Of such trainings; ratings and device count in any case.
        classifier: File, folder or repository of weights.
        folds: How many are trained for ``all``.

    Raises:
        BenchmarkError: If the release has no edits of both kinds there, or nobody can be judged, or nothing learned;
            or if ``out`` is a file.
    """
    if out.exists() and not out.is_dir():
        raise BenchmarkError(f"{out}: is no folder; name another with --out")
    sites = sites_of(release)
    _check(release, sites, split)
    judges = (
        [given(classifier, sites, split, options)]
        if classifier
        else list(trained(release, sites, split, folds, out, options))
    )
    found = [change for judge in judges for change in changes(release, judge, options.ratings)]
    judged = {change.patient_id for change in found}
    wanted = {site.patient_id for site in sites if split in ("all", site.split)}
    return Deception(
        release_digest=release.manifest.digest,
        source=str(release.manifest.built.get("source", "")),
        split=split,
        classifier=_told(judges, classifier),
        classifiers=len(judges),
        ratings=str(options.ratings),
        patients=len(judged),
        of_train=len(judged & {site.patient_id for site in sites if site.split == "train"}),
        left_out=len(wanted - judged),
        changes=tuple(found),
        figures=tuple(figures(found)),
    )


def _check(release: Release, sites: Sequence[Site], split: str) -> None:
    for manipulation in ("injection", "removal"):
        if not any(site.manipulation == manipulation and split in ("all", site.split) for site in sites):
            raise BenchmarkError(
                f"{release.name}: no {manipulation} in {split!r}, and an exchange of roles takes both; take another "
                "--split, or a release of more patients"
            )


def _told(judges: Sequence[Judge], word: str | None) -> str:
    accounts = [judge.classifier.account for judge in judges]
    origins = [account.provenance for account in accounts if account]
    presets = ", ".join(dict.fromkeys(account.preset for account in accounts if account))
    counts = [
        f"{'-'.join(map(str, sorted({min(numbers), max(numbers)})))} {what}"
        for numbers, what in (
            ([origin.malignant for origin in origins], "malignant"),
            ([origin.benign for origin in origins], "benign nodules"),
            ([len(origin.patients) for origin in origins], "patients"),
        )
    ]
    several = f"{len(judges)} classifiers, each" if len(judges) > 1 else "one classifier,"
    named = f" ({word})" if word else ""
    return f"{several} preset {presets}{named}, trained on {counts[0]} and {counts[1]} of {counts[2]}"
