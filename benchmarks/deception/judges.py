"""Who judges whom: a classifier never judges a patient that it has learned from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.malignancy import MalignancyClassifier, Options, Ratings, Site, train
from benchmarks.malignancy.classifier import opened
from m3dsynth_dataset import Release


@dataclass(frozen=True)
class Judge:
    """A classifier, and the sites that it judges."""

    classifier: MalignancyClassifier
    sites: tuple[Site, ...]

    def __post_init__(self) -> None:
        account = self.classifier.account
        assert account is not None
        known = sorted({site.patient_id for site in self.sites} & set(account.provenance.patients))
        if known:
            raise BenchmarkError(f"the classifier has learned from {known[0]}, whom it is to judge")


def trained(
    release: Release, sites: Sequence[Site], split: str, folds: int, out: Path, options: Options
) -> Iterator[Judge]:
    """Classifiers that are trained for the purpose, each on everybody whom it does not judge.

    Args:
        release: To learn from.
        sites: All of it.
        split: Whom to judge: the patients of one split, or ``all`` for everybody in turn.
        folds: How many turns.
        out: Folder for the classifiers.
        options: Of the trainings.

    Raises:
        BenchmarkError: If there are too few patients.
    """
    groups = (
        folded(sites, folds, options.ratings)
        if split == "all"
        else [frozenset(site.patient_id for site in sites if site.split == split)]
    )
    for number, judged in enumerate(groups):
        folder = out / f"classifier-{number}" if split == "all" else out / "classifier"
        mine = tuple(site for site in sites if site.patient_id in judged)
        others = [site for site in sites if site.patient_id not in judged]
        yield Judge(train(release, others, folder, options), mine)


def given(word: str, sites: Sequence[Site], split: str, options: Options) -> Judge:
    """A classifier that the user names, for those of a split from whom it has not learned.

    Args:
        word: File, folder or repository of its weights.
        sites: All of a release.
        split: train, validation, test or all.
        options: Of which the device counts.

    Raises:
        BenchmarkError: If there is no such classifier, or nobody is left.
    """
    classifier = opened(word).to(options.device)
    assert classifier.account is not None
    known = set(classifier.account.provenance.patients)
    wanted = [site for site in sites if split in ("all", site.split)]
    mine = tuple(site for site in wanted if site.patient_id not in known)
    if not mine:
        raise BenchmarkError(
            f"{word}: has learned from every patient of {split!r} who could be judged; take another split or classifier"
        )
    return Judge(classifier, mine)


def folded(sites: Sequence[Site], folds: int, ratings: Ratings) -> list[frozenset[str]]:
    """Patients in groups, drawn by hash; those with a malignant nodule are dealt first, so that each has its share.

    Raises:
        BenchmarkError: If there are fewer patients than groups.
    """
    has = {site.patient_id for site in sites if ratings.is_malignant(site.rating)}
    patients = sorted(
        {site.patient_id for site in sites}, key=lambda name: (name not in has, sha256(name.encode()).digest())
    )
    if not 2 <= folds <= len(patients):
        raise BenchmarkError(
            f"--folds must be from 2 to the number of patients with edits, {len(patients)}; got {folds}"
        )
    return [frozenset(patients[number::folds]) for number in range(folds)]
