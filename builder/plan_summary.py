"""What a plan holds, and what planning without scans could not check."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from builder.annotations import AnnotatedScan
from builder.series import POSITION_TOLERANCE_MM, SPACING_TOLERANCE
from m3dsynth_dataset.schema import Split


def summary(plan: pa.Table) -> str:
    """Sites, scans and patients of a plan, and who sees them."""
    kinds = Counter(plan["manipulation"].to_pylist())
    splits = dict(zip(plan["patient_id"].to_pylist(), plan["split"].to_pylist(), strict=True))
    seen = Counter(splits.values())
    return (
        f"{kinds['injection']:,} injection and {kinds['removal']:,} removal sites in {kinds['none']:,} scans of "
        f"{len(splits):,} patients ({', '.join(f'{seen[split]} {split}' for split in Split)})"
    )


def unchecked(plan: pa.Table, scans: Sequence[AnnotatedScan]) -> str:
    """What a plan of annotations alone leaves to the build, and what the database already tells of it."""
    taken = set(plan["scan_id"].to_pylist())
    uneven = [scan.patient_id for scan in scans if scan.scan_id in taken and not evenly_sliced(scan)]
    lines = [
        "planned from the annotations alone; not checked: whether the scans are at hand and their stacks whole, and "
        "whether sites lie in the lungs and in the field of view. The build checks it and reports what it leaves out"
    ]
    if uneven:
        lines.append(f"by the database, the slices of {len(uneven)} scans are uneven or missing: {', '.join(uneven)}")
    return "\n".join(lines)


def evenly_sliced(scan: AnnotatedScan) -> bool:
    """Whether the positions of a scan's slices pass the check that its DICOM files will have to pass."""
    gaps = -np.diff(scan.slices_mm)
    usual = scan.slice_spacing_mm
    allowed = max(SPACING_TOLERANCE * usual, POSITION_TOLERANCE_MM)
    return bool((np.abs(gaps - usual) <= allowed).all())
