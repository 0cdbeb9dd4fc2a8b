"""``python -m builder publish``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg


@dataclass(frozen=True)
class Publish:
    """Put a release on the Hugging Face Hub, checked before and after; what was sent already is not sent again.

    Example: python -m builder publish m3dsynth ORG/m3dsynth --gated manual
    """

    release: Positional[Path]
    """Folder of the release."""
    repo_id: Annotated[Positional[str], arg(metavar="ORG/NAME")]
    """Data set on the Hub; made if it is missing."""
    private: bool = False
    """Make it visible to its owners only."""
    gated: Literal["auto", "manual"] | None = None
    """Ask who wants the files and what for, and let in whoever answers (auto) or whom its owners choose (manual)."""
    revision: str | None = None
    """Branch. Default: the main one."""
    message: str | None = None
    """Of the commit. Default: the release's digest."""
    quick: bool = False
    """Look at names and sizes only, before; all is checked afterwards."""
    yes: bool = False
    """Your own scans, or imported edits, may be public: whoever they belong to agrees."""

    def run(self) -> None:
        """Publish."""
        from builder.publish import PublishOptions, publish

        options = PublishOptions(
            self.private, self.gated, self.revision, self.message, quick=self.quick, may_pass_on=self.yes
        )
        print(publish(self.release, self.repo_id, options))
