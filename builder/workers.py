"""Work spread over processes, in order, with a progress bar."""

import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import Any, TypeVar

from joblib import Parallel, delayed

from builder.errors import BuilderError
from builder.one_thread import one_blas_thread
from builder.progress import progress

Result = TypeVar("Result")
Job = tuple[Any, ...]

IN_FLIGHT_PER_WORKER = 2
"""Jobs that are handed out beforehand."""
LOOK_EVERY_S = 0.2


class WorkerLostError(BuilderError):
    """A job killed its worker process, and again when it was alone."""


def each(
    function: Callable[..., Result],
    jobs: Sequence[Job],
    workers: int,
    *,
    description: str,
    unit: str,
    lost: Callable[..., Result] | None = None,
) -> Iterator[Result]:
    """Call a function with each job's arguments; results come in the order of the jobs.

    A worker process that is killed (by the kernel when memory runs out, by a crash in a decoder) takes the others' jobs
    along. Those that were under way are then done again one at a time, each twice at most, and the rest goes on.

    Args:
        function: Of a module, so that other processes find it.
        jobs: Arguments.
        workers: Processes; the results do not depend on their number.
        description: What the bar says.
        unit: What a job is.
        lost: Gives, from a job's arguments, the result of one whose worker dies every time.

    Raises:
        WorkerLostError: If there is such a job and no ``lost``.
    """
    with progress(len(jobs), description, unit) as advance:
        for result in in_order(function, jobs, workers, name=f"{description}: {unit}", lost=lost):
            advance(1)
            yield result


def in_order(
    function: Callable[..., Result],
    jobs: Sequence[Job],
    workers: int,
    *,
    name: str,
    lost: Callable[..., Result] | None = None,
) -> Iterator[Result]:
    """The same without a bar; ``name`` is what an error calls a job."""
    done = 0
    while done < len(jobs):
        try:
            for result in _parallel(function, jobs[done:], workers):
                done += 1
                yield result
        except BrokenProcessPool:
            suspects = jobs[done : done + IN_FLIGHT_PER_WORKER * workers]
            for number, job in enumerate(suspects, done + 1):
                yield _alone(function, job, lost, f"{name} {number} of {len(jobs)}")
            done += len(suspects)


def _parallel(function: Callable[..., Result], jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    calls = (delayed(_call)(os.getpid(), function, job) for job in jobs)
    with warnings.catch_warnings():
        # A worker that has grown is replaced by a fresh one. Scans differ in size, so that is no news.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
        parallel = Parallel(n_jobs=workers, return_as="generator", pre_dispatch=IN_FLIGHT_PER_WORKER * workers)
        yield from parallel(calls)


def _alone(function: Callable[..., Result], job: Job, lost: Callable[..., Result] | None, name: str) -> Result:
    for _ in range(2):
        try:
            return next(_parallel(function, [job], 2))  # two, since one would be this very process
        except BrokenProcessPool:
            continue
    if lost is not None:
        return lost(*job)
    raise WorkerLostError(
        f"{name}: its worker process was killed twice, most likely for lack of memory; start again with fewer --workers"
    )


def _call(parent: int, function: Callable[..., Result], job: Job) -> Result:
    if os.getpid() != parent:
        _end_with(parent)
    with one_blas_thread():
        return function(*job)


@cache
def _end_with(parent: int) -> None:
    """Have this worker end when its parent is killed: it must not write into what the next build is reading."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, name="ends with its parent", daemon=True).start()
