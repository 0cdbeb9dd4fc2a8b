"""Jobs that kill their worker process, for tests; worker processes import this by name."""

import os
import signal
import time
from pathlib import Path

import numpy as np  # noqa: F401 - has a BLAS
from threadpoolctl import threadpool_info


def square_unless_deadly(number, deadly, flag):
    """Dies at the number ``deadly``: every time, or, with a flag file to leave, the first time only."""
    if number == deadly and not (flag and Path(flag).exists()):
        if flag:
            Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def sleep_by_name(folder, number):
    Path(folder, str(number)).write_text(str(os.getpid()))
    time.sleep(120)


def blas_threads(number):
    """How many threads each BLAS of this process would use now."""
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
