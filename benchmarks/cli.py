"""Judge detectors of tampered CT, and measure m3dsynth against the form in which M3Dsynth was published."""

import sys
from collections.abc import Sequence
from typing import Annotated

import tyro
from tyro.conf import subcommand

from benchmarks.commands.audit import Audit
from benchmarks.commands.deception import Deception
from benchmarks.commands.leaderboard import Leaderboard
from benchmarks.commands.malignancy import Malignancy
from benchmarks.commands.matrix import Matrix
from benchmarks.commands.perf import Perf
from benchmarks.commands.predict import Predict
from benchmarks.commands.probe import Probe
from benchmarks.commands.realism import Realism
from benchmarks.commands.seal import Seal
from benchmarks.commands.train import Train
from benchmarks.commands.version import Version
from benchmarks.commands.view import View
from benchmarks.errors import BenchmarkError
from m3dsynth_dataset import DamagedReleaseError, FormatVersionError, ReleaseNotFoundError
from m3dsynth_dataset.errors import SealedError

Command = (
    Annotated[Train, subcommand("train")]
    | Annotated[Predict, subcommand("predict")]
    | Annotated[Matrix, subcommand("matrix")]
    | Annotated[View, subcommand("view")]
    | Annotated[Seal, subcommand("seal")]
    | Annotated[Audit, subcommand("audit")]
    | Annotated[Realism, subcommand("realism")]
    | Annotated[Leaderboard, subcommand("leaderboard")]
    | Annotated[Probe, subcommand("probe")]
    | Annotated[Malignancy, subcommand("malignancy")]
    | Annotated[Deception, subcommand("deception")]
    | Annotated[Perf, subcommand("perf")]
    | Annotated[Version, subcommand("version")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; a user's mistake is one line on stderr and exit status 2."""
    command = tyro.cli(Command, args=arguments, prog="python -m benchmarks", description=__doc__)
    try:
        command.run()
    except (BenchmarkError, ReleaseNotFoundError, FormatVersionError, DamagedReleaseError, SealedError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
    return 0
