"""The report: JSON with every number, Markdown with the table, and one page with pictures.

<folder>/
  realism.json   every number, and the curves
  realism.md     the table, and what its columns mean
  index.html     the same with pictures, all in one file
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.realism.assessment import QUANTILES, Assessment, assess
from benchmarks.realism.correlation import AXES, LAGS
from benchmarks.realism.embedding import Embedding
from benchmarks.realism.measure import MEASURES
from benchmarks.realism.spectrum import FREQUENCIES
from benchmarks.realism.strip import Strip
from benchmarks.realism.survey import Survey, survey
from benchmarks.realism.two_sample import FEWEST
from m3dsynth_dataset import Release
from m3dsynth_dataset.export.notice import PHANTOM
from m3dsynth_dataset.staging import staged

JSON, MARKDOWN, PAGE = "realism.json", "realism.md", "index.html"


@dataclass(frozen=True, eq=False)
class Report:
    """What was found."""

    release: str
    digest: str
    splits: tuple[str, ...]
    is_phantom: bool
    patients: int
    places: int
    """Of edits, each counted once however many inpainters filled it."""
    classifier: str | None
    """Whose features the Fréchet distance is of."""
    rows: tuple[Assessment, ...]
    strips: dict[str, tuple[Strip, ...]]
    """A few edits of each config."""

    @property
    def caveats(self) -> tuple[str, ...]:
        """What a reader must know of these figures."""
        found = []
        if self.classifier is None:
            found.append("Fréchet distance: not measured: give --classifier.")
        if self.patients < 2 * FEWEST:
            few = (
                "too few to tell edits from tissue" if self.patients < FEWEST else "few: intervals and floors are wide"
            )
            found.append(
                f"{self.patients} patients are {few}; --split all has those that the inpainters learned from, too."
            )
        if thin := sum(len(row.too_thin) for row in self.rows):
            found.append(f"{thin} edits were left out: their masks are too thin to measure in.")
        return tuple(found)

    def text(self) -> str:
        """For a terminal: a line for each config and measure."""
        lines = []
        for row in self.rows:
            lines.append(f"{row.config}: {row.edits} edits, held against {row.tissue} ({row.places} places)")
            for measure in MEASURES:
                figure = measure.read(row)
                mark = "!" if figure.is_bad else " "
                lines.append(f"  {mark} {measure.title:<12} {figure.text:<26} [{figure.against}]")
        return "\n".join([*lines, *self.caveats, "! is further from tissue than halves of tissue from each other"])

    def json(self) -> str:
        """All numbers; what could not be measured is null."""
        about = {
            "release": self.release,
            "digest": self.digest,
            "splits": list(self.splits),
            "phantom": self.is_phantom,
            "patients": self.patients,
            "places": self.places,
            "classifier": self.classifier,
            "caveats": list(self.caveats),
            "frequencies_per_mm": list(FREQUENCIES),
            "correlation_axes": list(AXES),
            "correlation_lags_voxels": list(LAGS),
            "quantiles": list(QUANTILES),
            "rows": [asdict(row) for row in self.rows],
        }
        return json.dumps(_plain(about), indent=1, allow_nan=False, ensure_ascii=False) + "\n"

    def markdown(self) -> str:
        """A table of all configs, and what its columns mean."""
        heads = ["edits", "n", "held against", *(measure.title for measure in MEASURES)]
        lines = [_cells(heads), _cells(["---", "---:", *["---"] * (len(heads) - 2)])]
        for row in self.rows:
            lines.append(_cells([row.config, str(row.edits), f"{row.tissue} ({row.places})", *_figures(row)]))
        legend = [f"- **{each.title}**: {each.says} {each.bad}" for each in MEASURES]
        head = (
            f"{self.places} places of {self.patients} patients ({', '.join(self.splits)}), digest `{self.digest[:16]}`."
        )
        caveats = [f"- {each}" for each in self.caveats]
        return "\n".join(
            [f"# Realism of {_safe(self.release)}", "", head, "", *lines, "", BESIDE_THE_FLOOR, "", *legend]
            + (["", "Caveats:", "", *caveats] if caveats else [])
            + [""]
        )


BESIDE_THE_FLOOR = (
    "In brackets: intervals over patients, or, after *halves*, how far two halves of the tissue are apart (median, and "
    "what 95 % stay under). Bold is further from tissue than that. The control has gone through all of the pipeline "
    "without an inpainter: what it shows is the pipeline's."
)


def realism(
    release: Release, splits: Sequence[str], embedding: Embedding | None = None, classifier: str | None = None
) -> Report:
    """Measure how the edits of a release look beside tissue.

    Args:
        release: Open; only boxes around edits are read.
        splits: Of ``train``, ``validation``, ``test``.
        embedding: Features for the Fréchet distance, which is not measured without.
        classifier: What the embedding is called in the report.

    Raises:
        BenchmarkError: If the release is sealed, has no edits there, or all are too thin to measure.
    """
    return reported(survey(release, splits, embedding), classifier if embedding is not None else None)


def reported(found: Survey, classifier: str | None) -> Report:
    """The report of a survey."""
    rows = tuple(assess(found))
    return Report(
        release=found.release.path.name,
        digest=found.release.manifest.digest,
        splits=found.splits,
        is_phantom=PHANTOM in found.sources,
        patients=len({patient for each in found.edits for patient in each.collection.patients}),
        places=sum(len(each) for each in found.before.values()),
        classifier=classifier,
        rows=rows,
        strips={each.config: tuple(each.strips) for each in found.edits if each.strips},
    )


def write(report: Report, folder: Path) -> Path:
    """Write the report beside ``folder``, then rename; a report that is there already is replaced.

    Returns:
        The page.

    Raises:
        BenchmarkError: If ``folder`` holds something else.
    """
    from benchmarks.realism.page import render

    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if (folder.exists() and not folder.is_dir()) or not names <= {JSON, MARKDOWN, PAGE}:
        raise BenchmarkError(f"{folder}: is no realism report and will not be replaced; name another folder with --out")
    with staged(folder) as place:
        place.mkdir()
        for name, text in ((JSON, report.json()), (MARKDOWN, report.markdown()), (PAGE, render(report))):
            (place / name).write_text(text, encoding="utf-8")
    return folder / PAGE


def _figures(row: Assessment) -> list[str]:
    found = []
    for measure in MEASURES:
        figure = measure.read(row)
        value = f"**{figure.text}**" if figure.is_bad else figure.text
        found.append(value if figure.against == "-" else f"{value} [{figure.against}]")
    return found


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    """As JSON can say it: arrays as lists, NaN as null."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(each) for each in value]
    if isinstance(value, float | np.floating):
        return round(float(value), 6) if isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_safe, cells))} |"


def _safe(text: str) -> str:
    """What stands in a release may hold marks of Markdown or HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")
