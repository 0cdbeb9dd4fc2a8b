"""The report of an import: what each published sample turned out to be, for a program (JSON) and for a person."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from builder.errors import BuilderError
from builder.finding import Finding
from builder.official_edit import Observations
from builder.official_images import PublishedImages
from builder.official_tables import OfficialRow, OfficialTables, SeriesKey
from builder.report import report_path
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.schema import Split
from m3dsynth_dataset.staging import staged

NAMED = 5
"""So many are named in a line for a person; the JSON names all."""
SHOWN = 20
"""So many refused samples have a line for a person; likewise."""


@dataclass(frozen=True)
class SampleReport:
    """What became of one published sample: an edit, or a reason why not."""

    sample_id: str
    config: str
    split: str
    box: Box | None = None
    observations: Observations | None = None
    reason: str = ""
    """Why it was refused; empty for one that was imported."""
    remedy: str = ""

    @property
    def imported(self) -> bool:
        """Whether it is in the release."""
        return self.observations is not None

    def as_json(self) -> dict[str, Any]:
        """All of it, of JSON's types; of a refused sample the reason alone."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "SampleReport":
        """Take up what :meth:`as_json` put down."""
        if "box" in record:
            record = record | {
                "box": Box(*(tuple(record["box"][name]) for name in ("start", "shape"))),
                "observations": Observations(**_with_bounds(record["observations"])),
            }
        return cls(**record)


@dataclass(frozen=True)
class ImportReport:
    """What an import took and what it left out."""

    samples: tuple[SampleReport, ...]
    """Those that were looked at."""
    table_findings: tuple[Finding, ...]
    left_out: tuple[Finding, ...]
    """DICOM files and series."""
    published_series: int
    missing_series: tuple[str, ...]
    """Published series that are not at hand."""
    missing_images: tuple[str, ...]
    """Published samples of series at hand whose folders are not at hand."""

    @property
    def imported(self) -> tuple[SampleReport, ...]:
        """The samples of the release."""
        return tuple(sample for sample in self.samples if sample.imported)

    @property
    def refused(self) -> tuple[SampleReport, ...]:
        """The samples that are not what they should be."""
        return tuple(sample for sample in self.samples if not sample.imported)

    def check_any(self) -> None:
        """See that something was imported.

        Raises:
            BuilderError: If not; says what was found.
        """
        if not self.imported:
            shown = "\n".join(self._refusals()) or "the series at hand have no folder of images"
            raise BuilderError(f"none of the published samples of the series at hand can be imported:\n{shown}")

    def write(self, out: Path) -> Path:
        """Write it beside a release, as JSON."""
        report = {
            "imported": [sample.as_json() for sample in self.imported],
            "refused": [sample.as_json() for sample in self.refused],
            "samples_without_images": list(self.missing_images),
            "series_not_at_hand": list(self.missing_series),
            "left_out": [asdict(finding) for finding in self.left_out],
            "tables": [asdict(finding) for finding in self.table_findings],
        }
        with staged(report_path(out)) as place:
            place.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
        return report_path(out)

    def text(self) -> str:
        """All of it for a person, a line for each kind of thing."""
        counts = Counter((sample.config, sample.split) for sample in self.imported)
        lines = [counts_table(counts), "", *self._facts()]
        lines += [f"refused: {line}" for line in self._refusals()]
        lines += [f"left out: {line}" for line in grouped([*self.left_out, *self.table_findings])]
        lines += _missing(self.missing_images, "samples of the series at hand", "have no folder of images")
        lines += _missing(self.missing_series, f"of {self.published_series} published series", "are not at hand")
        return "\n".join(lines)

    def _facts(self) -> Iterator[str]:
        seen = [sample.observations for sample in self.imported if sample.observations is not None]
        offsets = Counter(each.offset_hu for each in seen)
        yield "offset from HU: " + ", ".join(f"{offset} ({number:,})" for offset, number in sorted(offsets.items()))
        facts = {
            "slices run from the feet up": [each.ascending for each in seen],
            "changed or labelled outside the cube of 32 mm (the box has grown)": [
                each.outside_box + each.labelled_outside_box > 0 for each in seen
            ],
            "changed outside the label": [each.changed_outside_label > 0 for each in seen],
            "label has empty slices beyond the scan's last": [each.extra_label_slices > 0 for each in seen],
            "label runs the other way than the scan": [each.label_turned for each in seen],
            "padding below the offset in the box (kept as in the pristine scan)": [each.cut_off > 0 for each in seen],
            "changed to the lowest value there is": [each.changed_to_lowest > 0 for each in seen],
        }
        yield from (f"{what}: {sum(hits):,} of {len(seen):,} samples" for what, hits in facts.items() if any(hits))

    def _refusals(self) -> list[str]:
        lines = [f"{sample.sample_id}: {sample.reason}; {sample.remedy}" for sample in self.refused[:SHOWN]]
        more = len(self.refused) - len(lines)
        return [*lines, f"{more:,} samples more, named in the report"] if more else lines


def make_report(
    tables: OfficialTables,
    images: PublishedImages,
    at_hand: frozenset[SeriesKey],
    samples: Sequence[SampleReport],
    left_out: Sequence[Finding],
) -> ImportReport:
    """Gather a report.

    Args:
        tables: The published tables.
        images: Where the published images lie.
        at_hand: The published series at hand.
        samples: What became of the samples that were looked at.
        left_out: DICOM files and series that were not.
    """
    mine: Sequence[OfficialRow] = [row for row in tables.tampered if row.site.series in at_hand]
    return ImportReport(
        tuple(samples),
        tables.findings,
        tuple(left_out),
        len(tables.series),
        tuple(str(key) for key in tables.series if key not in at_hand),
        tuple(row.sample_id for row in mine if not images.has(row)),
    )


def table_text(tables: OfficialTables) -> str:
    """What the tables promise, and what is wrong with them, for a person."""
    counts = Counter((row.config, str(tables.split_of(row))) for row in tables.tampered)
    kinds = Counter(row.site.manipulation for row in tables.tampered)
    patients = Counter(tables.splits.values())
    return "\n".join(
        [
            counts_table(counts),
            "",
            f"{kinds['injection']:,} injections and {kinds['removal']:,} removals at {len(tables.sites):,} sites",
            f"{len(tables.series):,} series of {len({key.patient_id for key in tables.series}):,} patients",
            "patients: " + ", ".join(f"{patients[split]:,} {split}" for split in Split),
            *grouped(tables.findings),
        ]
    )


def counts_table(counts: Counter[tuple[str, str]]) -> str:
    """Rows by config and split."""
    names = sorted({config for config, _ in counts})
    lines = [("config", *map(str, Split), "total")]
    for name in names:
        numbers = [counts[name, str(split)] for split in Split]
        lines.append((name, *(f"{number:,}" for number in (*numbers, sum(numbers)))))
    totals = [sum(counts[name, str(split)] for name in names) for split in Split]
    lines.append(("total", *(f"{number:,}" for number in (*totals, sum(totals)))))
    return "\n".join(f"{first:<20}" + "".join(f"{each:>12}" for each in rest) for first, *rest in lines)


def grouped(findings: Iterable[Finding]) -> Iterator[str]:
    """Findings, those of one kind in one line."""
    kinds: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        kinds[finding.reason.partition(":")[0], finding.remedy].append(finding)
    for (kind, remedy), members in kinds.items():
        if len(members) == 1:
            yield str(members[0])
        else:
            yield f"{kind}, {len(members):,} times, first {members[0].path}: {members[0].reason}; {remedy}"


def _missing(names: Sequence[str], what: str, lack: str) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return [f"missing: {len(names):,} {what} {lack}: {'; '.join(names[:NAMED])}{more}"]


def _with_bounds(observations: dict[str, Any]) -> dict[str, Any]:
    bounds = observations["outside_box_bounds"]
    return observations | {"outside_box_bounds": None if bounds is None else tuple(map(tuple, bounds))}
