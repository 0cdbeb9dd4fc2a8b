import subprocess
import sys

from builder.rehearsal import watch as watch_module
from builder.rehearsal.watch import watched


def test_memory_that_is_taken_is_seen(monkeypatch):
    monkeypatch.setattr(watch_module, "LOOK_EVERY_S", 0.01)
    program = "import time; time.sleep(0.5); block = bytearray(40 * 2**20); time.sleep(0.5)"
    with subprocess.Popen([sys.executable, "-c", program]) as process, watched(process.pid) as watch:
        process.wait()
    assert max(watch.largest_mib) - min(watch.largest_mib) > 35
    assert len(watch.seconds) == len(watch.total_mib) == len(watch.open_files) > 3


def test_what_it_starts_counts_too_and_may_end_meanwhile(monkeypatch):
    monkeypatch.setattr(watch_module, "LOOK_EVERY_S", 0.01)
    with watched() as watch:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.3)"], check=True)
    assert max(total - largest for total, largest in zip(watch.total_mib, watch.largest_mib, strict=True)) > 1
