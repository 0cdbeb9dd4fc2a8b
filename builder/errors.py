"""What goes wrong with a user's input. Each is also a builtin, so callers need not know these names."""

from pathlib import Path

from builder.finding import Finding


class BuilderError(ValueError):
    """A user's mistake: shown as one line, without a traceback."""


class AnnotationError(BuilderError):
    """An annotation database that is missing or of another shape."""


class SeriesError(BuilderError):
    """Files that do not make a scan. A build reports it and goes on; with ``--strict`` it stops.

    Args:
        path: The file or folder at fault.
        reason: What is wrong with it.
        remedy: What to do about it.
    """

    def __init__(self, path: Path, reason: str, remedy: str) -> None:
        self.finding = Finding(str(path), reason, remedy)
        super().__init__(str(self.finding))

    def __reduce__(self) -> tuple[type, tuple[Path, str, str]]:
        """To travel back from a worker process."""
        return type(self), (Path(self.finding.path), self.finding.reason, self.finding.remedy)
