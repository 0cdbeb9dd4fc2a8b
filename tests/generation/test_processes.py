"""Several processes that train together, for real: two of them on this machine's CPU."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from generation.processes import Processes

ROOT = Path(__file__).parents[2]


def launch(tmp_path, program):
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(program))
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"ACCELERATE_USE_CPU": "true", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *command, str(script)], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_one_process_has_the_whole_batch_and_nobody_to_ask():
    alone = Processes("cpu")
    tensor = torch.tensor([3.0])
    alone.average([tensor])
    assert (alone.count, alone.is_main, tensor.item()) == (1, True, 3.0)
    assert alone.share(8) == slice(0, 8)
    assert [alone.any(flag) for flag in (True, False)] == [True, False]


@pytest.mark.parametrize(("batch", "count"), [(8, 2), (7, 2), (8, 3)])
def test_the_shares_make_up_the_batch(batch, count):
    processes = Processes("cpu")
    processes.count = count
    seen = []
    for processes.rank in range(count):
        seen += range(batch)[processes.share(batch)]
    assert seen == list(range(batch))


def test_two_processes_average_and_agree(tmp_path):
    launch(
        tmp_path,
        """
        from pathlib import Path
        import torch
        from generation.processes import Processes
        both = Processes("cpu")
        tensors = [torch.full((2, 3), float(both.rank)), torch.tensor([10.0 * both.rank])]
        both.average(tensors)
        seen = [both.count, tensors[0].unique().tolist(), tensors[1].tolist(), both.any(both.rank == 1), both.share(8)]
        Path(__file__).with_name(f"rank{both.rank}.txt").write_text(str(seen))
        """,
    )
    seen = [(tmp_path / f"rank{rank}.txt").read_text() for rank in (0, 1)]
    assert seen == [f"[2, [0.5], [5.0], True, slice({share}, None)]" for share in ("0, 4", "4, 8")]


def test_two_processes_that_train_together_learn_the_same(store, tmp_path):
    launch(
        tmp_path,
        f"""
        from pathlib import Path
        from safetensors.torch import save_file
        from generation import training
        from generation.cubes import CubeStore
        from generation.processes import Processes
        from generation.zoo import trainable
        kept = training.Run.__call__
        def and_keep(run):
            inpainter = kept(run)
            tensors = dict(inpainter.network.state_dict())
            save_file(tensors, Path({str(tmp_path)!r}, f"rank{{run.processes.rank}}.safetensors"))
            return inpainter
        training.Run.__call__ = and_keep
        cubes, out = CubeStore.open({str(store.path)!r}), Path({str(tmp_path)!r}, "w")
        training.train(trainable("pix2pix"), "injection", cubes, out, preset="tiny", steps=2)
        """,
    )
    first, second = (load_file(tmp_path / f"rank{rank}.safetensors") for rank in (0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert (tmp_path / "w" / "pix2pix-injection.safetensors").is_file()
