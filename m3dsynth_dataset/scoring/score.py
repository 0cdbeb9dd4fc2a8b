"""Scoring a submission: its predictions, one at a time, against what is true of the samples of a split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.errors import LabelsError, SubmissionError
from m3dsynth_dataset.metrics.bootstrap import DRAWS
from m3dsynth_dataset.schema import PRISTINE, SEALED, Split
from m3dsynth_dataset.scoring.judgement import Judgement, judgement
from m3dsynth_dataset.scoring.result import Subject
from m3dsynth_dataset.scoring.scorecard import Scorecard, scorecard
from m3dsynth_dataset.scoring.slab import slabs
from m3dsynth_dataset.scoring.truth import Truth, truths
from m3dsynth_dataset.submission.reading import Submission

if TYPE_CHECKING:
    from m3dsynth_dataset.release import Release
    from m3dsynth_dataset.scoring.labels import SealedLabels

PROTOCOLS = ("volume", "slab")
"""volume: the whole scan is judged; slab: 32 slices of it (:mod:`m3dsynth_dataset.scoring.slab`)."""


@dataclass(frozen=True)
class Score:
    """What scoring gave."""

    subject: Subject
    card: Scorecard
    judgements: tuple[Judgement, ...]
    """Of the split, in the order of the truth."""


def score(
    submission: Submission,
    release: "Release",
    split: str = "test",
    labels: "SealedLabels | None" = None,
    *,
    draws: int = DRAWS,
) -> Score:
    """Score a submission that was found valid. No volume is opened, and one map at a time is in memory.

    Where it has the pristine scans of validation, too, these set the threshold of Pd@1%; otherwise the split's own do.
    Other samples of validation may be there, and count nowhere.

    Args:
        submission: Predictions for every sample of the split.
        release: With the truth of the split, unless it is sealed.
        split: train, validation or test.
        labels: The truth of a sealed split.
        draws: Of the bootstrap.

    Raises:
        SubmissionError: If predictions are missing, doubled or of other samples, or the protocol is not known.
        LabelsError: If the labels are of another release.
        ValueError: If the release has no such split.
    """
    of_split = list(truths(release, split)) if labels is None else _sealed(labels, release, split)
    if any(truth.label == SEALED for truth in of_split):
        raise LabelsError(f"{release.name}: its {split} is sealed; score it with the labels (--labels FILE)")
    of_validation = [] if split == Split.VALIDATION else list(truths(release, Split.VALIDATION))
    protocol = _protocol(submission, is_sealed=labels is not None)
    places = slabs(of_split) | slabs(of_validation) if protocol == "slab" else {}
    found = _judge(submission, (*of_split, *of_validation), places)
    calibration = _complete(found, [truth for truth in of_validation if truth.label == PRISTINE])
    judgements = _all(found, of_split)
    card = scorecard(judgements, calibration=calibration or None, draws=draws)
    subject = Subject(
        _name(release),
        release.manifest.digest,
        _is_phantom(release, split),
        split,
        protocol,
        None if labels is None else labels.digest,
        submission.digest,
        len(judgements) + len(calibration),
        submission.metadata,
    )
    return Score(subject, card, tuple(judgements))


def _sealed(labels: "SealedLabels", release: "Release", split: str) -> list[Truth]:
    labels.check(release)
    if split != labels.split:
        raise LabelsError(f"the labels are of the {labels.split} split, {split} is to be scored; leave them out")
    return list(labels.truths)


def _protocol(submission: Submission, *, is_sealed: bool) -> str:
    protocol = submission.metadata.get("protocol", PROTOCOLS[0])
    if protocol not in PROTOCOLS:
        raise SubmissionError(f"{submission.path}: the protocol is one of {', '.join(PROTOCOLS)}, got {protocol!r}")
    if protocol == "slab" and is_sealed:
        raise SubmissionError(
            f"{submission.path}: where slabs lie tells where scans are tampered, so a sealed test has none; "
            "judge whole scans (protocol volume)"
        )
    return str(protocol)


def _judge(submission: Submission, known: Sequence[Truth], places: Mapping[str, Box]) -> dict[str, Judgement]:
    by_id = {truth.sample_id: truth for truth in known}
    found: dict[str, Judgement] = {}
    for prediction in submission.predictions({name: truth.shape for name, truth in by_id.items()}):
        if prediction.sample_id in found:
            raise SubmissionError(f"{submission.path}: {prediction.sample_id!r} is there twice")
        truth = by_id[prediction.sample_id]
        found[truth.sample_id] = judgement(truth, prediction, places.get(truth.sample_id))
    return found


def _complete(found: Mapping[str, Judgement], wanted: Sequence[Truth]) -> list[Judgement]:
    """Judgements of all that are wanted, or of none."""
    return _all(found, wanted) if any(truth.sample_id in found for truth in wanted) else []


def _all(found: Mapping[str, Judgement], wanted: Sequence[Truth]) -> list[Judgement]:
    missing = [truth.sample_id for truth in wanted if truth.sample_id not in found]
    if missing:
        raise SubmissionError(f"{len(missing)} samples have no prediction, such as {missing[0]!r}")
    return [found[truth.sample_id] for truth in wanted]


def _name(release: "Release") -> str:
    """Of a folder its name, wherever it lies; of one on the Hub what it is called there."""
    is_folder = Path(release.name) == release.path
    return release.path.resolve().name if is_folder else release.name


def _is_phantom(release: "Release", split: str) -> bool:
    configs = [config for config, splits in release.splits.items() if split in splits]
    return any("phantom" in release.rows(config, split, ["source"])["source"].to_pylist() for config in configs)
