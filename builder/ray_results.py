"""How jobs on a Ray cluster end: with a result, with an error of their own, or with their process or node."""

from collections.abc import Iterable, Iterator

from ray.exceptions import (
    LocalRayletDiedError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayTaskError,
    WorkerCrashedError,
)

from builder.engine import Result

RETRIES = 3
"""Of a job whose process or node is lost."""
LOST = (WorkerCrashedError, NodeDiedError, OutOfMemoryError, ObjectLostError, LocalRayletDiedError, RayActorError)


def cause_of(error: RayTaskError) -> Exception:
    """What a job raised itself, as it would have without Ray."""
    return error.cause if isinstance(error.cause, Exception) else error


def in_order(done: Iterable[tuple[int, Result]]) -> Iterator[Result]:
    """Results in the order of their numbers, each as soon as those before it are there."""
    kept: dict[int, Result] = {}
    following = 0
    for number, result in done:
        kept[number] = result
        while following in kept:
            yield kept.pop(following)
            following += 1
