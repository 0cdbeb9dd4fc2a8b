"""Predicting: a detector's verdict on every sample of a split, as a submission."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from benchmarks.detector import Detector, SliceVerdict
from benchmarks.errors import BenchmarkError
from m3dsynth_dataset import Release
from m3dsynth_dataset.box import Box
from m3dsynth_dataset.lazy import EditedVolume
from m3dsynth_dataset.schema import PRISTINE, SEALED, Split
from m3dsynth_dataset.scoring import Truth, slabs, truths
from m3dsynth_dataset.staging import staged
from m3dsynth_dataset.submission import Heatmap, Prediction, as_table, write_submission
from m3dsynth_dataset.submission.heatmap import FLOOR


@dataclass(frozen=True)
class Predicting:
    """The samples of a split, scan after scan.

    Versions of a scan share their slices but for those that an edit reaches, so these alone are judged anew: of a
    release with many edits a scan, prediction costs little more than the pristine scans alone.
    """

    release: Release
    split: str
    detector: Detector
    takes: Callable[[Truth], bool] = lambda truth: True
    """Which samples of the split are judged; all when omitted."""
    calibrates: bool = False
    """Whether the pristine scans of validation are judged as well: scoring sets the threshold of Pd@1% on them."""
    protocol: str = "volume"
    """volume; or slab, for the slices of :func:`m3dsynth_dataset.scoring.slabs` alone."""

    def __call__(self, out: Path, *, key: str = "") -> None:
        """Judge everything and write the submission.

        What is done of a scan is kept in ``<out>.work`` until the submission is whole: stopped at any moment, the same
        call goes on from there.

        Args:
            out: Folder of the submission.
            key: What the detector is, beyond its name, such as the checksum of its weights; what was kept for another
                is not used.
        """
        work = out.with_name(f"{out.name}.work") / self._key(key)
        scans = tqdm(self._scans().items(), desc=f"{self.detector.name} on {self.split}", unit="scan", disable=None)
        parts = [self._part(work, scan_id, samples) for scan_id, samples in scans]
        rows = pa.concat_tables(pq.read_table(part) for part in parts)
        write_submission(
            out,
            rows,
            {
                "detector": self.detector.name,
                "key": key,
                "release_digest": self.release.manifest.digest,
                "split": self.split,
                "protocol": self.protocol,
            },
        )
        for part in parts:
            part.unlink()
        work.rmdir()
        if not any(work.parent.iterdir()):
            work.parent.rmdir()

    def _key(self, key: str) -> str:
        what = self.detector.name, key, self.release.manifest.digest, self.split, self.protocol, str(self.calibrates)
        text = "\n".join(what)
        return sha256(text.encode()).hexdigest()[:16]

    def _scans(self) -> dict[str, list[Truth]]:
        scans: dict[str, list[Truth]] = defaultdict(list)
        for truth in (*filter(self.takes, truths(self.release, self.split)), *self._calibration()):
            scans[truth.scan_id].append(truth)
        return dict(sorted(scans.items()))

    def _calibration(self) -> Iterator[Truth]:
        if (
            self.calibrates
            and self.split != Split.VALIDATION
            and Split.VALIDATION in self.release.splits.get(PRISTINE, ())
        ):
            yield from (truth for truth in truths(self.release, Split.VALIDATION) if truth.label == PRISTINE)

    @cached_property
    def _slabs(self) -> dict[str, Box]:
        """By sample id; empty where whole scans are judged."""
        if self.protocol != "slab":
            return {}
        if SEALED in self.release.configs:
            raise BenchmarkError("where slabs lie tells where scans are tampered, so a sealed test has none")
        splits = {self.split, *([Split.VALIDATION] if self.calibrates else [])}
        return {name: slab for split in splits for name, slab in slabs(truths(self.release, split)).items()}

    def _part(self, work: Path, scan_id: str, samples: Sequence[Truth]) -> Path:
        path = work / f"{scan_id}.parquet"
        if not path.is_file():
            with staged(path) as place:
                pq.write_table(as_table(self.predictions(samples)), place)
        return path

    def predictions(self, samples: Sequence[Truth]) -> Iterator[Prediction]:
        """Of the versions of one scan.

        Args:
            samples: All of the same scan.
        """
        shape = samples[0].shape
        within = [self._slabs.get(truth.sample_id, Box((0, 0, 0), shape)) for truth in samples]
        first = self.release.sample(samples[0].sample_id)
        # What a sealed scan was like before is not known: it is judged as it is.
        base_ct = first.ct if samples[0].box is None else first.pristine
        ends = min(slab.start[0] for slab in within), max(slab.stop[0] for slab in within)
        base = {verdict.number: _kept(verdict) for verdict in self.detector.judge(base_ct, *ends)}
        for truth, slab in zip(samples, within, strict=True):
            verdicts = base
            if truth.box is not None:
                ct = self.release.sample(truth.sample_id).ct
                verdicts = base | {verdict.number: verdict for verdict in self._reached(ct, truth.box)}
            seen = [verdicts[number] for number in range(slab.start[0], slab.stop[0])]
            yield Prediction(
                truth.sample_id,
                max(verdict.score for verdict in seen),
                Heatmap.of(shape, ((each.number, each.map) for each in seen if each.map is not None)),
            )

    def _reached(self, ct: EditedVolume, box: Box) -> Iterator[SliceVerdict]:
        reach = self.detector.reach
        return self.detector.judge(ct, max(0, box.start[0] - reach), min(ct.shape[0], box.stop[0] + reach))


def _kept(verdict: SliceVerdict) -> SliceVerdict:
    """A verdict of which the map is kept only where it could count, since a whole scan's maps would fill the memory."""
    if verdict.map is None or verdict.map.max() >= FLOOR:
        return verdict
    return SliceVerdict(verdict.number, verdict.score, None)
