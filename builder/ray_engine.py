"""The engine of a cluster: Ray's tasks for a map over scans, its actors for what takes a GPU.

Ray says where a job runs, and runs it again elsewhere when its node is lost. All that is told here is what to run, how
much of it at a time, and what a job's end means.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError, TaskUnschedulableError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
from tqdm import tqdm

from builder.common_ground import CommonGround, NodeError
from builder.engine import Job, Result
from builder.errors import BuilderError
from builder.one_thread import one_blas_thread
from builder.progress import progress
from builder.ray_crew import RayCrew
from builder.ray_results import LOST, RETRIES, cause_of, in_order
from builder.workers import IN_FLIGHT_PER_WORKER, WorkerLostError

ADDRESS = "RAY_ADDRESS"
KNOCK_S = 10.0
OBJECT_STORE_BYTES = 2**28
"""On this machine: results are rows, and are fetched as they come. Ray's own choice is 30 % of the memory."""


@contextmanager
def ray_engine(workers: int, ground: CommonGround) -> Iterator["RayEngine"]:
    """Ray: the cluster at RAY_ADDRESS, the one that this process is connected to, or one on this machine.

    Args:
        workers: Cores to use on this machine, where there is no cluster.
        ground: What all nodes must have.

    Raises:
        BuilderError: If no cluster answers.
        NodeError: If a node lacks something.
    """
    ours = not ray.is_initialized()
    if ours:
        _connect(workers)
    try:
        _check_nodes(ground)
        engine = RayEngine(ground)
        tqdm.write(f"ray: {len(_nodes())} nodes, {cores()} cores, {gpus()} GPUs")
        yield engine
    finally:
        if ours:
            ray.shutdown()


@dataclass(frozen=True)
class RayEngine:
    """A cluster."""

    ground: CommonGround

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
        with progress(len(jobs), description, unit) as advance:
            yield from in_order(self._done(function, jobs, f"{description}: {unit}", lost, advance))

    def device(self, word: str) -> str:
        """The device that a user's word means on the nodes: Ray gives each actor a GPU, which is cuda to it."""
        if word == "auto":
            return "cuda" if gpus() else "cpu"
        if word == "cpu":
            return word
        if word != "cuda":
            raise BuilderError(f"with --engine ray, device must be auto, cpu or cuda, got {word!r}; Ray deals out GPUs")
        if not gpus():
            raise BuilderError("device is cuda, but no node of the Ray cluster has a GPU; leave it out or say cpu")
        return word

    @contextmanager
    def crew(self, device: str) -> Iterator[RayCrew]:
        """An actor for each GPU, or for each core."""
        crew = RayCrew(self.ground, on_gpu=device != "cpu", most=gpus if device != "cpu" else cores)
        try:
            yield crew
        finally:
            crew.dismiss()

    def _done(
        self,
        function: Callable[..., Result],
        jobs: Sequence[Job],
        name: str,
        lost: Callable[..., Result] | None,
        advance: Callable[[int], None],
    ) -> Iterator[tuple[int, Result]]:
        """Results as they come, with the numbers of their jobs."""
        call = ray.remote(num_cpus=1, max_retries=RETRIES)(_call)
        left = iter(enumerate(jobs))
        under_way: dict[Any, int] = {}
        try:
            while True:
                for number, job in islice(left, max(0, IN_FLIGHT_PER_WORKER * max(1, cores()) - len(under_way))):
                    under_way[call.remote(self.ground, function, job)] = number
                if not under_way:
                    return
                for reference in ray.wait(list(under_way))[0]:
                    number = under_way.pop(reference)
                    result = _value(reference, f"{name} {number + 1} of {len(jobs)}", lost, jobs[number])
                    advance(1)
                    yield number, result
        finally:
            for reference in under_way if ray.is_initialized() else ():
                ray.cancel(reference, force=True)


def _value(
    reference: Any,  # noqa: ANN401 - of a result of any type
    name: str,
    lost: Callable[..., Result] | None,
    job: Job,
) -> Result:
    """A result, or the error of a job as it was raised there."""
    try:
        result: Result = ray.get(reference)
    except RayTaskError as error:
        raise cause_of(error) from error
    except LOST as error:
        if lost is not None:
            return lost(*job)
        raise WorkerLostError(
            f"{name}: its process was lost {RETRIES + 1} times, most likely for lack of memory; start again with fewer"
            " cores per node (ray start --num-cpus)"
        ) from error
    return result


def cores() -> int:
    """Cores of all nodes that there are now."""
    return int(ray.cluster_resources().get("CPU", 0))


def gpus() -> int:
    """GPUs of all nodes that there are now."""
    return int(ray.cluster_resources().get("GPU", 0))


def _call(ground: CommonGround, function: Callable[..., Result], job: Job) -> Result:
    ground.enter()  # a node may have joined after the others were looked at
    with one_blas_thread():
        return function(*job)


def _connect(workers: int) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    address = os.environ.get(ADDRESS)
    if not address:
        # "local", or it would take any cluster that somebody has started on this machine.
        ray.init("local", num_cpus=workers, object_store_memory=OBJECT_STORE_BYTES, include_dashboard=False, **quiet)
        return
    try:
        _knock(address)
        ray.init(address, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BuilderError(
            f"no Ray cluster answers at {ADDRESS}={address} ({reason}); start one with `ray start --head`, set"
            f" RAY_AUTH_MODE=token if it asks for one, or unset {ADDRESS} to use this machine alone"
        ) from error


def _knock(address: str) -> None:
    """See that somebody listens: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), KNOCK_S).close()


def _nodes() -> list[str]:
    return [node["NodeID"] for node in ray.nodes() if node["Alive"]]


def _check_nodes(ground: CommonGround) -> None:
    look = ray.remote(num_cpus=0, max_retries=0)(CommonGround.check)
    there = [NodeAffinitySchedulingStrategy(node, soft=False) for node in _nodes()]
    checks = [look.options(scheduling_strategy=node).remote(ground) for node in there]
    lacking = [told for check in checks if (told := _told(check))]
    if lacking:
        raise NodeError("; ".join(sorted(set(lacking))))


def _told(check: Any) -> str | None:  # noqa: ANN401
    try:
        told: str | None = ray.get(check)
    except (TaskUnschedulableError, *LOST):  # a node that has just left
        return None
    except RayTaskError as error:  # of another project, or of another version of this one
        return f"a node cannot run this project's code ({cause_of(error)}); give all nodes the same environment"
    except RayError as error:
        return str(error).strip()
    return told
