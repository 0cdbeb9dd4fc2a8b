"""A score as lines of text, figures in per cent with their intervals."""

import math
from collections.abc import Sequence

from m3dsynth_dataset.metrics import Interval
from m3dsynth_dataset.scoring.result import MEASURES
from m3dsynth_dataset.scoring.score import Score
from m3dsynth_dataset.scoring.scorecard import Figures, Scorecard

TITLES = {"f1": "F1", "iou": "IoU", "pd": "Pd@1%", "accuracy": "accuracy", "auc": "AUC"}
WORST = "*"


def table(score: Score) -> str:
    """Overall, every group, and what a reader must know beside them."""
    blocks = [_facts(score), _figures(score.card), _beside(score.card)]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _facts(score: Score) -> list[str]:
    of, detector = score.subject, score.subject.metadata.get("detector")
    facts = {
        "submission": f"{of.submission[:16]}, {of.samples:,} predictions" + (f", {detector}" if detector else ""),
        "release": f"{of.release} {of.release_digest[:16]}" + (" (phantoms)" if of.phantom else ""),
        "scored": f"{of.split}, protocol {of.protocol}" + (f", sealed labels {of.labels[:16]}" if of.labels else ""),
    }
    return [f"{name:<10}  {value}" for name, value in facts.items()]


def _figures(card: Scorecard) -> list[str]:
    head = ("per cent", "tampered", "pristine", *TITLES.values(), "EER")
    worst = {name: card.worst(measure).group for name, measure in MEASURES.items()} if len(card.groups) > 2 else {}
    rows = [_row(figures, worst) for figures in card.groups]
    lines = _columns([head, *rows])
    return [*lines, f"{WORST} lowest of the groups; in brackets 95 % intervals over patients"]


def _row(figures: Figures, worst: dict[str, str]) -> tuple[str, ...]:
    cells = [
        _interval(getattr(figures, name)) + (WORST if worst.get(name) == figures.group else " ") for name in TITLES
    ]
    return figures.group, f"{figures.tampered:,}", f"{figures.pristine:,}", *cells, _percent(figures.eer)


def _beside(card: Scorecard) -> list[str]:
    found, parity = card.parity, card.overall.group
    lines = {
        "threshold": f"{card.threshold:.6g}, set on the pristine scans of {card.calibrated_on}; "
        f"it alarms on {_percent(card.false_alarms)} % of the pristine scans scored",
        "control": "none in this split"
        if card.control is None
        else f"{_interval(card.control)} % of its samples alarm; a detector that fires there has learned the pipeline",
        "parity": f"Pd@1% {_interval(found.pd[parity])} with the threshold {found.threshold:.6g} set on this split "
        f"(false alarms {_percent(found.false_alarms)}); interpolated {_percent(found.pd_interp[parity])}, "
        f"nearest {_percent(found.pd_nearest[parity])}; F1 at each map's best threshold "
        f"{_percent(found.oracle_f1[parity])}, permuted {_percent(found.permuted_f1[parity])}",
        "beside": f"pooled over voxels F1 {_percent(card.overall.pooled_f1)}, IoU {_percent(card.overall.pooled_iou)}; "
        f"F1 as a mean over patients {_percent(card.overall.patient_f1)}; "
        f"calibration error {_percent(card.calibration_error)}",
    }
    warnings = [f"warning: {warning}" for warning in card.warnings]
    return [*(f"{name:<10}  {line}" for name, line in lines.items()), *warnings]


def _interval(figure: Interval) -> str:
    if math.isnan(figure.value):
        return "-"
    return f"{_percent(figure.value)} ({100 * figure.low:.0f}-{100 * figure.high:.0f})"


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f}"


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """The first to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return lines
