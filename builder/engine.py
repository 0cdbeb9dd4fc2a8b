"""Engines: what spreads the work of a build, over the processes of this machine or the nodes of a Ray cluster.

A build's result does not depend on its engine. Both call the same functions with the same arguments, whose results lie
in the work folder; who calls them, how often and in which order they end leaves no trace.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

from builder.common_ground import marked
from builder.errors import BuilderError

Result = TypeVar("Result")
Job = tuple[Any, ...]
Tool = Any
EngineName = Literal["local", "ray"]


@runtime_checkable
class Crew(Protocol):
    """Workers who each hold a tool that takes long to make, such as a network on a GPU.

    What makes a tool can be pickled and compared; a worker keeps the last one it made.
    """

    def ask(self, make: Callable[[], Tool], function: Callable[[Tool], Result]) -> Result:
        """What a function finds out about a tool."""
        ...

    def each(self, make: Callable[[], Tool], function: Callable[..., Result], jobs: Sequence[Job]) -> Iterator[Result]:
        """Call a function with a tool and each job's arguments; results come in the order of the jobs."""
        ...


@runtime_checkable
class Engine(Protocol):
    """What spreads work."""

    def each(
        self,
        function: Callable[..., Result],
        jobs: Sequence[Job],
        *,
        description: str,
        unit: str,
        lost: Callable[..., Result] | None = None,
    ) -> Iterator[Result]:
        """Call a function with each job's arguments; results come in the order of the jobs.

        Args:
            function: Of a module, so that other processes find it. It may be called twice for a job.
            jobs: Arguments.
            description: What the progress bar says.
            unit: What a job is.
            lost: Gives, from a job's arguments, the result of one whose process dies every time.

        Raises:
            WorkerLostError: If there is such a job and no ``lost``.
        """
        ...

    def device(self, word: str) -> str:
        """The device that a user's word means here: cpu, cuda or cuda:N."""
        ...

    def crew(self, device: str) -> AbstractContextManager[Crew]:
        """Workers for tools that work on a device, which is one from :meth:`device`."""
        ...


class Held:
    """The tool that a worker holds."""

    def __init__(self) -> None:
        self._make: Callable[[], Tool] | None = None
        self._tool: Tool = None

    def made_by(self, make: Callable[[], Tool]) -> Tool:
        """The tool; made anew if it was made by something else, once that one is let go."""
        if make != self._make:
            self._make = self._tool = None
            self._tool, self._make = make(), make
        return self._tool


@contextmanager
def engine_named(name: EngineName, workers: int, work: Path, files: Sequence[Path]) -> Iterator[Engine]:
    """The engine of a build, for as long as it is needed.

    Args:
        name: Of the engine.
        workers: Processes on this machine; a cluster has as many as it has cores.
        work: The work folder, which every node must see.
        files: Others that they must see.

    Raises:
        BuilderError: If the engine cannot be had, or a node lacks something.
    """
    if name == "local":
        from builder.local_engine import LocalEngine

        yield LocalEngine(workers)
        return
    try:
        from builder.ray_engine import ray_engine
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "ray":
            raise
        raise BuilderError('--engine ray needs Ray: pip install "m3dsynth[ray]"') from error
    with marked(work, files) as ground, ray_engine(workers, ground) as engine:
        yield engine
