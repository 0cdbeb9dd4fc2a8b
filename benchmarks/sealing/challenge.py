"""A release into a public one, whose test tells nothing, and the labels of that test."""

import secrets
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.sealing.drawing import Shares, draw
from benchmarks.sealing.lots import Lots
from benchmarks.sealing.public import write_public
from benchmarks.sealing.sealed_rows import SealedSample, write_volumes
from m3dsynth_dataset import Release
from m3dsynth_dataset.errors import LabelsError
from m3dsynth_dataset.schema import FORMAT_VERSION, PRISTINE, SEALED, Split
from m3dsynth_dataset.scoring import Truth, truths
from m3dsynth_dataset.scoring.labels import SECRET_BYTES, SealedLabels, read_labels, write_labels
from m3dsynth_dataset.staging import staged

SHARES = Shares()
"""When none are named."""


@dataclass(frozen=True)
class Sealed:
    """What came of it; for the organiser alone."""

    digest: str
    """Of the public release."""
    labels_sha256: str
    counts: dict[str, int]
    """Sealed samples by group."""
    scans_left_out: int
    """Of patients that have another in the test, or without tampered versions."""

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {group}" for group, count in self.counts.items())
        left_out = f"; {self.scans_left_out} test scans stay back" if self.scans_left_out else ""
        return f"{sum(self.counts.values())} sealed samples ({counts}){left_out}"


def seal(release: Release, out: Path, labels: Path, shares: Shares = SHARES) -> Sealed:
    """Seal the test of a release. Stopped at any moment, the same call goes on, with the labels that it had drawn.

    Args:
        release: A folder, with test rows. It stays as it is, and must stay secret.
        out: Folder of the public release; must not exist.
        labels: File for the labels, outside of both releases.
        shares: Of tampered and control samples.

    Raises:
        BenchmarkError: If the release cannot be sealed, or a place is taken, or would give the labels away.
        DamagedReleaseError: If the release is not what its manifest says.
    """
    _check_places(release, out, labels)
    _check_release(release)
    of_test = list(truths(release, Split.TEST))
    kept = _kept_labels(labels, release)
    lots = Lots(kept.secret if kept else secrets.token_bytes(SECRET_BYTES))
    samples = _named(draw(of_test, shares, lots), lots)
    if kept is None:
        _write_labels(labels, samples, lots, release)
    elif kept.truths != tuple(sample.truth for sample in samples):
        raise BenchmarkError(
            f"{labels}: what lies there was drawn from this release in another way, with other shares perhaps; say "
            "them again, or remove the file to draw anew"
        )
    found = read_labels(labels)
    work = _work(out) / found.digest[:16]
    volumes = write_volumes(release, samples, work)
    digest = write_public(release, samples, volumes, found.digest, out)
    shutil.rmtree(work)
    if not any(work.parent.iterdir()):
        work.parent.rmdir()
    counts = Counter(_group(sample.truth) for sample in samples)
    left_out = len({truth.scan_id for truth in of_test}) - len(samples)
    return Sealed(digest, found.digest, dict(sorted(counts.items())), left_out)


def _work(out: Path) -> Path:
    return out.with_name(f"{out.name}.work")


def _group(truth: Truth) -> str:
    return truth.label if truth.label == PRISTINE else f"{truth.label} {truth.generator}-{truth.manipulation}"


def _named(drawn: Sequence[Truth], lots: Lots) -> list[SealedSample]:
    """In the order of their names, which is none that says anything."""
    samples = []
    for truth in drawn:
        name = lots.name(truth.scan_id)
        public = replace(truth, sample_id=f"{SEALED}/{name}", patient_id=name, scan_id=name)
        samples.append(SealedSample(name, public, truth.sample_id))
    return sorted(samples, key=lambda sample: sample.name)


def _write_labels(path: Path, samples: Sequence[SealedSample], lots: Lots, release: Release) -> None:
    with staged(path) as place:
        place.touch(mode=0o600)
        write_labels(
            place,
            [sample.truth for sample in samples],
            split=Split.TEST,
            secret=lots.secret,
            source_digest=release.manifest.digest,
            sources={sample.truth.sample_id: sample.source_id for sample in samples},
        )


def _kept_labels(path: Path, release: Release) -> SealedLabels | None:
    """What a run that was stopped had drawn."""
    if not path.exists():
        return None
    try:
        kept = read_labels(path)
    except LabelsError as error:
        raise BenchmarkError(f"{error}; it will not be replaced: name another --labels") from error
    if kept.source_digest != release.manifest.digest:
        raise BenchmarkError(
            f"{path}: labels of another release lie there, and are not replaced; name another --labels"
        )
    return kept


def _check_places(release: Release, out: Path, labels: Path) -> None:
    public, secret, source = out.resolve(), labels.resolve(), release.path.resolve()
    for folder in (public, _work(public), source):
        if secret.is_relative_to(folder):
            raise BenchmarkError(
                f"{labels}: lies in {folder}, with which the labels would be passed on; name another --labels"
            )
    if public.is_relative_to(source) or source.is_relative_to(public):
        raise BenchmarkError(f"{out}: one release lies in the other ({release.path}); name another --out")
    if out.exists():
        raise BenchmarkError(f"{out}: there is something already, and it is not replaced; name another --out")


def _check_release(release: Release) -> None:
    if SEALED in release.configs:
        raise BenchmarkError(f"{release.path}: its test is sealed already")
    if not any(Split.TEST in splits for splits in release.splits.values()):
        raise BenchmarkError(f"{release.path}: has no test rows, so there is nothing to seal")
    if release.manifest.format_version != FORMAT_VERSION:
        raise BenchmarkError(
            f"{release.path}: format {release.manifest.format_version}, but sealed volumes are written in format "
            f"{FORMAT_VERSION}, and all of a release are of one; build it again"
        )
    sides: dict[str, set[str]] = {"test": set(), "others": set()}
    for config, splits in release.splits.items():
        for split in splits:
            rows = release.rows(config, split, ["patient_id", "scan_id", "volume"])
            sides["test" if split == Split.TEST else "others"] |= {
                name for column in rows for name in column.to_pylist()
            }
    if both := sorted(sides["test"] & sides["others"]):
        raise BenchmarkError(
            f"{release.path}: {', '.join(both[:3])} in test and in another split, where anybody can see the pristine "
            "scan; `m3dsynth verify` names all"
        )
