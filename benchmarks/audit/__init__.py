"""The audit: what a detector could learn from a release without seeing a forgery.

Each check is a test with a verdict and a number. Some count what must not be, such as patients in two splits, and one
is enough. Others measure how well a simple classifier tells labels or splits from what is no forgery; these have an
interval by patient, count as a leak only above what luck reaches with so many patients and so many checks, and say how
much they could have seen.
"""

from benchmarks.audit.auditing import audit
from benchmarks.audit.report import Report

__all__ = ["Report", "audit"]
