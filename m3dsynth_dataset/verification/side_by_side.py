"""Checks worked on side by side, with a progress bar."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tqdm import tqdm

Task = TypeVar("Task")


Result = TypeVar("Result")


def each_of(
    check: Callable[[Task], Result],
    tasks: Sequence[Task],
    workers: int,
    description: str,
    unit: str,
    size: Callable[[Task], int],
) -> Iterator[Result]:
    """The results of a check in the order of its tasks, worked on side by side, with a progress bar on a terminal."""
    pool = ThreadPoolExecutor(workers)
    bar = tqdm(total=sum(map(size, tasks)), desc=description, unit=unit, unit_scale=True, leave=False, disable=None)
    try:
        for task, result in zip(tasks, pool.map(check, tasks), strict=True):
            bar.update(size(task))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
        bar.close()
