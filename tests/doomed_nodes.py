"""Work that a node of a Ray cluster holds until the node is killed, for tests; worker processes import this by name.

Which nodes are doomed, and in which stage, is told by files in the folder that the environment names; so is which of
them hold work. Work on other nodes waits until they do, so that it is not done before.
"""

import os
import signal
import time
from pathlib import Path

from noisy_inpainter import Noisy

from builder import prepare
from builder.errors import SeriesError

FOLDER = "M3DSYNTH_DOOMED"
LONGEST_S = 60


def doomed(stage, node):
    return Path(os.environ[FOLDER], f"doomed-{stage}-{node}")


def held(stage, node):
    return Path(os.environ[FOLDER], f"held-{stage}-{node}")


def hold(stage):
    """Never come back from a doomed node; wait for it on another."""
    import ray

    if FOLDER not in os.environ or not ray.is_initialized():
        return
    node = ray.get_runtime_context().get_node_id()
    if doomed(stage, node).exists():
        held(stage, node).touch()
        time.sleep(LONGEST_S)
    deadline = time.monotonic() + LONGEST_S
    stages = Path(os.environ[FOLDER]).glob(f"doomed-{stage}-*")
    awaited = [held(stage, path.name.split("-")[-1]) for path in stages]
    while not all(path.exists() for path in awaited):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def prepare_or_report(series, rows, folder):
    hold("read")
    return prepare._prepare_or_report(series, rows, folder)


class Holding(Noisy):
    name = "holding"

    def inpaint(self, masked, seeds):
        hold("fill")
        return super().inpaint(masked, seeds)


def tell_gpus(tool):
    import ray

    return tool, os.environ.get("CUDA_VISIBLE_DEVICES"), ray.get_runtime_context().get_accelerator_ids()["GPU"]


def make_tool():
    return os.getpid()


def later_if_even(number, folder):
    """Of two neighbours the second is done first."""
    deadline = time.monotonic() + LONGEST_S
    while number % 2 == 0 and not Path(folder, str(number + 1)).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    Path(folder, str(number)).touch()
    return number**2


def cannot_be_read(number, folder):
    raise SeriesError(Path(str(number)), "of no use", "fetch it again")


def cannot_be_read_with(tool, number, folder):
    cannot_be_read(number, folder)


def die_once(number, folder):
    """The first process that meets number 3 dies."""
    flag = Path(folder, "died")
    if number == 3 and not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def die_once_with(tool, number, folder):
    return die_once(number, folder)


def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)
