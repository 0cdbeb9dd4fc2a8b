"""Which version of which test scan goes out."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.errors import BenchmarkError
from benchmarks.sealing.lots import Lots
from m3dsynth_dataset.schema import LABELS, PRISTINE, config_name
from m3dsynth_dataset.scoring import Truth

_, TAMPERED, CONTROL_LABEL = LABELS

Versions = dict[str, list[Truth]]
"""Samples of one scan, by label."""


@dataclass(frozen=True)
class Shares:
    """What the sealed samples are to be, as far as the scans have a control; the rest is pristine."""

    tampered: float = 0.5
    control: float = 0.1

    def __post_init__(self) -> None:
        if not (0 < self.tampered < 1 and 0 <= self.control < 1 and self.tampered + self.control < 1):
            raise BenchmarkError(
                "the shares of tampered and control samples are > 0 and >= 0, and leave room for pristine ones "
                f"(together < 1), got {self.tampered} and {self.control}"
            )


def draw(truths: Iterable[Truth], shares: Shares, lots: Lots) -> list[Truth]:
    """One sample of each patient; generators and manipulations equally often, as far as the scans have them.

    A scan without tampered versions could be nothing but pristine, and may be told by its lack of nodules; it stays
    back. So do further scans of a patient, which may show the same tissue and be subtracted almost as well.

    Args:
        truths: Every sample of the split.
        shares: Of tampered and control samples.
        lots: What is drawn with; their order does not matter.

    Raises:
        BenchmarkError: If there would be no pristine or no tampered sample.
    """
    scans = _one_a_patient(truths, lots)
    if len(scans) < 2:
        raise BenchmarkError(
            f"the test's patients with tampered samples must be at least two, to show one tampered and one pristine; "
            f"got {len(scans)}"
        )
    order = lots.order("scan", scans)
    tampered = _take(order, scans, TAMPERED, min(max(1, round(shares.tampered * len(order))), len(order) - 1), lots)
    rest = [scan_id for scan_id in order if scan_id not in tampered]
    control = _take(rest, scans, CONTROL_LABEL, min(round(shares.control * len(order)), len(rest) - 1), lots)
    pristine = {scan_id: _pristine(scan_id, scans[scan_id]) for scan_id in rest if scan_id not in control}
    return [*tampered.values(), *control.values(), *pristine.values()]


def _one_a_patient(truths: Iterable[Truth], lots: Lots) -> dict[str, Versions]:
    scans: dict[str, Versions] = defaultdict(lambda: defaultdict(list))
    owned: dict[str, dict[str, None]] = defaultdict(dict)
    for truth in truths:
        scans[truth.scan_id][truth.label].append(truth)
        if truth.label == TAMPERED:
            owned[truth.patient_id][truth.scan_id] = None
    taken = [lots.order("scan of a patient", members)[0] for members in owned.values()]
    return {scan_id: dict(scans[scan_id]) for scan_id in taken}


def _take(order: Sequence[str], scans: dict[str, Versions], label: str, count: int, lots: Lots) -> dict[str, Truth]:
    """Samples of a label, of the first scans that have any; of each scan one of the group that is rarest so far."""
    taken: dict[str, Truth] = {}
    often: Counter[str] = Counter()
    for scan_id in [each for each in order if label in scans[each]][:count]:
        groups: dict[str, list[Truth]] = defaultdict(list)
        for truth in scans[scan_id][label]:
            groups[config_name(truth.generator, truth.manipulation)].append(truth)
        group = min(lots.order(f"group of {scan_id}", groups), key=lambda name: often[name])
        often[group] += 1
        samples = {truth.sample_id: truth for truth in groups[group]}
        taken[scan_id] = samples[lots.order("sample", samples)[0]]
    return taken


def _pristine(scan_id: str, versions: Versions) -> Truth:
    if PRISTINE not in versions:
        raise BenchmarkError(f"scan {scan_id} has no pristine row; `m3dsynth verify` says what else is wrong")
    return versions[PRISTINE][0]
