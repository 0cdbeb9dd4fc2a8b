"""Make m3dsynth releases: DICOM scans and readers' annotations in, a data set for `datasets` out."""

import errno
import sys
from collections.abc import Sequence
from typing import Annotated

import tyro
from tyro.conf import subcommand

from builder.commands.build import Build
from builder.commands.calibrate import Calibrate
from builder.commands.compare import Compare
from builder.commands.estimate import Estimate
from builder.commands.extract import Extract
from builder.commands.import_official import ImportOfficial
from builder.commands.perf import Perf
from builder.commands.phantom import Phantom
from builder.commands.plan import Plan
from builder.commands.publish import Publish
from builder.commands.rehearse import Rehearse
from builder.commands.show import Show
from builder.errors import BuilderError

Command = (
    Annotated[Phantom, subcommand("phantom")]
    | Annotated[Plan, subcommand("plan")]
    | Annotated[Compare, subcommand("compare")]
    | Annotated[Calibrate, subcommand("calibrate")]
    | Annotated[Extract, subcommand("extract")]
    | Annotated[Build, subcommand("build")]
    | Annotated[ImportOfficial, subcommand("import-official")]
    | Annotated[Show, subcommand("show")]
    | Annotated[Publish, subcommand("publish")]
    | Annotated[Rehearse, subcommand("rehearse")]
    | Annotated[Estimate, subcommand("estimate")]
    | Annotated[Perf, subcommand("perf")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; a user's mistake is one line on stderr and exit status 2."""
    command = tyro.cli(Command, args=arguments, prog="python -m builder", description=__doc__)
    try:
        command.run()
    except (ValueError, LookupError, OSError) as error:
        if not isinstance(error, _expected_errors()) and not _says_full_disk(error):
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


def _says_full_disk(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _expected_errors() -> tuple[type[Exception], ...]:
    from generation.errors import GenerationError
    from m3dsynth_dataset.errors import (
        DamagedReleaseError,
        FormatVersionError,
        ReleaseNotFoundError,
        UnknownSampleError,
    )

    return (
        BuilderError,
        GenerationError,
        DamagedReleaseError,
        FormatVersionError,
        ReleaseNotFoundError,
        UnknownSampleError,
    )
