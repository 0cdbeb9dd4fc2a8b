"""As many scans, patients and sites as the real ones, all of them tiny."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from joblib import Parallel, delayed
from tqdm import tqdm

from builder.patients import draw_patients
from builder.plan import plan_of
from builder.rehearsal.block import MATRIX, SLICES, Ball, BlockIdentity, write_block
from builder.site_list import PREFIX as SITE
from builder.sites import Site
from m3dsynth_dataset.types import Triple

SERIES, PATIENTS, SITES = 744, 738, 3251
"""Of M3Dsynth."""
REMOVED = 1016 / SITES
"""Share of the sites at which a nodule is removed."""
DIAMETERS_MM = (8.5, 18.5)
"""Of what is removed."""
MARGIN_ZYX = (6, 16, 16)
"""Voxels between a site and the block's faces."""


def write_crowd(out: Path, *, series: int = SERIES, sites: int = SITES, seed: int = 0, workers: int = 1) -> pa.Table:
    """Write the series of blocks of lung as DICOM.

    Args:
        out: New folder.
        series: How many; of every 124 patients one has two.
        sites: In all of them, evenly.
        seed: Of all randomness.
        workers: Processes; the result does not depend on them.

    Returns:
        The plan: every series and site, patients split as published.
    """
    identities = [_identity(number, series, seed) for number in range(series)]
    bounds = np.linspace(0, sites, series + 1).round().astype(int).tolist()
    shares = [
        _sites(identity, start, stop) for identity, (start, stop) in zip(identities, pairwise(bounds), strict=True)
    ]
    jobs = zip(identities, shares, strict=True)
    written = Parallel(workers, return_as="generator_unordered")(
        delayed(_write)(out, identity, mine) for identity, mine in jobs
    )
    for _ in tqdm(written, total=series, desc="writing blocks of lung", unit="series", disable=None):
        pass
    taken = {identity.uid("ct"): identity.patient for identity in identities}
    return plan_of(taken, [site for share in shares for site in share], draw_patients(taken.values(), seed), seed)


def _identity(number: int, series: int, seed: int) -> BlockIdentity:
    patients = max(1, round(series * PATIENTS / SERIES))
    return BlockIdentity(seed, "small", number % patients + 1, number // patients)


def _write(out: Path, identity: BlockIdentity, sites: Sequence[Site]) -> None:
    rng = _stream(identity, 1)
    balls = [
        Ball(site.centre_zyx, float(rng.uniform(*DIAMETERS_MM))) for site in sites if site.manipulation == "removal"
    ]
    write_block(out / identity.patient / identity.uid("study") / identity.uid("ct"), identity, balls, rng)


def _sites(identity: BlockIdentity, start: int, stop: int) -> list[Site]:
    rng = _stream(identity, 0)
    return [_site(identity, number, rng) for number in range(start, stop)]


def _site(identity: BlockIdentity, number: int, rng: np.random.Generator) -> Site:
    manipulation = "removal" if rng.random() < REMOVED else "injection"
    return Site(
        f"{SITE[manipulation]}_{number + 1}", identity.uid("ct"), identity.patient, manipulation, _place(rng),
        None, None, None,
    )  # fmt: skip


def _place(rng: np.random.Generator) -> Triple:
    z, y, x = (
        int(rng.integers(margin, length - margin))
        for margin, length in zip(MARGIN_ZYX, (SLICES, MATRIX, MATRIX), strict=True)
    )
    return z, y, x


def _stream(identity: BlockIdentity, role: int) -> np.random.Generator:
    return np.random.default_rng([identity.seed, identity.number, identity.series, role])
