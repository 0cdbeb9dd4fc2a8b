"""Ray's actors as a crew: each holds a tool and gets two jobs at a time.

Ray starts an actor again, elsewhere if need be, when its process or node is lost. Its jobs go to whichever is free
next, since with a node its GPU may be gone for good.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import RayTaskError
from tqdm import tqdm

from builder.common_ground import CommonGround
from builder.engine import Held, Job, Result, Tool
from builder.ray_results import LOST, RETRIES, cause_of, in_order
from builder.workers import IN_FLIGHT_PER_WORKER, WorkerLostError

PATIENCE_S = 60.0


@dataclass
class RayCrew:
    """Actors, started when they are needed."""

    ground: CommonGround
    on_gpu: bool
    most: Callable[[], int]
    """How many the cluster has room for."""
    _members: list[Any] = field(default_factory=list)

    def ask(self, make: Callable[[], Tool], function: Callable[[Tool], Result]) -> Result:
        """What a function finds out about a tool."""
        (answer,) = self.each(make, function, [()])
        return answer

    def each(self, make: Callable[[], Tool], function: Callable[..., Result], jobs: Sequence[Job]) -> Iterator[Result]:
        """Call a function with a tool and each job's arguments."""
        member = ray.remote(num_cpus=1, num_gpus=int(self.on_gpu), max_restarts=-1)(_Member)
        while len(self._members) < min(len(jobs), max(1, self.most())):
            self._members.append(member.remote(self.ground))
        yield from in_order(_Round(self._members, make, function, jobs).done())

    def dismiss(self) -> None:
        """End the actors."""
        while self._members:
            ray.kill(self._members.pop())


class _Member:
    def __init__(self, ground: CommonGround) -> None:
        self._ground, self._held = ground, Held()

    def use(self, make: Callable[[], Tool], function: Callable[..., Any], job: Job) -> Any:  # noqa: ANN401
        self._ground.enter()
        return function(self._held.made_by(make), *job)


@dataclass
class _Round:
    """Some jobs, and who does them."""

    members: Sequence[Any]
    make: Callable[[], Tool]
    function: Callable[..., Any]
    jobs: Sequence[Job]
    waiting: deque[int] = field(default_factory=deque)
    there: set[int] = field(default_factory=set)
    """Members that have answered since they were started."""
    under_way: dict[Any, tuple[int, int | None]] = field(default_factory=dict)
    """Calls, with the number of the member and that of the job; None asks whether the member is there."""
    losses: Counter[int] = field(default_factory=Counter)

    def done(self) -> Iterator[tuple[int, Any]]:
        """Results as they come, with the numbers of their jobs."""
        self.waiting.extend(range(len(self.jobs)))
        for member in range(len(self.members)):
            self._ask_for(member)
        left = len(self.jobs)
        while left:
            reference = self._next()
            member, number = self.under_way.pop(reference)
            try:
                result = ray.get(reference)
            except RayTaskError as error:
                raise cause_of(error) from error
            except LOST as error:
                self._lose(member, number, error)
            else:
                self.there.add(member)
                if number is not None:
                    left -= 1
                    yield number, result
            self._hand_out()

    def _ask_for(self, member: int) -> None:
        """The answer comes when the member is started, and its tool made."""
        use = self.members[member].use.options(max_task_retries=RETRIES)
        self.under_way[use.remote(self.make, _nothing, ())] = member, None

    def _hand_out(self) -> None:
        """One each, then one more to lie ready; but nothing that a member who is yet to come could do at once."""
        busy = Counter(member for member, _ in self.under_way.values())
        for most, kept in ((1, 0), (IN_FLIGHT_PER_WORKER, len(self.members) - len(self.there))):
            for member in sorted(self.there):
                if len(self.waiting) > kept and busy[member] < most:
                    number = self.waiting.popleft()
                    call = self.members[member].use.remote(self.make, self.function, self.jobs[number])
                    self.under_way[call] = member, number
                    busy[member] += 1

    def _next(self) -> Any:  # noqa: ANN401 - a reference to what any function returns
        told = False
        while True:
            ready, _ = ray.wait(list(self.under_way), timeout=PATIENCE_S)
            if ready:
                return ready[0]
            if not self.there and not told:
                told = True
                tqdm.write("ray: no actor could be started yet; waiting for a node with a free core or GPU")

    def _lose(self, member: int, number: int | None, error: Exception) -> None:
        self.there.discard(member)
        if number is None:
            if not self.under_way:
                raise WorkerLostError(
                    f"all {len(self.members)} actors were lost {RETRIES + 1} times before they were ready, most likely"
                    " for lack of memory; start again on nodes with more of it"
                ) from error
            return
        self.losses[number] += 1
        if self.losses[number] > RETRIES:
            raise WorkerLostError(
                f"batch of cubes {number + 1} of {len(self.jobs)}: its process was lost {RETRIES + 1} times, most"
                " likely for lack of memory; start again on nodes with more of it"
            ) from error
        self.waiting.appendleft(number)
        if (member, None) not in self.under_way.values():
            self._ask_for(member)


def _nothing(tool: Tool) -> None:
    """Have the tool made."""
