"""``python -m builder build``."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from builder.annotations import read_annotations
from builder.commands.plan_source import PlanSource
from builder.errors import BuilderError
from builder.inventory import find_series
from builder.plan import read_plan
from builder.plan_summary import summary


@dataclass(frozen=True)
class Build(PlanSource):
    """Build a release: scans, annotations and weights to a folder that load_dataset loads.

    Example: python -m builder build --lidc LIDC-IDRI --weights weights --out m3dsynth
    """

    plan_file: Annotated[Path | None, arg(name="plan")] = None
    """From `python -m builder plan`; planned with the options above when omitted."""
    weights: Path = Path("weights")
    """Folder of inpainters' weights; all that lie there are used."""
    inpainters: Annotated[tuple[str, ...] | None, arg(aliases=["--inpainter"])] = None
    """Use these only, by name (dm-ddim50 and dm-dpmpp20 use the weights of dm) or, for your own, as
    package.module:Class; the control is always built."""
    out: Path = Path("m3dsynth")
    """Folder to write; a release that is there is replaced once the new one is whole."""
    work: Path | None = None
    """Folder to keep what the stages leave; one that extract has filled spares reading DICOM again. Default: a folder
    beside --out, removed at the end."""
    engine: Literal["local", "ray"] = "local"
    """What spreads the work: processes of this machine, or Ray, on the cluster at RAY_ADDRESS (docs/cluster.md). The
    result does not depend on it."""
    workers: int = os.cpu_count() or 1
    """Processes on this machine; the result does not depend on it."""
    device: str = "auto"
    """What inpainters run on: auto, cpu, cuda, cuda:1."""
    strict: bool = False
    """Stop where a scan or a file would have to be left out."""
    yes: bool = False
    """Start although the disk looks too small; what is predicted is an upper estimate."""

    def run(self) -> None:
        """Write the release."""
        from builder.build import BuildOptions, build_release
        from builder.report import page_path

        if self.lidc is None:
            raise BuilderError("name the folder that holds the DICOM files with --lidc DIR")
        options = BuildOptions(
            self.weights,
            self.out,
            self.inpainters,
            self.work,
            self.workers,
            self.device,
            self.strict,
            self.yes,
            self.engine,
        )
        inventory = find_series(self.lidc, workers=self.workers)
        if self.plan_file is not None:
            plan = read_plan(self.plan_file)
        else:
            self.check()
            plan = self.plan(inventory, read_annotations(self.database()), self.workers)
        print(summary(plan))
        manifest = build_release(inventory, plan, options)
        configs = ", ".join(manifest.built["inpainters"])
        print(f"what was done and left out: {page_path(self.out)}")
        print(f"release in {self.out}, digest {manifest.digest[:16]}: {configs}")
