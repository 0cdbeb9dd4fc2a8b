import pickle
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from builder import inpaint as stage
from builder.local_engine import LocalEngine
from generation.choice import choose
from generation.cubes import SCHEMA, CubeStore

CUBES = 22
"""Of a manipulation: three batches on a CPU."""


def store(path, cubes):
    kinds = [("injection", "removal")[number % 2] for number in range(len(cubes))]
    rows = [
        {"kind": "site", "index": number, "cube_id": f"{kind[:3]}_{number}", "scan_id": "1.2", "patient_id": "P",
         "manipulation": kind, "tissue": "nodule", "seed": number + 1}
        for number, kind in enumerate(kinds)
    ]  # fmt: skip
    training = np.empty((0, 40, 40, 40), dtype=np.int16)
    return CubeStore.write(path, cubes, training, pa.Table.from_pylist(rows, schema=SCHEMA))


@pytest.fixture
def cubes():
    return np.random.default_rng(0).integers(-1000, 400, (2 * CUBES, 32, 32, 32)).astype(np.int16)


@pytest.fixture
def inpaint(tmp_path, cubes, monkeypatch):
    """Fills and returns (batches that were filled, cubes that were ready, results)."""

    def run(inpainter="noisy_inpainter:Noisy", cubes=cubes, work="work", stop_at=None, workers=1):
        filled, counted = [], []

        def fill(inpainter, batch, seeds):
            if len(filled) == stop_at:
                raise KeyboardInterrupt
            filled.append(len(batch))
            return original(inpainter, batch, seeds)

        with monkeypatch.context() as patch:
            original = stage.fill
            patch.setattr(stage, "fill", fill)
            choices = choose(tmp_path / "none", [inpainter])
            found = stage.inpaint(
                store(tmp_path / "cubes.zarr", cubes), choices, tmp_path / work, "cpu",
                LocalEngine(workers), lambda count, ready: counted.append(count * ready),
            )  # fmt: skip
        return filled, sum(counted), {each.config: each.cubes for each in found}

    return run


def check_same(one, other):
    assert one.keys() == other.keys()
    for config, cubes in one.items():
        assert cubes.keys() == other[config].keys()
        for site, cube in cubes.items():
            np.testing.assert_array_equal(cube, other[config][site])


def test_every_site_gets_its_own_cube(inpaint, cubes):
    filled, ready, found = inpaint()
    assert (filled, ready) == ([8, 8, 6] * 4, 0)
    for number, cube in enumerate(cubes):
        kind = ("injection", "removal")[number % 2]
        site = f"{kind[:3]}_{number}"
        np.testing.assert_array_equal(found[f"identity-{kind}"][site], cube)
        noisy = found[f"noisy-{kind}"][site]
        assert np.array_equal(noisy[:8], cube[:8])
        assert not np.array_equal(noisy[8:24, 8:24, 8:24], cube[8:24, 8:24, 8:24])


def test_batches_that_were_done_are_not_done_again_and_bits_stay(inpaint):
    *_, undisturbed = inpaint(work="undisturbed")
    with pytest.raises(KeyboardInterrupt):
        inpaint(stop_at=8)
    filled, ready, found = inpaint()
    assert (len(filled), ready) == (4, 2 * CUBES + 8 + 8)  # the control, and two batches of the next
    check_same(found, undisturbed)


def test_cubes_that_have_changed_are_filled_again_and_the_others_are_not(inpaint, cubes):
    inpaint()
    changed = cubes.copy()
    changed[0] += 1
    filled, _, found = inpaint(cubes=changed)
    assert filled == [8, 8]  # the first batch of injections, by the control and by the other
    np.testing.assert_array_equal(found["identity-injection"]["inj_0"], changed[0])


def test_a_class_that_was_changed_fills_again(inpaint, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    code = "from noisy_inpainter import Noisy\nclass Mine(Noisy):\n    name = 'mine'\n"
    for text, batches in ((code, 12), (code, 0), (code + "    # another thought\n", 6)):
        (tmp_path / "their_own.py").write_text(text)
        sys.modules.pop("their_own", None)
        from builder import code as codes

        codes._checksum.cache_clear()
        assert len(inpaint("their_own:Mine")[0]) == batches


def test_code_is_told_by_all_files_of_its_package(tmp_path, monkeypatch):
    from builder.code import _checksum, code_sha256

    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "their_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "painter.py").write_text("class Painter: pass\n")
    (package / "helper.py").write_text("WIDTH = 3\n")
    from their_package.painter import Painter

    before = code_sha256(Painter)
    (package / "helper.py").write_text("WIDTH = 4\n")
    _checksum.cache_clear()
    assert before != code_sha256(Painter) is not None
    Painter.__module__ = "__main__"
    assert code_sha256(Painter) is None


def test_results_are_not_held_in_memory_nor_sent_to_workers(inpaint):
    *_, found = inpaint()
    assert sum(map(len, found.values())) == 4 * CUBES
    assert len(pickle.dumps(found)) < 100_000 < found["noisy-removal"]["rem_1"].nbytes * CUBES
    assert found["noisy-removal"]["rem_1"].base is None


def test_a_batch_is_filled_by_one_thread_since_last_bits_depend_on_their_number(inpaint):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        *_, found = inpaint("noisy_inpainter:CountsThreads")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert {int(cube[16, 16, 16]) for cube in found["counts-removal"].values()} == {1}


def test_cubes_do_not_depend_on_the_number_of_processes_that_fill(inpaint, cubes, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    *_, one = inpaint(work="one")
    filled, ready, two = inpaint(work="two", workers=2)
    assert (filled, ready) == ([], 0)  # not by this process
    check_same(two, one)
