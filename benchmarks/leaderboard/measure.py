"""What entries are measured by, and how a figure is written."""

from m3dsynth_dataset.metrics import Interval
from m3dsynth_dataset.scoring.contest import RATE

MEASURES = {"f1": "F1", "iou": "IoU", "accuracy": "Balanced accuracy", "pd": "Pd@1%", "auc": "AUC"}
"""Of every group; more is better."""

CONTROL = "control"
"""False alarms on the control: of a whole entry; less is better."""

TITLES = {**MEASURES, CONTROL: "Control false alarms"}

RANKED_BY = "f1"
"""On the page as it opens."""


def per_cent(share: float) -> str:
    """In per cent, with one decimal, as the paper has it."""
    return f"{100 * share:.1f}"


def range_text(found: Interval) -> str:
    """The interval in per cent."""
    return f"{per_cent(found.low)}\N{EN DASH}{per_cent(found.high)}"


def fires_on_control(control: Interval | None) -> bool:
    """Whether the control's whole interval lies above the rate that the threshold allows for."""
    return control is not None and control.low > RATE
