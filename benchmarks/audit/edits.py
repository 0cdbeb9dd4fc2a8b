"""What the writer of the edits leaves: voxels outside the mask, impossible values, combs, piles, offsets."""

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.audit.alteration import RANGE_HU, Alteration
from benchmarks.audit.survey import Row, Survey
from benchmarks.audit.verdict import Check, Verdict, counted, unmeasured
from m3dsynth_dataset.metrics.bootstrap import interval
from m3dsynth_dataset.metrics.resampled import means

OFF_GRID = 0.01
"""Share of an edit's voxels that may lie off the scan's own grid of values."""
COMB = 0.2
"""Excess of one remainder: by chance it is a tenth of that in the smallest edits."""
PILED = 0.05
"""Excess of one value, as a share of the voxels."""
SHIFT_HU = 5.0
"""Mean change by the control that resampling a nodule's edge may cause."""


def check_edits(survey: Survey) -> Iterator[Check]:
    """Of all edits, the control's too."""
    edits = survey.alterations("tampered", "control")
    yield _outside(survey, edits)
    furthest = max((found.beyond_hu for _, found in edits), default=0)
    beyond = sum(found.beyond_hu > 0 for _, found in edits)
    own = f"{beyond} go beyond their scan's own range, by {furthest} HU at most" if beyond else "all in their scan's"
    yield _none_over(
        "range of HU",
        f"no edit holds a value that neither its scan nor {RANGE_HU[0]} to {RANGE_HU[1]} HU does",
        edits,
        lambda found: found.impossible > 0,
        f" ({own})",
        "clip what the inpainter gives to the range of the scanner",
    )
    steps = sorted({found.step for _, found in edits})
    yield _none_over(
        "quantisation step",
        f"at most {OFF_GRID:.0%} of an edit's voxels lie off the grid of values that its scan takes",
        edits,
        lambda found: found.off_grid > OFF_GRID,
        f" (steps of the scans: {', '.join(map(str, steps))} HU)",
        "round what the inpainter gives to the step of the scan",
    )
    strongest = max((found.comb for _, found in edits), default=0.0)
    yield _none_over(
        "comb of values",
        f"no remainder of any step of 2 to 16 HU is more frequent than before by over {COMB:.0%} of the voxels",
        edits,
        lambda found: found.comb > COMB,
        f" (at most {strongest:.1%})",
        "keep what the inpainter gives in floating point until it is rounded to HU, once",
    )
    piled = max((found.piled for _, found in edits), default=0.0)
    yield _none_over(
        "piled values",
        f"no value is more frequent in an edit than before by over {PILED:.0%} of the voxels, as after clipping",
        edits,
        lambda found: found.piled > PILED,
        f" (at most {max(piled, 0):.1%})",
        "do not clip below the scanner's range, and fill with tissue, not with a constant",
    )
    yield _offset(survey)


Edits = list[tuple[Row, Alteration]]


def _outside(survey: Survey, edits: Edits) -> Check:
    name, rule = "outside the mask", "outside the mask not one voxel differs"
    if "imported" in survey.release.manifest.built:
        return unmeasured(name, rule, "the masks are published labels, which leave out some of what changed")
    if not edits:
        return unmeasured(name, rule, "no sample is known to be edited")
    wrong = [f"{row['sample_id']} ({found.outside} voxels)" for row, found in edits if found.outside]
    return counted(name, rule, wrong, f"{len(edits)} edits", "restore the pristine voxels there, or widen the mask")


def _none_over(
    name: str, rule: str, edits: Edits, breaks: Callable[[Alteration], bool], more: str, remedy: str
) -> Check:
    if not edits:
        return unmeasured(name, rule, "no sample is known to be edited")
    wrong = [row["sample_id"] for row, found in edits if breaks(found)]
    return counted(name, rule, wrong, f"{len(edits)} edits{more}", remedy)


def _offset(survey: Survey) -> Check:
    """The control has the pipeline's offset and no other change."""
    name = "offset of the control"
    rule = f"the control moves the mean of its voxels by {SHIFT_HU:g} HU at most"
    edits = survey.alterations("control")
    if not edits:
        return unmeasured(name, rule, "the release has no control")
    shifts = np.array([found.shift_hu for _, found in edits])
    found = interval(lambda weights: means(shifts, weights), [row["patient_id"] for row, _ in edits])
    text = f"{found.value:+.1f} HU ({found.low:+.1f} to {found.high:+.1f}) over {len(edits)} edits"
    if max(found.low, -found.high) <= SHIFT_HU:
        return Check(name, rule, Verdict.PASS, found.value, text)
    remedy = "see that slope and intercept are applied once, before anything else"
    return Check(name, rule, Verdict.LEAK, found.value, text, remedy)
