from builder import progress as module
from builder.progress import progress


def test_a_log_gets_lines_with_rate_and_time_left(monkeypatch, capsys):
    clock = iter([0.0, 10.0, 31.0, 31.0, 40.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    with progress(100, "reading scans", "scan") as advance:
        advance(1)  # 10 s: too early for a line
        advance(30)
        advance(1)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("reading scans:  31%")
    assert "31/100 [00:31<01:09,  1.00scan/s]" in lines[0]
