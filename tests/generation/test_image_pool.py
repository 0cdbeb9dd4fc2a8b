import torch

from generation.image_pool import ImagePool


def numbered(first, count=2):
    return (
        torch.arange(first, first + count, dtype=torch.float32).view(-1, 1, 1, 1, 1).expand(-1, 1, 32, 32, 32).clone()
    )


def numbers(cubes):
    return set(cubes[:, 0, 0, 0, 0].tolist())


def test_until_the_pool_is_full_new_results_are_shown():
    pool, rng = ImagePool(4), torch.Generator().manual_seed(0)
    assert numbers(pool.exchanged(numbered(1), rng)) == {1, 2}
    assert numbers(pool.exchanged(numbered(3), rng)) == {3, 4}
    assert numbers(pool.cubes) == {1, 2, 3, 4}


def test_nothing_is_lost_and_about_half_are_old():
    pool, rng = ImagePool(8), torch.Generator().manual_seed(0)
    old = 0
    for turn in range(60):
        before = numbers(pool.cubes) | numbers(numbered(2 * turn + 1))
        shown = numbers(pool.exchanged(numbered(2 * turn + 1), rng))
        assert shown <= before
        if turn >= 4:
            assert numbers(pool.cubes) | shown == before
            old += len(shown - numbers(numbered(2 * turn + 1)))
    assert 0.35 < old / (2 * 56) < 0.65


def test_a_checkpoint_keeps_the_pool():
    pool, rng = ImagePool(4), torch.Generator().manual_seed(0)
    pool.exchanged(numbered(1), rng)
    again = ImagePool(4)
    again.load_state_dict(pool.state_dict())
    assert numbers(again.exchanged(numbered(3), rng)) == {3, 4}
    assert numbers(again.cubes) == {1, 2, 3, 4}
