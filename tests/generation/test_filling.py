import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.equalisation import Equalisation
from generation.errors import GenerationError
from generation.filling import check_cubes, fill, masked
from generation.identity import Identity
from generation.mask import core
from generation.zoo import trainable


class Constant:
    name = "constant"
    hidden = core()
    equalisation = Equalisation.linear()
    weights_sha256 = ""

    def __init__(self, level):
        self.level = level

    def inpaint(self, masked, seeds):
        self.seen, self.seeds = masked, seeds
        return torch.full_like(masked, self.level)


def noise(seed, count=2):
    return np.random.default_rng(seed).integers(-32768, 32768, (count, 32, 32, 32)).astype(np.int16)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_the_ring_comes_back_to_the_bit(seed):
    cubes = noise(seed)
    assert np.array_equal(fill(Constant(0.1), cubes, [1, 2])[:, ~core()], cubes[:, ~core()])


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_identity_gives_the_whole_cube_back(seed):
    assert np.array_equal(fill(Identity(), noise(seed), [1, 2]), noise(seed))


@pytest.mark.parametrize(("level", "hu"), [(0.0, 1024), (9.0, 3071), (-9.0, -1024)])
def test_the_core_is_restored_and_clipped(level, hu):
    assert np.abs(fill(Constant(level), noise(0), [1, 2])[:, core()] - hu).max() <= 1


def test_the_core_is_hidden_with_zeros_and_the_seeds_are_handed_on():
    inpainter = Constant(0.0)
    fill(inpainter, noise(0), [5, 6])
    assert not inpainter.seen[:, 0, torch.from_numpy(core())].any()
    assert list(inpainter.seeds)[:2] == [5, 6]


def test_masked_cubes_show_the_level_zero_in_hu():
    shown = masked(Constant(0.0), noise(0))
    assert len(np.unique(shown[:, core()])) == 1
    assert np.array_equal(shown[:, ~core()], noise(0)[:, ~core()])


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "dm-ddim50", "dm-dpmpp20"])
def test_a_cube_is_filled_the_same_to_the_bit_whoever_stands_beside_it(store, name):
    torch.manual_seed(0)
    model = trainable(name)
    config = model.presets["tiny"]
    inpainter = model(model.blank(config), config, Equalisation.linear())
    cubes, table = store.sites("injection")
    cubes, seeds = cubes[:3], table["seed"].to_pylist()[:3]
    together = fill(inpainter, cubes, seeds)
    assert np.array_equal(fill(inpainter, cubes[1:2], seeds[1:2]), together[1:2])
    assert np.array_equal(fill(inpainter, cubes[::-1].copy(), seeds[::-1])[::-1], together)


def test_every_batch_has_the_same_size_and_nothing_of_the_padding_comes_back():
    inpainter, sizes = Constant(0.0), []
    inpainter.inpaint = lambda masked, seeds: sizes.append((len(masked), len(seeds))) or torch.zeros_like(masked)
    assert fill(inpainter, noise(0, 10), list(range(10))).shape == (10, 32, 32, 32)
    assert sizes == [(8, 8), (8, 8)]


def test_a_batch_that_outgrows_the_memory_is_halved():
    inpainter, sizes = Constant(0.1), []

    def inpaint(masked, seeds):
        sizes.append(len(masked))
        if len(masked) > 2:
            raise torch.OutOfMemoryError
        return torch.full_like(masked, 0.1)

    inpainter.inpaint = inpaint
    cubes = noise(0, 5)
    assert np.array_equal(fill(inpainter, cubes, [0] * 5), fill(Constant(0.1), cubes, [0] * 5))
    assert sizes == [8, 4, 2, 2, 2]


def test_one_cube_that_outgrows_the_memory_is_an_error():
    inpainter = Constant(0.0)

    def inpaint(masked, seeds):
        raise torch.OutOfMemoryError

    inpainter.inpaint = inpaint
    with pytest.raises(torch.OutOfMemoryError):
        fill(inpainter, noise(0), [0, 0])


def test_no_cubes_are_filled_with_nothing():
    assert fill(Constant(0.0), noise(0, 0), []).shape == (0, 32, 32, 32)


@pytest.mark.parametrize(
    ("cubes", "message"),
    [
        (np.full((1, 32, 32, 32), np.nan, np.float32), "HU as int16, got float32 with NaN in it"),
        (np.zeros((1, 32, 32, 32)), "HU as int16, got float64$"),
        ([1, 2], "HU as int16, got list"),
        (np.zeros((1, 31, 32, 32), np.int16), r"of shape \(n, 32, 32, 32\), got \(1, 31, 32, 32\)"),
    ],
)
def test_cubes_that_are_not_hu_are_refused(cubes, message):
    with pytest.raises(GenerationError, match=message):
        check_cubes(cubes, [0])


def test_each_cube_needs_a_seed():
    with pytest.raises(GenerationError, match="got 1 seeds for 2 cubes"):
        fill(Identity(), noise(0), [1])


def test_nan_is_an_error_and_no_picture():
    with pytest.raises(GenerationError, match="inpainter 'constant' returned NaN"):
        fill(Constant(float("nan")), noise(0), [1, 2])


def test_an_answer_of_another_shape_is_an_error():
    inpainter = Constant(0.0)
    inpainter.inpaint = lambda masked, seeds: masked[:, :, 1:]
    with pytest.raises(GenerationError, match=r"shape \(8, 1, 32, 32, 32\), got \(8, 1, 31, 32, 32\)"):
        fill(inpainter, noise(0), [1, 2])
