"""Shortcuts: how well simple classifiers tell labels and splits from what is no forgery."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.audit.chance import HARMLESS_AUC, LEVEL, Features, Telling, telling
from benchmarks.audit.survey import Row, Survey
from benchmarks.audit.verdict import Check, Verdict, unmeasured
from m3dsynth_dataset.schema import Split

NO_LABELS = "pristine and tampered rows are not both there"
SEALED_LABELS = "its labels are sealed; whoever keeps them can audit the release before it is sealed"


@dataclass(frozen=True)
class Question:
    """What is to be told, from what."""

    name: str
    rule: str
    rows: Sequence[Row]
    features: Features
    labels: np.ndarray
    why_not: str
    """It cannot be measured, if the rows are of one label."""
    remedy: str
    decides: bool = True
    """Whether an answer is a leak."""

    def is_open(self) -> bool:
        """Whether there are two answers."""
        return bool(len(self.labels) and self.labels.any() and not self.labels.all())


def check_shortcuts(survey: Survey) -> Iterator[Check]:
    """Ask all questions; how many there are is counted in what luck may reach."""
    asked = [*questions(survey)]
    tests = sum(question.is_open() and question.decides for question in asked)
    for question in asked:
        yield answer(question, tests)


def answer(question: Question, tests: int) -> Check:
    """Ask a question.

    Args:
        question: What.
        tests: How many are asked.
    """
    name = question.name
    rule = f"{question.rule}: AUC not above chance, at a level of {LEVEL:.0%} for all such checks, nor {HARMLESS_AUC}"
    if not question.is_open():
        return unmeasured(name, question.rule, question.why_not)
    patients = [row["patient_id"] for row in question.rows]
    found = telling(question.features, question.labels.astype(bool), patients, tests=max(tests, 1))
    if not question.decides:
        return Check(name, question.rule, Verdict.PASS, _number(found), f"{found}; reported, not judged")
    if not found.is_measurable:
        return Check(name, rule, Verdict.NOT_MEASURABLE, _number(found), str(found))
    verdict = Verdict.LEAK if found.is_told else Verdict.PASS
    return Check(name, rule, verdict, _number(found), str(found), question.remedy if found.is_told else "")


def _number(found: Telling) -> float | None:
    return None if np.isnan(found.auc.value) else found.auc.value


def questions(survey: Survey) -> Iterator[Question]:
    """All of them, those that this release has no answer to included."""
    why = SEALED_LABELS if survey.is_sealed else NO_LABELS
    both, control = survey.of("pristine", "tampered"), survey.of("pristine", "control")
    tampered = np.array([row["label"] == "tampered" for row in both])
    yield Question(
        "label from the row's facts", "size, spacing, place of the scan and order of names do not tell the label",
        both, facts(both), tampered, why, "edit scans of every kind, and give all versions of a scan the same facts",
    )  # fmt: skip
    yield Question(
        "label from the seed", "the seed does not tell the label", both, _column([row["seed"] or 0 for row in both]),
        tampered if "imported" not in survey.release.manifest.built else np.zeros(0), why if "imported" not in
        survey.release.manifest.built else "the seeds of imported edits were not published, which is told by -1",
        "draw the seeds of pristine and tampered rows alike",
    )  # fmt: skip
    yield Question(
        "label from global statistics", "range, percentiles, mean and deviation of the scan do not tell the label",
        both, statistics(survey, both), tampered, why, "see which statistic does, below",
    )  # fmt: skip
    yield Question(
        "control from global statistics", "the same do not tell the control from pristine scans",
        control, statistics(survey, control), np.array([row["label"] == "control" for row in control]),
        SEALED_LABELS if survey.is_sealed else "pristine and control rows are not both there",
        "the pipeline changes whole scans; compare the control with its pristine scans",
    )  # fmt: skip
    for name in _names(survey, both):
        yield Question(
            f"label from the {name}", f"the {name} of the scan does not tell the label", both,
            _column([survey.statistics(row)[name] for row in both]), tampered, why,
            "see that the writer of edits neither clips, rescales nor shifts, and that edits stay in the scan's range",
        )  # fmt: skip
    scans = survey.of("pristine")
    yield Question(
        "split from the row's facts", "size, spacing, place of the scan and order of names do not tell the test",
        scans, facts(scans), np.array([row["split"] == Split.TEST for row in scans]),
        "its test is sealed, and has other names and origins by design" if survey.is_sealed
        else "there is no test, or nothing else", "draw the split by hash of the patient",
    )  # fmt: skip
    yield _position(survey)


def _position(survey: Survey) -> Question:
    """Injections are beside small nodules and removals at large ones, so places differ; pairs share theirs."""
    edited = survey.of("tampered")
    return Question(
        "manipulation from the place",
        "reported: how well the place in the scan tells injection from removal; tampered and pristine share it",
        edited,
        np.array([np.divide(row["centre_zyx"], row["shape_zyx"]) for row in edited]).reshape(-1, 3),
        np.array([row["manipulation"] == "injection" for row in edited]),
        SEALED_LABELS if survey.is_sealed else "there are not both",
        "",
        decides=False,
    )


def facts(rows: Sequence[Row]) -> Features:
    """What rows say of the scan, as numbers; names by their place in the alphabet."""
    columns = ("shape_zyx", "spacing_mm", "origin_mm", "direction")
    names = [{name: place for place, name in enumerate(sorted({row[key] for row in rows}))} for key in _NAMES]
    lines = [[*(value for column in columns for value in row[column]), *_places(row, names)] for row in rows]
    return np.array(lines, np.float64).reshape(len(rows), -1)


_NAMES = ("patient_id", "scan_id")


def _places(row: Row, names: Sequence[dict[Any, int]]) -> list[int]:
    return [places[row[key]] for key, places in zip(_NAMES, names, strict=True)]


def statistics(survey: Survey, rows: Sequence[Row]) -> Features:
    """Global statistics of samples."""
    return np.array([list(survey.statistics(row).values()) for row in rows], np.float64).reshape(len(rows), -1)


def _names(survey: Survey, rows: Sequence[Row]) -> list[str]:
    return list(survey.statistics(rows[0])) if rows else []


def _column(values: list[float]) -> Features:
    return np.array(values, np.float64).reshape(-1, 1)
