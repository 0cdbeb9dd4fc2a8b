"""Judging known places: the surroundings of every edit, and the very same voxels as they were before.

A scan gives one verdict, a place gives two for every site in it, so a few scans tell more. It is how the M3Dsynth paper
probes detectors of synthetic images (Table 2), and the only way to measure one false alarm in a hundred on a handful of
real patients. A detector cannot tell the two by where they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.excerpt import excerpt
from benchmarks.network_detector import NetworkDetector
from benchmarks.run_folder import WEIGHTS
from m3dsynth_dataset import Release
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.lazy import EditedVolume
from m3dsynth_dataset.manifest import record_file
from m3dsynth_dataset.metrics import Overlap, overlap
from m3dsynth_dataset.schema import PRISTINE
from m3dsynth_dataset.scoring import Judgement, Truth, truths
from m3dsynth_dataset.scoring.judgement import MAP_THRESHOLD
from m3dsynth_dataset.staging import staged
from m3dsynth_dataset.types import Triple


@dataclass(frozen=True)
class Places:
    """A protocol of :func:`benchmarks.matrix.matrix`: the edits' surroundings instead of whole scans."""

    shape: Triple
    """Voxels of a place along z, y, x. What of it lies beyond the scan is air."""
    seed: int | None = 0
    """Of where in its place an edit lies; None for right in the middle."""

    @property
    def name(self) -> str:
        """For tables and files."""
        size = "x".join(map(str, self.shape))
        return f"places of {size} voxels" + (", edits in the middle" if self.seed is None else "")

    def judged(
        self, release: Release, detector: NetworkDetector, run: Path, split: str, generators: frozenset[str]
    ) -> list[Judgement]:
        """See ``matrix.Protocol``. What has been judged is kept in the folder of the run."""
        file = run / f"{split}.places.json"
        key = f"{record_file(run / WEIGHTS).sha256} {release.manifest.digest} {self} {sorted(generators)}"
        kept = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        if kept.get("key") != key:
            found = self._found(release, detector, split, generators)
            kept = {"key": key, "judgements": [asdict(judgement) for judgement in found]}
            with staged(file) as place:
                place.write_text(json.dumps(kept) + "\n", encoding="utf-8")
        return [Judgement(**each | {"overlap": Overlap(**each["overlap"])}) for each in kept["judgements"]]

    def _found(
        self, release: Release, detector: NetworkDetector, split: str, generators: frozenset[str]
    ) -> Iterator[Judgement]:
        # Without generators it is pristine places that are wanted, and any edit tells where they are.
        wanted = [
            truth
            for truth in truths(release, split)
            if truth.box is not None and (not generators or truth.generator in generators)
        ]
        before: set[tuple[str, Triple]] = set()
        for truth in tqdm(wanted, desc=f"{detector.name} on places of {split}", unit="place", disable=None):
            assert truth.box is not None
            start = self.start(truth.scan_id, truth.box)
            sample = release.sample(truth.sample_id)
            if (truth.scan_id, start) not in before:
                before.add((truth.scan_id, start))
                yield self._judged(detector, sample.pristine, start, truth, is_edited=False)
            if generators:
                yield self._judged(detector, sample.ct, start, truth, is_edited=True)

    def start(self, scan_id: str, box: Box) -> Triple:
        """First voxel of an edit's place, which holds all of the edit, or as much as fits into it.

        The same for every generator, since it is drawn by scan and box alone.
        """
        if self.seed is None:
            z, y, x = (
                (low + high - size) // 2 for low, high, size in zip(box.start, box.stop, self.shape, strict=True)
            )
            return z, y, x
        text = f"{self.seed} {scan_id} {box.start} {box.shape}"
        rng = np.random.default_rng(int.from_bytes(sha256(text.encode()).digest()[:8], "little"))
        ends = np.sort([np.subtract(box.stop, self.shape), box.start], axis=0)
        z, y, x = rng.integers(ends[0], ends[1], endpoint=True).tolist()
        return z, y, x

    def _judged(
        self, detector: NetworkDetector, ct: EditedVolume, start: Triple, truth: Truth, *, is_edited: bool
    ) -> Judgement:
        part = excerpt(ct, start, self.shape)
        verdicts = list(detector.judge(part, 0, self.shape[0]))
        tampered = is_edited and truth.label == "tampered"
        return Judgement(
            truth.sample_id if is_edited else f"{truth.scan_id} at {start}",
            truth.patient_id,
            truth.label if is_edited else PRISTINE,
            truth.generator if is_edited else "",
            truth.manipulation if is_edited else "",
            detector.together([verdict.score for verdict in verdicts]),
            self._overlap([verdict.map for verdict in verdicts], truth, start, tampered=tampered),
        )

    def _overlap(self, maps: Sequence[np.ndarray | None], truth: Truth, start: Triple, *, tampered: bool) -> Overlap:
        found = [each for each in maps if each is not None]
        place = Box(start, self.shape)
        mask, box = (truth.mask(), truth.box) if tampered else (None, None)
        if mask is not None and box is not None:
            # An edit that is larger than the place is judged as far as it lies in it.
            inside = box.intersection(place)
            mask, box = mask[inside.relative_to(box).slices()], inside
        return overlap(np.stack(found) if found else None, place, mask, box or place, MAP_THRESHOLD)
