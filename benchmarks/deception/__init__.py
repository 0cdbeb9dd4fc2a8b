"""Does an edit change a malignancy classifier's mind? Figure 3 of the M3Dsynth paper, and numbers."""

from benchmarks.deception.figures import faults
from benchmarks.deception.report import markdown, text, write_deception
from benchmarks.deception.trial import Deception, deception

__all__ = ["Deception", "deception", "faults", "markdown", "text", "write_deception"]
