"""Findings: what is wrong with a release, and what to do about it."""

from dataclasses import dataclass

COPY_AGAIN = "copy it again from where the release came from"


MADE_WRONG = "this is how the release was made, or it was changed since: get it anew, or tell its makers"


REMOVE = "remove it: readers may take it for a part of the release"


UPDATE = "install the version of m3dsynth that the release's card names"


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    place: str
    """A file's path in the release, or the id of a sample."""
    rule: str
    """What should be."""
    found: str
    """What is."""
    remedy: str

    @property
    def is_of_a_file(self) -> bool:
        """Whether the place is a file or folder, and not a sample."""
        return "/" not in self.place or self.place.startswith(("data/", "volumes/"))

    def __str__(self) -> str:
        line = f"{self.place}: {self.rule}; found {self.found}; {self.remedy}"
        # Names of files may hold anything, and messages of libraries have several lines.
        return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in " ".join(line.split()))


def message(error: Exception) -> str:
    """What an error says, with its kind."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def brief(value: object) -> str:
    """What stands in a file in place of what should; it may be anything, of any length and depth."""
    try:
        text = repr(value)
    except RecursionError:
        text = f"a deep {type(value).__name__}"
    return text if len(text) <= 200 else f"{text[:200]}..."
