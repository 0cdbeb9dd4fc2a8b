"""Errors that a caller may want to catch. Each is also a builtin."""


class ReleaseNotFoundError(FileNotFoundError):
    """There is no release at a path."""


class FormatVersionError(ValueError):
    """A release was written in a format that this version cannot read."""


class UnknownSampleError(LookupError):
    """A release has no sample of that name."""


class DamagedReleaseError(ValueError):
    """A file of a release is not what the release says it is."""
