import pytest
import torch

from benchmarks.detectors.own_forgeries import SHARE, SIDES, with_own_forgeries

COUNT, TAMPERED = 200, 20


@pytest.fixture(scope="module")
def pristine():
    source = torch.Generator().manual_seed(0)
    ct = (-800 + 40 * torch.randn(COUNT, 6, 48, 48, generator=source)).round().short()
    mask = torch.zeros(ct.shape, dtype=torch.bool)
    mask[:TAMPERED, :, 10:20, 10:20] = True
    return {"ct": ct, "mask": mask}


@pytest.fixture(scope="module")
def forged(pristine):
    return with_own_forgeries(pristine, torch.Generator().manual_seed(1))


def changed(pristine, forged):
    return [index for index in range(COUNT) if not torch.equal(pristine["mask"][index], forged["mask"][index])]


def test_some_of_the_pristine_slabs_are_forged_and_no_others(pristine, forged):
    found = changed(pristine, forged)

    assert min(found) >= TAMPERED
    assert len(found) / (COUNT - TAMPERED) == pytest.approx(SHARE, abs=0.12)
    assert torch.equal(pristine["ct"][:TAMPERED], forged["ct"][:TAMPERED])


def test_no_voxel_differs_outside_the_mask_and_most_do_within(pristine, forged):
    differs = pristine["ct"] != forged["ct"]
    found = changed(pristine, forged)

    assert not differs[TAMPERED:][~forged["mask"][TAMPERED:]].any()
    assert differs[found][forged["mask"][found]].float().mean() > 0.8


def test_a_mask_is_a_box_of_about_an_inpainters_size(pristine, forged):
    for index in changed(pristine, forged):
        mask = forged["mask"][index]
        z, y, x = (mask.any(dim).any(dim2).sum().item() for dim, dim2 in ((1, 1), (0, 1), (0, 0)))
        assert mask.sum() == z * y * x
        assert SIDES[0] <= y <= SIDES[1]
        assert SIDES[0] <= x <= SIDES[1]


def test_noise_grows_weaker_in_some_and_stronger_in_others(pristine, forged):
    ratios = []
    for index in changed(pristine, forged):
        inner = torch.nn.functional.max_pool2d(1.0 - forged["mask"][index].float(), 9, stride=1, padding=4) == 0
        if inner.any():
            ratios.append((forged["ct"][index].float()[inner].std() / 40).item())

    assert min(ratios) < 0.5
    assert max(ratios) > 1.5


def test_the_same_seed_gives_the_same_and_what_came_in_is_left_alone(pristine, forged):
    again = with_own_forgeries(pristine, torch.Generator().manual_seed(1))

    assert torch.equal(again["ct"], forged["ct"])
    assert not pristine["mask"][TAMPERED:].any()
    assert forged["ct"].dtype == torch.int16


def test_a_slab_smaller_than_a_box_is_forged_whole():
    slabs = {"ct": torch.zeros(8, 2, 10, 10, dtype=torch.int16), "mask": torch.zeros(8, 2, 10, 10, dtype=torch.bool)}
    forged = with_own_forgeries(slabs, torch.Generator().manual_seed(0))

    assert forged["mask"].flatten(1).all(1).any()
