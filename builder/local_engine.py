"""The engine of one machine: its processes, and its GPU."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from builder.engine import Held, Job, Result, Tool
from builder.workers import each, in_order


@dataclass(frozen=True)
class LocalEngine:
    """Processes of this machine."""

    workers: int = 1

    def each(
        self,
        function: Callable[..., Result],
        jobs: Sequence[Job],
        *,
        description: str,
        unit: str,
        lost: Callable[..., Result] | None = None,
    ) -> Iterator[Result]:
        """Call a function with each job's arguments."""
        return each(function, jobs, self.workers, description=description, unit=unit, lost=lost)

    def device(self, word: str) -> str:
        """The device that a user's word means here."""
        from generation.device import chosen

        return str(chosen(word))

    @contextmanager
    def crew(self, device: str) -> Iterator["LocalCrew"]:
        """As many as there are cores to work on; a GPU is served by this process alone."""
        yield LocalCrew(self.workers if device == "cpu" else 1)


@dataclass(frozen=True)
class LocalCrew:
    """This process with its tool, or several with theirs."""

    workers: int
    _held: Held = field(default_factory=Held)

    def ask(self, make: Callable[[], Tool], function: Callable[[Tool], Result]) -> Result:
        """What a function finds out about a tool."""
        return function(self._held.made_by(make))

    def each(self, make: Callable[[], Tool], function: Callable[..., Result], jobs: Sequence[Job]) -> Iterator[Result]:
        """Call a function with a tool and each job's arguments."""
        if min(self.workers, len(jobs)) <= 1:
            return (function(self._held.made_by(make), *job) for job in jobs)
        calls = [(make, function, job) for job in jobs]
        return in_order(_with_tool, calls, min(self.workers, len(jobs)), name="batch of cubes")


_HELD = Held()
"""By this process, if it is a worker: it meets many jobs."""


def _with_tool(make: Callable[[], Tool], function: Callable[..., Result], job: Job) -> Result:
    return function(_HELD.made_by(make), *job)
