"""``build/perf.json``: the list of measurements that `make perf` writes."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from m3dsynth_dataset.staging import staged


def merge(path: Path, measurements: Iterable[Mapping[str, Any]]) -> None:
    """Put measurements into the list, in place of those of the same name."""
    found = list(measurements)
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    names = {each["name"] for each in found}
    rows = [row for row in kept if row["name"] not in names] + found
    with staged(path) as place:
        place.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
