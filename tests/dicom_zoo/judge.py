"""The judge: whether a release of the zoo holds the truth, and the report tells of everything else."""

import json
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pydicom

from builder.build import BuildOptions, build_release
from builder.inventory import find_series
from builder.patients import Draw
from builder.plan import plan_of
from builder.sites import Site
from dicom_zoo.specimen import SHAPE, SPACING_MM, Specimen
from m3dsynth_dataset import Release, open_release
from m3dsynth_dataset.schema import LABELS

CENTRE = (5, 20, 16)


def zoo_plan(zoo: Sequence[Specimen]) -> pa.Table:
    """Every series of the zoo with a site, whether it can be read or not."""
    sites = [
        Site(f"{'inj' if number % 2 else 'rem'}_{number}", it.scan_id, it.patient_id,
             "injection" if number % 2 else "removal", CENTRE, None, None, None)
        for number, it in enumerate(zoo)
    ]  # fmt: skip
    return plan_of({it.scan_id: it.patient_id for it in zoo}, sites, Draw({}, 0), 0)


def judge_zoo(zoo: Sequence[Specimen], folder: Path, workers: int = 1) -> tuple[list[str], dict[str, Any]]:
    """Build a release of a zoo that lies in ``folder / "dicom"``.

    Returns:
        What is wrong with it, and the build report.
    """
    options = BuildOptions(folder / "weights", folder / "m3dsynth", ("identity",), workers=workers)
    build_release(find_series(folder / "dicom", workers=workers), zoo_plan(zoo), options)
    report = json.loads((folder / "m3dsynth.report.json").read_text(encoding="utf-8"))
    return complaints(zoo, open_release(folder / "m3dsynth"), report), report


def complaints(zoo: Sequence[Specimen], release: Release, report: dict[str, Any]) -> list[str]:
    """All that is wrong; nothing, if the release holds the truth and nothing else."""
    samples: dict[str, list[dict[str, Any]]] = {}
    for config, splits in release.splits.items():
        for split in splits:
            for row in release.rows(config, split).to_pylist():
                samples.setdefault(row["scan_id"], []).append(row)
    told = [(each["path"], each["reason"]) for each in report["left_out"]]
    wrong = [f"{scan_id}: not of the zoo" for scan_id in samples.keys() - {it.scan_id for it in zoo}]
    # Of the patients whose site lies in padding:
    sites = {path.split(" of ")[1] for path, _ in told if path.startswith("site ")}
    for it in zoo:
        found = [reason for path, reason in told if f"{path}/".startswith(f"{it.folder}/")]
        rows = samples.get(it.scan_id, [])
        name = f"{it.folder.name} ({it.scan_id})"
        wrong += [f"{name}: {what}" for what in _verdict(it, rows, found, sites, release)]
    return wrong


def _verdict(
    it: Specimen, rows: list[dict[str, Any]], found: list[str], sites: set[str], release: Release
) -> Iterator[str]:
    unexpected = [reason for reason in found if not any(re.search(pattern, reason) for pattern in it.noted)]
    if it.is_fuzzed:
        yield from _fuzzed(it, rows, unexpected, release)
    elif it.refused is not None:
        if rows:
            yield f"in the release, though it should be refused: {it.refused}"
        if not any(re.search(it.refused, reason) for reason in found):
            yield f"should be refused for {it.refused!r}, but the report says {found}"
    elif it.is_companion and any(f"series {it.scan_id} may have lost a slice" in reason for reason in found):
        return
    elif not rows:
        yield f"refused, though nothing is wrong: {found}"
    else:
        if unexpected and not it.is_companion and not it.companions:
            yield f"in the release, and yet reported: {unexpected}"
        yield from _compared(it, it.hu, rows, release)
        yield from _sites(it, rows, sites)
    for pattern in it.noted:
        if not any(re.search(pattern, reason) for reason in found):
            yield f"not told: {pattern}"


def _sites(it: Specimen, rows: list[dict[str, Any]], missing: set[str]) -> Iterator[str]:
    labels = sorted(LABELS[row["label"]] for row in rows)
    if labels != (["pristine"] if it.patient_id in missing else ["control", "pristine"]):
        yield f"not a pristine and a control row: {[row['sample_id'] for row in rows]}"


def _fuzzed(it: Specimen, rows: list[dict[str, Any]], found: list[str], release: Release) -> Iterator[str]:
    if rows:
        yield from _compared(it, _as_pydicom_reads(it), rows, release)
    elif not found:
        yield "neither in the release nor in the report"


def _compared(it: Specimen, hu: np.ndarray, rows: list[dict[str, Any]], release: Release) -> Iterator[str]:
    for row in rows:
        sample = release.sample(row)
        if not np.array_equal(sample.pristine[...], hu):
            yield f"{row['sample_id']}: {int((sample.pristine[...] != hu).sum())} wrong voxels"
        if not np.array_equal(np.where(sample.mask[...], hu, sample.ct[...]), hu):
            yield f"{row['sample_id']}: voxels outside the mask have changed"
        if row["label"] and (not sample.mask[...].any() or not _near(sample.mask[...])):
            yield f"{row['sample_id']}: the edit is not where it should be"
        yield from _misplaced(it, row)


def _near(mask: np.ndarray) -> bool:
    """Whether it lies within the 16 mm around the site."""
    places = np.argwhere(mask)
    reach = np.abs(places - CENTRE).max(axis=0) * SPACING_MM
    return bool((reach <= 8 + np.array(SPACING_MM)).all())


def _misplaced(it: Specimen, row: dict[str, Any]) -> Iterator[str]:
    x, y = it.direction
    truth = {
        "spacing_mm": SPACING_MM,
        "origin_mm": it.origin_mm,
        "direction": (x, 0, 0, 0, y, 0, 0, 0, -1),
        "shape_zyx": SHAPE,
    }
    for name, wanted in truth.items():
        if not np.allclose(row[name], wanted, atol=0.005, rtol=0):
            yield f"{row['sample_id']}: {name} is {row[name]}, not {wanted}"


def _as_pydicom_reads(it: Specimen) -> np.ndarray:
    planes = []
    for each in it.slices:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(each.path)
            dataset.setdefault("SamplesPerPixel", 1)
            pixels = pydicom.pixels.apply_modality_lut(dataset.pixel_array, dataset)
            planes.append((float(dataset.ImagePositionPatient[2]), np.rint(pixels)))
    return np.stack([pixels for _, pixels in sorted(planes, key=lambda it: -it[0])]).astype(np.int16)
