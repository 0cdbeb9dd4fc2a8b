"""``index.csv``: what lies in a folder that samples were exported to."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from m3dsynth_dataset.export.place import place_of
from m3dsynth_dataset.export.selection import Entry
from m3dsynth_dataset.staging import staged

INDEX = "index.csv"
COLUMNS = (
    "sample_id",
    "form",
    "path",
    "label",
    "manipulation",
    "generator",
    "config",
    "split",
    "source",
    "patient_id",
    "scan_id",
)


@dataclass(frozen=True)
class Index:
    """A table of the exports in a folder: one row for each sample and form, sorted, whatever the order of work."""

    out: Path

    def add(self, entries: Iterable[Entry], to: str) -> None:
        """Put samples in, and take out what no longer lies in the folder."""
        rows = {(row["sample_id"], row["form"]): row for row in self.read()}
        for entry in entries:
            path = place_of(entry.sample_id, to).as_posix()
            row = {name: getattr(entry, name) for name in COLUMNS if name not in ("form", "path")}
            rows[entry.sample_id, to] = row | {"form": to, "path": path}
        with staged(self.out / INDEX) as place, place.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows[key] for key in sorted(rows) if (self.out / rows[key]["path"]).is_dir())

    def read(self) -> list[dict[str, str]]:
        """The rows; none where there is no such table."""
        if not (self.out / INDEX).is_file():
            return []
        with (self.out / INDEX).open(newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if set(COLUMNS) <= row.keys()]
