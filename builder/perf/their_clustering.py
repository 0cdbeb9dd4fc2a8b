"""pylidc's own clustering, timed: the package as it is installed, in a process of its own.

Run as ``python -m builder.perf.their_clustering N``: it clusters N scans that are spread over the database, and prints
JSON. pylidc 0.2.3 does not import today: parts of setuptools, numpy and scipy that it asks for are gone. Stand-ins for
those are put in place before it is loaded, here and nowhere else; none of them takes part in the clustering.
"""

import contextlib
import importlib
import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

GONE = {"int": int, "float": float, "bool": bool}
"""Names that numpy had for Python's own types."""


def load() -> Any:  # noqa: ANN401
    """The package pylidc."""
    for name, value in GONE.items():
        if name not in vars(np):
            setattr(np, name, value)
    resources: Any = ModuleType("pkg_resources")
    resources.resource_filename = lambda package, name: os.fspath(_folder(package) / name)
    sys.modules.setdefault("pkg_resources", resources)
    morphology: Any = ModuleType("scipy.ndimage.morphology")
    morphology.distance_transform_edt = importlib.import_module("scipy.ndimage").distance_transform_edt
    sys.modules.setdefault(morphology.__name__, morphology)
    os.environ.setdefault("MPLBACKEND", "Agg")
    return importlib.import_module("pylidc")


def cluster(count: int) -> list[dict[str, Any]]:
    """Seconds and sizes of the clusters of every scan of a sample.

    Args:
        count: How many scans, evenly spread over the database.
    """
    package = load()
    scans = package.query(package.Scan).order_by(package.Scan.id).all()
    chosen = np.unique(np.linspace(0, len(scans) - 1, min(count, len(scans))).astype(int)).tolist()
    return [_clustered(scans[index]) for index in chosen]


def _clustered(scan: Any) -> dict[str, Any]:  # noqa: ANN401
    begun = time.perf_counter()
    groups = scan.cluster_annotations(verbose=False)
    seconds = time.perf_counter() - begun
    return {"scan_id": scan.series_instance_uid, "seconds": seconds, "sizes": sorted(map(len, groups))}


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ImportError(f"{package} is not installed")
    return Path(spec.origin).parent


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        found = cluster(int(sys.argv[1]))
    sys.stdout.write(json.dumps(found))
