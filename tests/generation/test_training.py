import numpy as np
import pyarrow.compute as pc
import pytest
import torch

from generation import training
from generation.cubes import CubeStore
from generation.errors import GenerationError
from generation.filling import fill
from generation.training import batch_indices, train
from generation.weights import load
from generation.zoo import load_inpainter, trainable

PIX2PIX = trainable("pix2pix")
CENTRE = (slice(None), *(slice(13, 19),) * 3)


def filled_centre(store, out, manipulation):
    """Mean HU of the middle of the healthy sites, once filled by a model that was trained for a short while."""
    model = load_inpainter(train(PIX2PIX, manipulation, store, out, preset="tiny", steps=60))
    cubes, table = store.sites("injection")
    return fill(model, cubes, table["seed"].to_pylist())[CENTRE].mean()


def test_injection_learns_nodules_and_removal_learns_lung(store, tmp_path):
    removed = filled_centre(store, tmp_path, "removal")
    assert removed == pytest.approx(-800, abs=60)
    assert filled_centre(store, tmp_path, "injection") > removed + 80


def test_the_same_seed_gives_the_same_file(store, tmp_path, weights):
    with torch.random.fork_rng():
        torch.manual_seed(99)  # what went on before in this process must not matter
        again = train(PIX2PIX, "injection", store, tmp_path, preset="tiny", steps=2)
    other = train(PIX2PIX, "injection", store, tmp_path / "other", preset="tiny", steps=2, seed=1)
    assert again.read_bytes() == weights.read_bytes()
    assert other.read_bytes() != weights.read_bytes()


def test_training_leaves_the_global_generator_as_it_was(store, tmp_path):
    before = torch.get_rng_state()
    train(PIX2PIX, "injection", store, tmp_path, preset="tiny", steps=1)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_and_picture_lie_side_by_side(weights):
    assert sorted(path.name for path in weights.parent.iterdir()) == ["pix2pix-injection.png", weights.name]
    assert load(weights).manipulation == "injection"


@pytest.mark.parametrize("count", [5, 8, 100])
def test_each_round_sees_each_cube_once(count):
    seen = np.concatenate([batch_indices(step, 8, count, seed=3) for step in range(count)])
    assert all(sorted(turn) == list(range(count)) for turn in seen.reshape(-1, count))


def test_rounds_are_shuffled_anew():
    first, second = batch_indices(0, 50, 50, seed=0), batch_indices(1, 50, 50, seed=0)
    assert first.tolist() != second.tolist()


def test_a_store_without_training_cubes_says_which_are_missing(store, tmp_path):
    chosen = pc.field("kind") == "site"
    table = store.table.filter(chosen)
    sites = np.asarray(store.group["sites"])
    bare = CubeStore.write(tmp_path / "c", sites, np.empty((0, 40, 40, 40), np.int16), table)
    with pytest.raises(GenerationError, match=r"has no training cubes for removal; .* nodules under 8 mm"):
        train(PIX2PIX, "removal", bare, tmp_path / "w", preset="tiny")


def test_an_unknown_preset_names_those_that_are_known(store, tmp_path):
    with pytest.raises(GenerationError, match=r"has no preset 'huge' \(known: paper, tiny\)"):
        train(PIX2PIX, "injection", store, tmp_path, preset="huge")


def test_losses_that_are_not_finite_stop_the_training():
    with pytest.raises(GenerationError, match="diverged at step 7: l1 nan; try another seed"):
        training._finite({"l1": torch.tensor(float("nan"))}, 7)
