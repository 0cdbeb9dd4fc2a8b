"""Work spread over processes, in order, with a progress bar."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from joblib import Parallel, delayed
from tqdm import tqdm

Result = TypeVar("Result")


def each(
    function: Callable[..., Result], jobs: Sequence[tuple[Any, ...]], workers: int, *, description: str, unit: str
) -> Iterator[Result]:
    """Call a function with each job's arguments; results come in the order of the jobs.

    Args:
        function: Of a module, so that other processes find it.
        jobs: Arguments.
        workers: Processes; the results do not depend on their number.
        description: What the bar says.
        unit: What a job is.
    """
    with warnings.catch_warnings(), tqdm(total=len(jobs), desc=description, unit=unit, disable=None) as bar:
        # A worker that has grown is replaced by a fresh one. Scans differ in size, so that is no news.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
        for result in Parallel(n_jobs=workers, return_as="generator")(delayed(function)(*job) for job in jobs):
            bar.update()
            yield result
