"""A process that has imported all that a build needs, and forks for every build: a build then starts in no time, and
can be killed a few hundred times in a minute. What is killed is the fork, with all processes that it has started.

Reads orders from its standard input, one JSON object a line, and answers each with one.
"""

import gc
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

CHANGES = ("rename", "replace", "mkdir", "rmdir", "unlink", "remove", "link")
"""What changes a folder: between two of these, on the disk, a build is killed."""


class PreparedBuilder:
    """The other end, for tests. It has mounts of its own where the system lets it, and so can fill a disk."""

    can_mount = False

    def __enter__(self):
        prefix = ["unshare", "--map-root-user", "--mount"]
        if shutil.which("unshare"):
            self.can_mount = subprocess.run([*prefix, "true"], capture_output=True).returncode == 0
        here = Path(__file__)
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(here.parents[1]), str(here.parent)])}
        self.process = subprocess.Popen(
            [*(prefix if self.can_mount else []), sys.executable, str(here)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def run(self, *arguments, kill_after=None, kill_at=None, log=os.devnull):
        """Run ``python -m builder``, and kill it after some seconds, or before its n-th change of a folder.

        Returns:
            Its exit status (negative: the signal), seconds and changes.
        """
        order = {"arguments": [*map(str, arguments)], "kill_after": kill_after, "kill_at": kill_at, "log": str(log)}
        return self._ask(order)

    def shell(self, command):
        """Run a command where the builds run, and return what it prints."""
        return self._ask({"shell": command})

    def _ask(self, order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def serve():
    for name in ("builder.build", "builder.cli", "generation.zoo"):
        importlib.import_module(name)
    from matplotlib.figure import Figure

    Figure().add_subplot().figure.savefig(BytesIO())  # finds its fonts
    gc.freeze()  # what the forks share is not copied for being looked through
    for line in sys.stdin:
        sys.stdout.write(json.dumps(carry_out(json.loads(line))) + "\n")
        sys.stdout.flush()


def carry_out(order):
    if "shell" in order:
        return subprocess.run(order["shell"], shell=True, check=True, capture_output=True, text=True).stdout
    changes_read, changes_write = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(changes_read)
        build(order, changes_write)
    os.close(changes_write)
    ended, status = wait(child, order["kill_after"])
    with os.fdopen(changes_read, "rb") as pipe:
        changes = len(pipe.read())
    return {"status": os.waitstatus_to_exitcode(status), "seconds": ended - started, "changes": changes}


def wait(child, kill_after):
    while os.getpgid(child) != child:  # it has no group of its own yet that could be killed
        time.sleep(0.0002)
    deadline = time.monotonic() + (kill_after if kill_after is not None else 1e9)
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return time.monotonic(), status
        time.sleep(0.001)
    os.killpg(child, signal.SIGKILL)
    return time.monotonic(), os.waitpid(child, 0)[1]


def build(order, changes):
    from builder.cli import main

    os.setsid()
    random.seed(os.getpid())  # forks of one process draw the same names of temporary folders
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    count_changes(changes, order["kill_at"])
    status = 70
    try:
        status = main(order["arguments"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def count_changes(pipe, kill_at):
    me, count = os.getpid(), 0

    def counted(change):
        def call(*arguments, **options):
            nonlocal count
            count += 1
            if count == kill_at:
                os.killpg(me, signal.SIGKILL)
            os.write(pipe, b".")
            return change(*arguments, **options)

        return call

    for name in CHANGES:
        setattr(os, name, counted(getattr(os, name)))


if __name__ == "__main__":
    serve()
