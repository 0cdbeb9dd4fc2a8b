"""Where the constants of the site rule come from: alternatives, fitted on half of the patients, judged on the rest.

``python -m builder calibrate --official DIR`` prints the table. It compares the sites that a rule plans with those
that are published (``agreement.py``), for each alternative with the two diameters that part the calibration half best.

What was found, with the published sites of 588 patients (published numbers are the digits of ``inj_12``):

- **Size.** The volume *inside* the outlines, median over readers, slices as far apart as their positions say, parts
  injection from removal without an error, and half of the patients give the bounds 8 and 18 mm: plain numbers, so they
  are the rule's. With the polygons through the outlines' pixels the bounds are crooked, 8.56 and 18.6, and five nodules
  of that half fall on the wrong side; of means 10, of slice thickness 30, of the largest reader 29, of extents in
  plane 49.
- **Centre.** The centre of the enclosed volume, median over readers, rounded, is the published voxel for 95 % of the
  sites; the mean of the outlines' points for 69 %. Slices count from 1, hence the slice further down.
- **Clusters.** The slice thickness as tolerance, in mm. Half of it, and twice as much, do no better.
- **Second pass.** Removal numbers 1 to 533 come again as 534 to 1,066: on the slice below, and from the middle of the
  list on the slice above. Injection numbers 1 to 532 come again, 1,975 higher. Number 533 does not, though its patient
  is published, so the pass ends at a nodule (here the 534th: of one patient the list has three fewer, of another one
  more) and does not depend on whom a draw takes.
- **No part.** Malignancy, number of readers, a nodule that only one reader saw; a cube that sticks out at the top of
  the scan. Of the sites within 20.5 mm of the right or the lower edge of the picture none is published, but there are
  three: too few for a rule.

What is left, of 3,595 planned sites of all patients: 17 nodules, three second sites and one series (the second of
LIDC-IDRI-0315) that the rule plans and nobody published, although gaps in the published numbers show that most were on
the list. They fell out later; several lie below a slice that differs from scan to scan, and nothing in the annotation
database tells why. One nodule (of LIDC-IDRI-0340) is published that the rule does not find: eight outlines that touch,
of a large lesion and of a small one beside it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean, median

import numpy as np
from jaxtyping import Float64

from builder.agreement import HALVES, Agreement, compare, half_of
from builder.annotations import AnnotatedScan, Annotation, sphere_mm
from builder.nodules import Nodule, clusters
from builder.official_nodules import nodule_of
from builder.official_plan import match_scans
from builder.official_tables import OfficialSite, OfficialTables
from builder.patients import Draw
from builder.plan import plan_of
from builder.sites import FoundNodule, find_sites

Measure = Callable[[AnnotatedScan, Sequence[Annotation]], float]
"""Size of a nodule in mm."""
Place = Callable[[Annotation], Sequence[float]]
"""Centre of an annotation: z in mm, y and x in voxels."""
DIRECTIONS = np.linspace(0, np.pi, 36, endpoint=False)


def inside(scan: AnnotatedScan, annotations: Sequence[Annotation]) -> float:
    """The rule's own."""
    return sphere_mm(median(each.volume_mm3 for each in annotations))


def polygons(scan: AnnotatedScan, annotations: Sequence[Annotation]) -> float:
    """Of the polygons through the outlines' pixels."""
    return sphere_mm(median(each.region.area * each.voxel_mm3 for each in annotations))


def thickness(scan: AnnotatedScan, annotations: Sequence[Annotation]) -> float:
    """With the thickness of slices for their distance."""
    return inside(scan, annotations) * float(np.cbrt(scan.slice_thickness_mm / scan.slice_spacing_mm))


def mean_volume(scan: AnnotatedScan, annotations: Sequence[Annotation]) -> float:
    """Mean over readers."""
    return sphere_mm(fmean(each.volume_mm3 for each in annotations))


def largest(scan: AnnotatedScan, annotations: Sequence[Annotation]) -> float:
    """Of the reader who drew it largest."""
    return sphere_mm(max(each.volume_mm3 for each in annotations))


def extent(scan: AnnotatedScan, annotations: Sequence[Annotation]) -> float:
    """Longest extent in plane, median over readers."""
    rays = np.array([np.sin(DIRECTIONS), np.cos(DIRECTIONS)])
    return (
        median(float(np.ptp(each.outline[:, 1:] @ rays, axis=0).max()) for each in annotations) * scan.pixel_spacing_mm
    )


def volume_centre(annotation: Annotation) -> Sequence[float]:
    """The rule's own."""
    return annotation.centre


def mean_of_points(annotation: Annotation) -> Sequence[float]:
    """Of the outline."""
    middle: Float64[np.ndarray, " 3"] = annotation.outline.mean(axis=0)
    return [float(value) for value in middle]


@dataclass(frozen=True)
class Alternative:
    """One way to bring the annotations of a scan together and to measure what comes out."""

    name: str
    measure: Measure = inside
    centre: Place = volume_centre
    tolerance: float = 1.0
    """Of the clusters, in slice thicknesses."""

    def nodules(self, scan: AnnotatedScan) -> list[Nodule]:
        """The nodules of a scan."""
        groups = clusters(replace(scan, slice_thickness_mm=self.tolerance * scan.slice_thickness_mm))
        return [self._nodule(scan, [scan.annotations[index] for index in group]) for group in groups]

    def _nodule(self, scan: AnnotatedScan, annotations: Sequence[Annotation]) -> Nodule:
        z, y, x = (median(values) for values in zip(*map(self.centre, annotations), strict=True))
        malignancy = fmean(each.malignancy for each in annotations)
        return Nodule((z, y, x), self.measure(scan, annotations), malignancy, len(annotations))


ALTERNATIVES = (
    Alternative("the rule"),
    Alternative("polygons through the outlines' pixels", measure=polygons),
    Alternative("slice thickness for their distance", measure=thickness),
    Alternative("mean over readers", measure=mean_volume),
    Alternative("largest reader", measure=largest),
    Alternative("longest extent in plane", measure=extent),
    Alternative("mean of the outline's points", centre=mean_of_points),
    Alternative("half the tolerance", tolerance=0.5),
    Alternative("twice the tolerance", tolerance=2.0),
)


@dataclass(frozen=True)
class Outcome:
    """What an alternative gives."""

    name: str
    smallest_mm: float
    """Diameter that parts injection from removal best, on the calibration half."""
    largest_mm: float
    """And that from which on nodules are left alone."""
    wrong: int
    """Nodules of the calibration half on the wrong side of either."""
    held_out: tuple[Agreement, ...]

    def line(self) -> str:
        """For a table under :data:`HEAD`."""
        shares = "".join(f"{each.found_share:10.1%}{each.confirmed_share:10.1%}" for each in self.held_out)
        exact = sum(each.exact for each in self.held_out) / max(1, sum(each.published for each in self.held_out))
        return f"{self.name:38}{self.smallest_mm:8.2f}{self.largest_mm:8.2f}{self.wrong:7}{shares}{exact:12.1%}"


HEAD = (
    f"{'':38}{'fitted on one half':^23}{'on the other half: injection, removal':^40}\n"
    f"{'':38}{'from mm':>8}{'to mm':>8}{'wrong':>7}{'found':>10}{'published':>10}{'found':>10}{'published':>10}"
    f"{'same voxel':>12}"
)


def calibrate(
    scans: Sequence[AnnotatedScan], tables: OfficialTables, alternatives: Iterable[Alternative] = ALTERNATIVES
) -> Iterator[Outcome]:
    """Judge alternatives one after the other.

    Args:
        scans: The annotation database.
        tables: The published tables.
        alternatives: What to try.
    """
    patients = {site.series.patient_id for site in tables.sites}
    members = [scan for scan in scans if scan.patient_id in patients]
    uses = _Uses(tables, members)
    # The second pass counts nodules of all patients, so sites are found in the whole database.
    for alternative in alternatives:
        nodules = [(scan, nodule) for scan in scans for nodule in alternative.nodules(scan)]
        smallest, largest, wrong = _fitted(uses, [each for each in nodules if each[0].patient_id in patients])
        sites = find_sites(nodules, smallest_mm=smallest, largest_mm=largest)
        plan = plan_of({scan.scan_id: scan.patient_id for scan in members}, sites, Draw({}, 0), 0)
        held_out = [each for each in compare(plan, tables).agreements if each.patients.startswith(HALVES[1])]
        yield Outcome(alternative.name, smallest, largest, wrong, tuple(held_out))


class _Uses:
    """What nodules were published for."""

    def __init__(self, tables: OfficialTables, scans: Sequence[AnnotatedScan]) -> None:
        self.sites: dict[str, list[OfficialSite]] = {}
        series = match_scans(tables, scans)[0]
        for site in tables.sites:
            if site.series in series:
                self.sites.setdefault(series[site.series].scan_id, []).append(site)

    def of(self, scan: AnnotatedScan, nodules: Sequence[Nodule]) -> list[str]:
        """Injection, removal, or none of it for each nodule of a scan."""
        used: dict[Nodule, str] = {}
        for site in self.sites.get(scan.scan_id, ()):
            if nodule := nodule_of(site, scan, nodules):
                used[nodule] = site.manipulation
        return [used.get(nodule, "none") for nodule in nodules]


def _fitted(uses: _Uses, nodules: Sequence[FoundNodule]) -> tuple[float, float, int]:
    """The two diameters that part the calibration half best, and how many nodules they leave on the wrong side."""
    of_scan: dict[str, tuple[AnnotatedScan, list[Nodule]]] = {}
    for scan, nodule in nodules:
        if half_of(scan.patient_id) == HALVES[0]:
            of_scan.setdefault(scan.scan_id, (scan, []))[1].append(nodule)
    known = [
        (nodule.diameter_mm, use)
        for scan, members in of_scan.values()
        for nodule, use in zip(members, uses.of(scan, members), strict=True)
    ]
    smallest, mixed = _parting(known, "injection", "removal")
    largest, left = _parting([each for each in known if each[0] >= smallest], "removal", "none")
    return smallest, largest, mixed + left


def _parting(known: Sequence[tuple[float, str]], below: str, above: str) -> tuple[float, int]:
    """The roundest diameter that parts two uses with the fewest errors, and their number."""
    sizes = sorted((size, use) for size, use in known if use in (below, above))
    wrong_below = np.cumsum([0] + [use == above for _, use in sizes])
    wrong_above = np.cumsum([0] + [use == below for _, use in reversed(sizes)])[::-1]
    # Nodules of one size cannot be parted.
    tied = [False, *(one[0] == other[0] for one, other in pairwise(sizes)), False][: len(sizes) + 1]
    errors = np.where(tied, len(sizes) + 1, wrong_below + wrong_above)
    place = int(errors.argmin())
    low = sizes[place - 1][0] if place else 0.0
    high = sizes[place][0] if place < len(sizes) else np.inf
    return _roundest(low, high), int(errors.min())


def _roundest(low: float, high: float) -> float:
    """The number over low, and not over high, that takes the fewest decimals: whoever set a bound set a plain one."""
    middle = low + 1 if high == np.inf else (low + high) / 2
    rounded = (round(middle, decimals) for decimals in range(12))
    return next((number for number in rounded if low < number <= high), high)
