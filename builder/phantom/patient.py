"""One patient of the phantom: drawn, scanned, read and written."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from builder.phantom.anatomy import Anatomy, build_anatomy
from builder.phantom.burden import draw_burden
from builder.phantom.identity import Identity
from builder.phantom.lesions import Lesion
from builder.phantom.noise import Noise, strength
from builder.phantom.painting import Painter
from builder.phantom.readers import read
from builder.phantom.records import ScanRecord
from builder.phantom.scanner import Scanner, draw_scanner
from builder.phantom.series import Sequence, Series, draw_sequence, outside, stored, write_localizer
from builder.phantom.stature import draw_stature

HEALTHY = 8
"""Every so many patients, one has no nodule."""
LOCALIZER = 4
"""Every so many patients, one has a localizer beside the CT: the second of each group."""
ROLES = ("stature", "scanner", "anatomy", "burden", "sequence", "noise", "readers")
"""What is drawn from random streams of their own, so that a change to one leaves the others as they were."""


@dataclass(frozen=True)
class Subject:
    """A patient before the scan."""

    identity: Identity
    anatomy: Anatomy
    lesions: tuple[Lesion, ...]
    scanner: Scanner
    sequence: Sequence

    @property
    def contrast(self) -> bool:
        """Whether contrast medium was given."""
        return self.anatomy.stature.contrast > 0


def draw_subject(identity: Identity) -> Subject:
    """A patient's body, and how it will be scanned."""
    stature = draw_stature(_stream(identity, "stature"), identity.size)
    scanner = draw_scanner(_stream(identity, "scanner"), identity.size, stature, identity.number)
    anatomy = build_anatomy(_stream(identity, "anatomy"), identity.size, stature, scanner)
    healthy = identity.number % HEALTHY == 0
    lesions = () if healthy else draw_burden(_stream(identity, "burden"), anatomy, scanner, identity.size)
    return Subject(identity, anatomy, lesions, scanner, draw_sequence(_stream(identity, "sequence"), scanner))


def write_patient(out: Path, identity: Identity) -> ScanRecord:
    """Write a patient's folder into ``out``, beside and then renamed; an old one is replaced.

    Returns:
        What the annotation database has to say of the scan.
    """
    subject = draw_subject(identity)
    final, partial = out / identity.patient, out / f".{identity.patient}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    _write_study(partial / identity.uid("study"), subject)
    if final.exists():
        shutil.rmtree(final)
    partial.rename(final)
    return _record(subject)


def _stream(identity: Identity, role: str) -> np.random.Generator:
    """The random stream of one role of this patient alone."""
    key = (identity.number, len(identity.size), ROLES.index(role))
    return np.random.default_rng(np.random.SeedSequence(identity.seed, spawn_key=key))


def _write_study(study: Path, subject: Subject) -> None:
    identity, scanner = subject.identity, subject.scanner
    series = Series(_made(study / identity.uid("ct")), identity, scanner, subject.sequence, subject.contrast)
    noise = Noise(_stream(identity, "noise"), scanner)
    deviation, beyond = strength(scanner, *subject.anatomy.stature.girth), outside(scanner)
    scouted = identity.number % LOCALIZER == 2
    projection = np.empty((scanner.slices, scanner.matrix), dtype=np.float32)
    for index, hu in enumerate(Painter(subject.anatomy, subject.lesions, scanner).slices()):
        hu += noise.plane() * deviation
        series.write(index, stored(hu, scanner, beyond))
        if scouted:
            projection[-1 - index] = hu.mean(axis=0)
    if scouted:
        write_localizer(_made(study / identity.uid("localizer")), identity, scanner, projection)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _record(subject: Subject) -> ScanRecord:
    identity, scanner, sequence = subject.identity, subject.scanner, subject.sequence
    return ScanRecord(
        study=identity.uid("study"),
        series=identity.uid("ct"),
        patient=identity.patient,
        thickness=scanner.thickness,
        pixel=scanner.pixel,
        contrast=subject.contrast,
        heights=tuple(z for _, _, z in sequence.positions),
        files=sequence.files,
        readings=read(_stream(identity, "readers"), subject.lesions, scanner, sequence),
    )
