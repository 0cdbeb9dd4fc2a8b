import torch

from benchmarks.detectors.rectification import Rectification


def test_each_branch_takes_from_the_other_at_most_all_of_it():
    torch.manual_seed(0)
    image, noise = torch.randn(2, 2, 8, 5, 7)
    rectified_image, rectified_noise = Rectification(8)(image, noise)
    for taken, other in [(rectified_image - image, noise), (rectified_noise - noise, image)]:
        share = taken / other
        assert (share > 0).all()
        assert (share < 1).all()


def test_what_is_taken_depends_on_channel_and_place():
    torch.manual_seed(0)
    image, noise = torch.randn(2, 1, 8, 5, 7)
    share = (Rectification(8)(image, noise)[0] - image) / noise
    by_channel = share - share.mean(dim=1, keepdim=True)
    by_place = share - share.mean(dim=(2, 3), keepdim=True)
    assert by_channel.std(dim=1).min() > 1e-3
    assert by_place.std(dim=(2, 3)).min() > 1e-3
    # It is a sum of one number per channel and one per place.
    alone = share.mean(dim=1, keepdim=True) + share.mean(dim=(2, 3), keepdim=True) - share.mean()
    assert torch.allclose(share, alone, atol=1e-4)


def test_without_an_other_branch_nothing_changes():
    image = torch.randn(1, 4, 3, 3)
    assert torch.equal(Rectification(4)(image, torch.zeros_like(image))[0], image)
