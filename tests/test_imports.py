"""The architecture: everyone knows the dataset, the dataset knows nobody, and the judge never sees the forger."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "m3dsynth_dataset": set(),
    "generation": {"m3dsynth_dataset"},
    "builder": {"m3dsynth_dataset", "generation"},
    "benchmarks": {"m3dsynth_dataset"},
}


def imported_by(package, root=ROOT):
    """The top-level names that any file of a package imports, at any depth of the code."""
    for path in (root / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.partition(".")[0]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_the_siblings_that_it_may(package):
    siblings = MAY_IMPORT.keys() - {package}
    assert siblings & set(imported_by(package)) <= MAY_IMPORT[package]


@pytest.mark.parametrize("forbidden", ["torch", "matplotlib", "scipy", "pylidc"])
def test_the_reader_needs_no_heavy_library(forbidden):
    assert forbidden not in set(imported_by("m3dsynth_dataset"))


def test_opening_a_release_loads_no_torch():
    code = "import sys, m3dsynth_dataset; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


@pytest.mark.parametrize("module", ["m3dsynth_dataset.cli", "m3dsynth_dataset.export.batch"])
def test_the_reader_runs_without_the_libraries_of_the_extra_for_exports(module):
    absent = dict.fromkeys(("pydicom", "highdicom", "nibabel", "SimpleITK"))
    code = f"import sys; sys.modules.update({absent}); import {module}"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


def test_nobody_imports_pylidc():
    assert all("pylidc" not in set(imported_by(package)) for package in MAY_IMPORT)


def test_the_check_sees_an_import_inside_a_function(tmp_path):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "bad.py").write_text("def f():\n    from generation.zoo import load\n")
    assert "generation" in set(imported_by("benchmarks", tmp_path))


def test_nothing_is_called_m3dsynth():
    """In the root that name is the built release, which is why ``load_dataset("m3dsynth")`` finds it there."""
    assert not (ROOT / "m3dsynth.py").exists()
    assert not (ROOT / "m3dsynth" / "__init__.py").exists()
