"""The quality report: a folder with the numbers of several inpainters, a table of them, and pictures.

<folder>/
  report.json                      list of objects, one per inpainter and manipulation: every number
  report.md                        the table, and what its columns mean
  <generator>-<manipulation>.png   cubes as they are, as the inpainter sees them, as it fills them
  spectra.png                      power by spatial frequency, filled and real
  diameters.png                    size of the nodules, filled and real
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from generation.cubes import MANIPULATIONS
from generation.errors import GenerationError
from generation.montage import draw
from generation.nodule_size import INJECTED_MM, REMOVED_MM
from generation.quality import Quality
from generation.spectrum import ROUNDING
from m3dsynth_dataset.staging import staged

NUMBERS, TABLE = "report.json", "report.md"
SPECTRA, DIAMETERS = "spectra.png", "diameters.png"
CRITERION_MM = {"injection": INJECTED_MM, "removal": REMOVED_MM}
COLUMNS: dict[str, Callable[[Quality], str]] = {
    "generator": lambda row: _safe(row.generator),
    "manipulation": lambda row: row.manipulation,
    "sites": lambda row: str(row.site_cubes),
    "real": lambda row: str(row.real_cubes),
    "ring (HU)": lambda row: str(row.ring_error_hu),
    "core (HU)": lambda row: _said(row.core_mae_hu),
    "histogram (HU)": lambda row: _with_floor(row.histogram_distance_hu, row.histogram_floor_hu),
    "spectrum (dB)": lambda row: _with_floor(row.spectrum_distance_db, row.spectrum_floor_db),
    "diameter (mm)": lambda row: _said(_median(row.diameters_filled_mm)),
    "of real (mm)": lambda row: _said(_median(row.diameters_real_mm)),
    "met (%)": lambda row: _said(_percent(row.share_met)),
    "of real (%)": lambda row: _said(_percent(row.share_met_real)),
}
LEGEND = f"""\
- **sites**, **real**: cubes that were filled: sites to edit, and real cubes that were held out, of the kind that the
  manipulation is to make.
- **ring**: largest change, in HU, of a voxel that was not hidden. It must be 0.
- **core**: mean absolute difference, in HU, between the hidden core of a real cube and what is filled in its place.
- **histogram**: by how many HU the voxels of filled sites differ from those of real cubes, as distributions
  (1-Wasserstein distance). In brackets: by how many held-out real cubes differ from those that were learned from.
- **spectrum**: root mean square difference of the power spectra of filled sites and of real cubes, in decibels, over
  the spatial frequencies above 0 and up to 0.5 cycles per mm. In brackets: the same as for the histogram.
- **diameter**: median diameter, in mm, of the solid nodule in the core, 0 where there is none: of filled sites, then of
  real cubes.
- **met**: share, in per cent, of cores whose nodule is over {INJECTED_MM} mm (injection) or under {REMOVED_MM} mm
  (removal): of filled sites, then of real cubes.
- A dash stands where there were no cubes to measure. `identity` changes nothing: its row tells what the sites are like
  before they are edited.
"""


def write(qualities: Sequence[Quality], folder: Path) -> None:
    """Write the report beside ``folder``, then rename; a report that is there already is replaced.

    Args:
        qualities: One per row of the table, in its order.
        folder: Folder to write.

    Raises:
        GenerationError: If there is nothing to report, two rows are of the same inpainter and manipulation, or
            ``folder`` holds something else than a report.
    """
    _check(qualities, folder)
    with staged(folder) as place:
        place.mkdir()
        (place / NUMBERS).write_text(_json(qualities), encoding="utf-8")
        (place / TABLE).write_text(_markdown(qualities), encoding="utf-8")
        for row in qualities:
            draw(row.shown, place / f"{_stem(row)}.png", title=f"{_safe(row.generator)}, {row.manipulation}")
        _spectra(qualities).savefig(place / SPECTRA, dpi=150)
        _diameters(qualities).savefig(place / DIAMETERS, dpi=150)


def _check(qualities: Sequence[Quality], folder: Path) -> None:
    if not qualities:
        raise GenerationError("there is nothing to report; name weights that `python -m generation train` wrote")
    stems = [_stem(row) for row in qualities]
    if twice := sorted({stem for stem in stems if stems.count(stem) > 1}):
        raise GenerationError(f"each inpainter may stand in a report once, got {', '.join(twice)} more than once")
    if folder.exists() and not _may_be_replaced(folder):
        raise GenerationError(f"{folder}: is no report and will not be replaced; name another folder")


def _may_be_replaced(folder: Path) -> bool:
    """Whether a folder is empty, or a report and nothing else."""
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir()}
    return not names or (NUMBERS in names and all(Path(name).suffix in {".json", ".md", ".png"} for name in names))


def _stem(row: Quality) -> str:
    return f"{_safe(row.generator)}-{row.manipulation}"


def _safe(name: str) -> str:
    """A user's name for an inpainter, fit for a file, a table and a picture."""
    return re.sub(r"[^A-Za-z0-9.+-]+", "_", name).strip("_.") or "unnamed"


def _json(qualities: Sequence[Quality]) -> str:
    return json.dumps([row.numbers() for row in qualities], indent=1, allow_nan=False) + "\n"


def _markdown(qualities: Sequence[Quality]) -> str:
    cells = [list(COLUMNS), ["---"] * len(COLUMNS)]
    cells += [[say(row) for say in COLUMNS.values()] for row in qualities]
    table = "\n".join(f"| {' | '.join(line)} |" for line in cells)
    return f"# Quality of the inpainters\n\n{table}\n\n{LEGEND}"


def _said(number: float | None) -> str:
    return "-" if number is None else f"{number:.1f}"


def _with_floor(distance: float | None, floor: float | None) -> str:
    return f"{_said(distance)} ({_said(floor)})"


def _median(values: Sequence[float] | None) -> float | None:
    return None if values is None else float(np.median(values))


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _spectra(qualities: Sequence[Quality]) -> Figure:
    """Power by frequency, a panel for each manipulation."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    for place, rows in _panels(figure, qualities):
        for row in rows:
            if row.power_filled:
                _line(place, row.frequency_per_mm, row.power_filled, _safe(row.generator), "-")
        real = next((row for row in rows if row.power_real), None)
        if real and real.power_real:
            _line(place, real.frequency_per_mm, real.power_real, "real", "k--")
        place.set(xlabel="spatial frequency (cycles per mm)", ylabel="power (HU$^2$ mm$^3$)", yscale="log")
        place.legend(fontsize=8)
    return figure


def _line(place: Axes, frequency: Sequence[float], power: Sequence[float], label: str, style: str) -> None:
    # The first shell is what the removal of the mean has left.
    place.plot(frequency[1:], np.maximum(power[1:], ROUNDING), style, label=label, marker=".")


def _diameters(qualities: Sequence[Quality]) -> Figure:
    """The nodules' diameters, a panel for each manipulation; a line where the manipulation has done its work."""
    figure = Figure(figsize=(10, 1.5 + 0.4 * len(qualities)), layout="constrained")
    for place, rows in _panels(figure, qualities):
        sizes = [(_safe(row.generator), row.diameters_filled_mm) for row in rows if row.diameters_filled_mm]
        sizes += [("real", row.diameters_real_mm) for row in rows if row.diameters_real_mm][:1]
        names, values = zip(*sizes, strict=True)
        place.boxplot(values, tick_labels=names, orientation="horizontal", sym=".")
        place.axvline(CRITERION_MM[rows[0].manipulation], color="tab:red", linewidth=1)
        place.set(xlabel="diameter of the solid nodule (mm)", xlim=(-0.5, 20.5))
        place.invert_yaxis()
    return figure


def _panels(figure: Figure, qualities: Sequence[Quality]) -> Iterator[tuple[Axes, list[Quality]]]:
    present = [name for name in MANIPULATIONS if any(row.manipulation == name for row in qualities)]
    axes = figure.subplots(1, len(present), squeeze=False)[0]
    for place, name in zip(axes, present, strict=True):
        place.set_title(name, fontsize=9)
        yield place, [row for row in qualities if row.manipulation == name]
