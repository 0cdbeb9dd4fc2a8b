"""One thread a job: libraries that share a sum among threads round it in another way for every number of them."""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Have matrices multiplied by the calling thread alone, as numpy's BLAS does not by itself.

    Jobs lie side by side in processes of their own anyhow, so nothing is lost.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        yield
