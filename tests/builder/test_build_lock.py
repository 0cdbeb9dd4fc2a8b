import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from builder.build_lock import FolderInUseError, locked
from builder.work_folder import work_folder

HOLD = """
import sys, pathlib
from builder.build_lock import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    input()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that makes the folder."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "m3dsynth")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=environment, text=True,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_is_refused_at_once_and_told_who_the_first_is(tmp_path, holder):
    with pytest.raises(FolderInUseError) as refused, locked(tmp_path / "m3dsynth"):
        pass
    text = str(refused.value)
    assert f"m3dsynth: process {holder.pid} on {socket.gethostname()}, at work since 20" in text
    assert "wait until it is done, or stop it" in text


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / ".m3dsynth.lock").exists()
    with locked(tmp_path / "m3dsynth"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_a_lock(tmp_path):
    with locked(tmp_path / "new" / "m3dsynth"), locked(tmp_path / "new" / "other"):
        assert (tmp_path / "new" / ".m3dsynth.lock").exists()
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("second", ["one", "another"])
def test_two_builds_share_neither_release_nor_work_folder(tmp_path, second):
    with work_folder(tmp_path / "one", tmp_path / "work"):
        work = tmp_path / ("work" if second == "another" else "work2")
        with pytest.raises(FolderInUseError, match=f"process {os.getpid()} on "), work_folder(tmp_path / second, work):
            pass
        with work_folder(tmp_path / "another", tmp_path / "work2"):
            pass
