import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.equalisation import Equalisation
from generation.errors import GenerationError
from generation.filling import fill, masked
from generation.identity import Identity
from generation.mask import core
from generation.zoo import load_inpainter


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
    assert list(inpainter.seeds) == [5, 6]


def test_masked_cubes_show_the_level_zero_in_hu():
    shown = masked(Constant(0.0), noise(0))
    assert len(np.unique(shown[:, core()])) == 1
    assert np.array_equal(shown[:, ~core()], noise(0)[:, ~core()])


def test_neither_neighbours_nor_the_size_of_the_batch_change_a_cube(weights, store):
    inpainter, (cubes, _) = load_inpainter(weights), store.sites("injection")
    together = fill(inpainter, cubes, [0] * len(cubes))
    alone = np.concatenate([fill(inpainter, cube[None], [0]) for cube in cubes])
    in_threes = fill(inpainter, cubes[::-1].copy(), [0] * len(cubes), batch_size=3)[::-1]
    assert np.array_equal(together, alone)
    assert np.array_equal(together, in_threes)


def test_each_cube_needs_a_seed():
    with pytest.raises(GenerationError, match="got 1 seeds for 2 cubes"):
        fill(Identity(), noise(0), [1])


def test_nan_is_an_error_and_no_picture():
    with pytest.raises(GenerationError, match="inpainter 'constant' returned NaN"):
        fill(Constant(float("nan")), noise(0), [1, 2])


def test_an_answer_of_another_shape_is_an_error():
    inpainter = Constant(0.0)
    inpainter.inpaint = lambda masked, seeds: masked[:, :, 1:]
    with pytest.raises(GenerationError, match=r"shape \(2, 1, 32, 32, 32\), got \(2, 1, 31, 32, 32\)"):
        fill(inpainter, noise(0), [1, 2])
