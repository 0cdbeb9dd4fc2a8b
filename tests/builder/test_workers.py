import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from deadly_work import blas_threads, square_unless_deadly
from threadpoolctl import threadpool_limits

from builder.workers import WorkerLostError, each

SQUARES = [number**2 for number in range(12)]
TESTS = Path(__file__).parents[1]


def squares(deadly, flag=None, **options):
    jobs = [(number, deadly, flag) for number in range(12)]
    return list(each(square_unless_deadly, jobs, 2, description="squaring", unit="number", **options))


def test_jobs_of_a_worker_that_is_killed_once_are_done_again(tmp_path):
    assert squares(5, str(tmp_path / "killed")) == SQUARES
    assert (tmp_path / "killed").exists()


def test_a_job_that_kills_its_worker_every_time_is_left_out_and_the_others_are_done():
    found = squares(5, lost=lambda number, deadly, flag: -number)
    assert found == [*SQUARES[:5], -5, *SQUARES[6:]]


def test_or_is_named_where_it_cannot_be_left_out():
    with pytest.raises(WorkerLostError, match=r"squaring: number 6 of 12: its worker process was killed twice"):
        squares(5)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="tells by /proc whether a process runs")
def test_workers_end_when_the_build_is_killed_alone(tmp_path):
    code = (
        "import deadly_work, sys; from builder.workers import each;"
        " list(each(deadly_work.sleep_by_name, [(sys.argv[1], n) for n in range(2)], 2, description='', unit=''))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=environment) as main:
        pids = []
        while len(pids) < 2:
            assert main.poll() is None
            time.sleep(0.05)
            pids = [int(text) for path in tmp_path.iterdir() if (text := path.read_text())]
        assert all(map(is_running, pids))
        main.kill()
    deadline = time.monotonic() + 30  # of two minutes that they would sleep
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, pids))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_job_multiplies_matrices_with_one_thread_since_sums_depend_on_their_number(workers):
    with threadpool_limits(limits=2, user_api="blas"):
        found = list(each(blas_threads, [(0,), (1,)], workers, description="", unit=""))
        assert set(blas_threads(0)) == {2}
    assert [set(threads) for threads in found] == [{1}, {1}]
