"""What the nodes of a cluster must have in common: a work folder, the files to read, code and versions.

A node that has them not would not fail: it would find no scan where there is one, and the release would lack it.
"""

import os
import platform
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builder.code import packages_sha256
from builder.errors import BuilderError
from builder.versions import versions_of

PACKAGES = ("builder", "generation", "m3dsynth_dataset")
VERSIONED = (
    "m3dsynth", "numpy", "scipy", "SimpleITK", "zarr", "numcodecs", "pyarrow", "torch", "monai", "diffusers",
)  # fmt: skip
MARK = ".nodes."
"""Start of the name of the folder by which the work folder is known again. It is that of a staging folder, so one that
a killed build left is cleared away by the next."""


class NodeError(BuilderError):
    """A node of a cluster lacks what the others have."""


@dataclass(frozen=True)
class CommonGround:
    """What the machine has on which a build was started."""

    mark: Path
    """A folder in the work folder, whose name nobody else can know."""
    here: Path
    """The folder in which the build was started: from there its paths are told."""
    files: tuple[tuple[Path, int], ...]
    """Some of those that will be read, and their sizes."""
    versions: dict[str, str]

    def enter(self) -> None:
        """See that this machine has the work folder, and tell paths from where the build does.

        Raises:
            NodeError: If it has not.
        """
        if self.here.is_dir() and Path.cwd() != self.here:
            os.chdir(self.here)
        if not self.mark.is_dir():
            raise NodeError(_lacks(f"does not see the work folder {self.mark.parent}"))

    def check(self) -> str | None:
        """What this machine lacks, in words; None if nothing."""
        try:
            self.enter()
        except NodeError as error:
            return str(error)
        for path, size in self.files:
            if not path.is_file() or path.stat().st_size != size:
                return _lacks(f"does not see the file {path.absolute()} of {size:,} bytes")
        if differing := [name for name, found in _versions().items() if self.versions.get(name) != found]:
            told = ", ".join(f"{name} {_versions()[name]} instead of {self.versions.get(name)}" for name in differing)
            return f"node {socket.gethostname()} has {told}; give all nodes the same environment"
        return None


@contextmanager
def marked(work: Path, files: Sequence[Path]) -> Iterator[CommonGround]:
    """Mark the work folder, and tell what the nodes must have.

    Args:
        work: The work folder.
        files: Others that every node must see.
    """
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=MARK, dir=work.absolute()) as mark:
        sizes = tuple((path, path.stat().st_size) for path in files)
        yield CommonGround(Path(mark), Path.cwd(), sizes, _versions())


def _lacks(what: str) -> str:
    return (
        f"node {socket.gethostname()} {what}; put scans, weights, --work and --out on storage that all nodes mount at"
        " the same place"
    )


def _versions() -> dict[str, str]:
    code = packages_sha256(PACKAGES)[:12]
    return {"Python": platform.python_version(), **versions_of(VERSIONED), "code": code}
