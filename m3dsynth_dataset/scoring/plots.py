"""A score as pictures: the curve near 1 % false alarms, what scores there are, every group, and calibration."""

import math
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from m3dsynth_dataset.export.extra import need
from m3dsynth_dataset.metrics import Interval
from m3dsynth_dataset.scoring.contest import RATE
from m3dsynth_dataset.scoring.judgement import Judgement
from m3dsynth_dataset.scoring.score import Score
from m3dsynth_dataset.scoring.table import TITLES
from m3dsynth_dataset.staging import staged

COLOURS = {"pristine": "#0072b2", "tampered": "#d55e00", "control": "#009e73"}
"""Of Okabe and Ito: told apart by everybody."""
_DASHES = {"none": "-", "injection": "-", "removal": "--"}
_GREY = "#555555"
_DPI = 120

Axes = Any
"""Of matplotlib, which the reader does without."""


def write_plots(score: Score, out: Path) -> list[Path]:
    """Draw ``roc.png``, ``scores.png``, ``groups.png`` and ``calibration.png``.

    Args:
        score: Of a submission.
        out: Folder; made if it is missing.

    Raises:
        MissingExtraError: If matplotlib is missing.
    """
    check_plots()
    figure = import_module("matplotlib.figure").Figure
    height = 1.2 + 0.42 * len(score.card.groups)
    plots: dict[str, tuple[Callable[[Any, Score], None], float, float]] = {
        "roc": (_roc, 8.5, 4.8),
        "scores": (_scores, 7.0, 5.2),
        "groups": (_groups, 13.0, height),
        "calibration": (_calibration, 5.0, 5.4),
    }
    found = []
    for name, (draw, width, tall) in plots.items():
        sheet = figure(figsize=(width, tall), layout="constrained")
        draw(sheet, score)
        found.append(out / f"{name}.png")
        with staged(found[-1]) as place:
            sheet.savefig(place, dpi=_DPI, format="png")
    return found


def check_plots() -> None:
    """See that pictures can be drawn.

    Raises:
        MissingExtraError: If matplotlib is missing.
    """
    need("matplotlib", "pictures are drawn with", "scoring")


def _title(score: Score) -> str:
    """One line; what a stranger wrote is cut, and no markup in it is followed."""
    detector = str(score.subject.metadata.get("detector", "submission"))
    printable = "".join(letter for letter in detector if letter.isprintable())[:40].replace("$", r"\$")
    return f"{printable} on {score.subject.split}" + (" (phantoms)" if score.subject.phantom else "")


def _of(score: Score, label: str) -> np.ndarray:
    return np.array([each.score for each in score.judgements if each.label == label], np.float64)


def _roc(sheet: Any, score: Score) -> None:  # noqa: ANN401
    """Over false alarms on a logarithmic axis; its left edge stands for none, which such an axis has no place for."""
    axes, pristine = sheet.subplots(), _of(score, "pristine")
    left = min(RATE / 10, 0.5 / len(pristine))
    for name, members in sorted(_groups_of(score).items()):
        style = _DASHES[members[0].manipulation]
        _curve(axes, np.array([each.score for each in members]), pristine, left, name, linewidth=1.4, linestyle=style)
    _curve(axes, _of(score, "tampered"), pristine, left, "overall", color="black", linewidth=2.2)
    axes.axvline(RATE, color=_GREY, linestyle=":", label="1 % false alarms")
    axes.plot(
        max(score.card.false_alarms, left), score.card.overall.pd.value, "o", color="black", markersize=7,
        clip_on=False, zorder=5, label=f"threshold set on\n{score.card.calibrated_on}",
    )  # fmt: skip
    axes.set(
        xscale="log", xlim=(left, 1), ylim=(-0.02, 1.02), title=_title(score), ylabel="tampered volumes detected",
        xlabel=f"false alarms on {len(pristine)} pristine scans (left edge: none)",
    )  # fmt: skip
    axes.grid(which="both", alpha=0.25)
    sheet.legend(fontsize=8, loc="outside right upper")


def _curve(axes: Axes, tampered: np.ndarray, pristine: np.ndarray, left: float, label: str, **style: Any) -> None:  # noqa: ANN401
    """In steps: what is detected at the smallest threshold with at most so many false alarms, as Pd@1% has it."""
    thresholds = np.sort(pristine)[::-1]
    misses = np.searchsorted(np.sort(tampered), thresholds, "right")
    alarms = np.arange(len(pristine) + 1) / len(pristine)
    axes.step(np.maximum(alarms, left), np.append(1 - misses / len(tampered), 1), where="post", label=label, **style)


def _groups_of(score: Score) -> dict[str, list[Judgement]]:
    groups: dict[str, list[Judgement]] = {}
    for each in score.judgements:
        if each.label == "tampered":
            groups.setdefault(each.group, []).append(each)
    return groups


def _scores(sheet: Any, score: Score) -> None:  # noqa: ANN401
    """One above the other, so that none hides another."""
    every = sheet.subplots(len(COLOURS), 1, sharex=True, sharey=True)
    edges = np.linspace(0, 1, 51)
    for axes, (label, colour) in zip(every, COLOURS.items(), strict=True):
        scores = _of(score, label)
        axes.hist(scores, edges, weights=np.full(len(scores), 100 / max(1, len(scores))), color=colour)
        axes.axvline(0.5, color=_GREY, linestyle=":", label="0.5, of accuracy")
        axes.axvline(score.card.threshold, color="black", linestyle="--", label="threshold of Pd@1%")
        axes.set(xlim=(0, 1), ylabel=f"% of {len(scores):,}\n{label}")
    every[0].set_title(_title(score))
    every[0].legend(fontsize=8)
    every[-1].set_xlabel("score")


def _groups(sheet: Any, score: Score) -> None:  # noqa: ANN401
    groups = score.card.groups
    rows = range(len(groups))
    for number, (axes, (name, title)) in enumerate(
        zip(sheet.subplots(1, len(TITLES), sharey=True), TITLES.items(), strict=True)
    ):
        values, reach = _lengths([getattr(figures, name) for figures in groups])
        colours = ["#333333" if row == 0 else "#7fb3d5" for row in rows]
        axes.barh(rows, values, xerr=reach, color=colours, error_kw={"ecolor": "#d55e00", "capsize": 3})
        axes.set(xlim=(0, 1.02), title=title)
        axes.grid(axis="x", alpha=0.25)
        if number == 0:
            axes.set_yticks(rows, [f"{figures.group} ({figures.tampered:,})" for figures in groups])
            axes.invert_yaxis()
    sheet.suptitle(f"{_title(score)}; lines: 95 % over patients", fontsize=10)


def _lengths(intervals: Sequence[Interval]) -> tuple[list[float], list[list[float]]]:
    """Of bars, and of the lines from their ends down and up; nothing where there is no figure."""
    known = [each if not math.isnan(each.value) else Interval(0, 0, 0) for each in intervals]
    down, up = [max(0, each.value - each.low) for each in known], [max(0, each.high - each.value) for each in known]
    return [each.value for each in known], [down, up]


def _calibration(sheet: Any, score: Score) -> None:  # noqa: ANN401
    above, below = sheet.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    filled = [each for each in score.card.calibration if each.count]
    above.plot([0, 1], [0, 1], color=_GREY, linestyle=":", label="scores that mean what they say")
    above.plot(
        [each.mean_score for each in filled], [each.share_tampered for each in filled], "o-", color=COLOURS["tampered"],
        label=f"error {score.card.calibration_error:.2f}", clip_on=False,
    )  # fmt: skip
    above.set(xlim=(0, 1), ylim=(0, 1), ylabel="share that is tampered", title=_title(score))
    above.legend(fontsize=8)
    bins = score.card.calibration
    below.bar([each.low for each in bins], [each.count for each in bins], 1 / len(bins), align="edge", color="#7fb3d5")
    below.set(xlabel="score (both kinds weigh the same)", ylabel="samples")
