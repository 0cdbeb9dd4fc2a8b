"""Errors that a caller may want to catch. Each is also a builtin."""


class ReleaseNotFoundError(FileNotFoundError):
    """There is no release at a path."""


class FormatVersionError(ValueError):
    """A release was written in a format that this version cannot read."""


class UnknownSampleError(LookupError):
    """A release has no sample of that name."""


class DamagedReleaseError(ValueError):
    """A file of a release is not what the release says it is."""


class HubAccessError(PermissionError):
    """A data set on the Hub is read only by those who were given access."""


class HubUnavailableError(ConnectionError):
    """A file of a release is not on this machine, and the Hub cannot be reached for it."""


class ExportError(ValueError):
    """A sample cannot be written to files of another form as wanted."""


class NotEnoughSpaceError(OSError):
    """A disk has less room than an export needs."""


class MissingExtraError(ImportError):
    """A library that only some need is not installed."""


class LabelsError(ValueError):
    """A file of sealed labels is damaged, or does not belong to the release that is scored."""


class SealedError(ValueError):
    """The truth of a sample is asked for that is sealed."""


class SubmissionError(ValueError):
    """A submission is not what the format says, or does not fit the release that it is held against."""


class SubmissionNotFoundError(SubmissionError, FileNotFoundError):
    """There is no submission at a path."""


class ResultError(ValueError):
    """A file is not the result of scoring a submission."""
