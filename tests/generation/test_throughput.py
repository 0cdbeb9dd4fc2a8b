import json
from dataclasses import asdict

import pytest
import torch

from generation import throughput
from generation.perf_list import merge
from generation.throughput import Throughput

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def rows():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(throughput, "CPU_BATCH", 1)
        patched.setattr(throughput, "CEILING_SIDES", {"cpu": (256,)})
        return list(throughput.measure("tiny", CPU, repeats=1))


def row(name, rate=1.0):
    return Throughput(name, 1.0, 2.0, "GFLOP/s", 0.5, None, "matrix product, fp32", rate, "cubes/s", "cpu")


def test_every_generator_is_measured_and_each_model_trained_once(rows):
    assert [row.name for row in rows] == [
        "pix2pix training",
        "pix2pix sampling",
        "cyclegan training",
        "cyclegan sampling",
        "dm training",
        "dm sampling",
        "dm-ddim50 sampling",
        "dm-dpmpp20 sampling",
    ]


def test_shares_are_of_the_measured_ceiling(rows):
    assert len({row.theirs for row in rows}) == 1
    assert all(row.ratio == pytest.approx(row.ours / row.theirs) for row in rows)
    assert all(row.ratio > 0 for row in rows)


def test_the_two_ways_to_write_a_product_agree():
    a, b = torch.randn(5, 6), torch.randn(6, 7)
    assert torch.allclose(torch.nn.functional.conv1d(b[None], a[..., None])[0], a @ b, atol=1e-5)


def test_the_ceiling_counts_a_multiplication_and_an_addition_each(monkeypatch):
    monkeypatch.setattr(throughput, "_seconds", lambda product, device, repeats: 2.0)
    monkeypatch.setattr(throughput, "CEILING_SIDES", {"cpu": (10, 20)})
    assert throughput.matrix_ceiling(CPU, repeats=1) == 2 * 20**3 / 2.0


def test_the_arithmetic_of_a_product_is_counted_in_full():
    a, b = torch.ones(30, 40), torch.ones(40, 50)
    assert throughput._flops(lambda: a @ b) == 2 * 30 * 40 * 50


def test_fewer_steps_sample_more_cubes(rows):
    rates = {row.name: row.rate for row in rows}
    assert rates["dm-dpmpp20 sampling"] > rates["dm-ddim50 sampling"]


def test_measurements_take_the_place_of_those_of_the_same_name(tmp_path):
    path = tmp_path / "perf.json"
    path.write_text(json.dumps([{"name": "other"}, {"name": "a", "rate": 9}]))
    merge(path, map(asdict, [row("a"), row("b")]))
    assert [(each["name"], each.get("rate")) for each in json.loads(path.read_text())] == [
        ("other", None),
        ("a", 1.0),
        ("b", 1.0),
    ]


def test_without_a_gpu_the_table_says_that_none_was_measured():
    assert throughput.table([row("a")]).splitlines()[-1] == "GPU: not measured, none is at hand"
