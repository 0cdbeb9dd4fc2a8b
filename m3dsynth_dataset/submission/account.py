"""What validating a submission found, in words and for programs."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from m3dsynth_dataset.release import open_release
from m3dsynth_dataset.staging import staged
from m3dsynth_dataset.submission.validation import expected_of, validate
from m3dsynth_dataset.verification.finding import Finding

SHOWN = 100
"""Findings that are printed; a file has them all."""


@dataclass(frozen=True)
class Account:
    """Of one submission."""

    submission: str
    release: str
    release_digest: str
    split: str
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, submission: Path, release: str, split: str) -> "Account":
        """Validate a submission to a split of a release.

        Raises:
            SubmissionNotFoundError: If there is none.
            SubmissionError: If the release has no such split.
        """
        expected = expected_of(open_release(release), split)
        findings = tuple(validate(submission, expected))
        return cls(str(submission), release, expected.digest, split, findings)

    def text(self) -> str:
        """The findings, one a line, not more of them than can be read, and how many there are."""
        count = len(self.findings)
        if not count:
            return f"{self.submission}: sound; it can be scored on {self.split}"
        lines = [str(finding) for finding in self.findings[:SHOWN]]
        if count > SHOWN:
            lines.append(f"... and {count - SHOWN} more; --json FILE has them all")
        return "\n".join([*lines, f"{self.submission}: {count} finding{'s' if count > 1 else ''}"])

    def write(self, path: Path) -> None:
        """Write it as JSON, findings in the order in which they were made."""
        with staged(path) as place:
            place.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
