"""Findings: what a build left out, and why."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line of the build report."""

    path: str
    """The file, folder or site it is about."""
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}; {self.remedy}"
