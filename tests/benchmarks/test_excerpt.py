import numpy as np

from benchmarks.excerpt import excerpt
from m3dsynth_dataset import open_release


def test_an_excerpt_is_read_like_the_scan_it_was_cut_from(release_path):
    ct = open_release(release_path).sample("pix2pix/inj_1").ct
    part = excerpt(ct, (2, 15, 20), (6, 30, 25))

    assert part.shape == (6, 30, 25)
    np.testing.assert_array_equal(part[...], ct[2:8, 15:45, 20:45])
    np.testing.assert_array_equal(part[1, 4:9], ct[3, 19:24, 20:45])


def test_beyond_the_scan_there_is_air_and_so_there_is_beyond_the_excerpt(release_path):
    ct = open_release(release_path).sample("pix2pix/inj_1").ct
    part = excerpt(ct, (-3, 0, 0), (5, 8, 8))

    assert (part[:3] == -1000).all()
    np.testing.assert_array_equal(part[3:], ct[:2, :8, :8])
    assert (part.crop((4, 0, 0), (3, 8, 8))[1:] == -1000).all()
