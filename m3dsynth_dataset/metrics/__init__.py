"""How well tampering is detected and localised, each measure by one exact definition."""

from m3dsynth_dataset.metrics.bootstrap import Interval, interval
from m3dsynth_dataset.metrics.calibration import Calibration, calibration
from m3dsynth_dataset.metrics.detection import (
    OperatingPoint,
    auc,
    balanced_accuracy,
    equal_error_rate,
    false_alarm_rate,
    pd_at,
    threshold_at,
)
from m3dsynth_dataset.metrics.localisation import Overlap, oracle_f1, overlap
from m3dsynth_dataset.metrics.roc import Roc, roc

__all__ = [
    "Calibration",
    "Interval",
    "OperatingPoint",
    "Overlap",
    "Roc",
    "auc",
    "balanced_accuracy",
    "calibration",
    "equal_error_rate",
    "false_alarm_rate",
    "interval",
    "oracle_f1",
    "overlap",
    "pd_at",
    "roc",
    "threshold_at",
]
