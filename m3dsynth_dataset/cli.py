"""Look into m3dsynth releases: lung CT scans with AI-injected and AI-removed nodules."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import FlagCreatePairsOff, Positional, subcommand


@dataclass(frozen=True)
class Info:
    """Say what a release holds and how it was built: samples, scans, patients, bytes. Reads no volume.

    Example: m3dsynth info m3dsynth --json
    """

    release: Positional[Path]
    """Folder of the release."""
    json: bool = False
    """Print JSON, with every setting of the inpainters."""

    def run(self) -> int:
        """Print the summary."""
        from json import dumps

        from m3dsynth_dataset.summary import summarise

        summary = summarise(self.release.expanduser())
        print(dumps(summary.as_json(), indent=1) if self.json else summary.text())
        return 0


@dataclass(frozen=True)
class Verify:
    """Check every file, row, volume and edit of a release, and name all that is wrong. Changes nothing.

    Exit status: 0 if the release is sound, 1 if not, 2 if there is no release.

    Example: m3dsynth verify m3dsynth --quick
    """

    release: Positional[Path]
    """Folder of the release."""
    quick: bool = False
    """Look at names and sizes only."""
    workers: int = os.cpu_count() or 1
    """Threads; the result does not depend on it."""

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"--workers must be >= 1, got {self.workers}")

    def run(self) -> int:
        """Print the findings, one a line, and how many there are."""
        from tqdm import tqdm

        from m3dsynth_dataset.verification import verify

        count = 0
        for finding in verify(self.release.expanduser(), quick=self.quick, workers=self.workers):
            tqdm.write(str(finding))
            count += 1
        if count:
            print(f"{self.release}: {count} finding{'s' if count > 1 else ''}")
            return 1
        checked = "names and sizes are those of its manifest" if self.quick else "files, rows, volumes and edits agree"
        print(f"{self.release}: sound; {checked}")
        return 0


Command = Annotated[Info, subcommand("info")] | Annotated[Verify, subcommand("verify")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; a user's mistake is one line on stderr and exit status 2."""
    command = tyro.cli(Command, args=arguments, prog="m3dsynth", description=__doc__, config=(FlagCreatePairsOff,))
    try:
        status = command.run()
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever reads the lines, such as `head`, has enough of them
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ValueError, LookupError, OSError) as error:
        if not isinstance(error, _expected_errors()):
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _expected_errors() -> tuple[type[Exception], ...]:
    from m3dsynth_dataset.errors import (
        DamagedReleaseError,
        FormatVersionError,
        ReleaseNotFoundError,
        UnknownSampleError,
    )

    return DamagedReleaseError, FormatVersionError, PermissionError, ReleaseNotFoundError, UnknownSampleError
