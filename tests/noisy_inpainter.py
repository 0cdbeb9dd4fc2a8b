"""A cheap inpainter of a user's own: seeded noise in the core of every cube."""

import numpy as np
import torch

from generation.equalisation import Equalisation


class Noisy:
    name = "noisy"
    weights_sha256 = ""

    def __init__(self, manipulation):
        self.manipulation = manipulation
        self.equalisation = Equalisation.linear()
        self.hidden = np.zeros((32, 32, 32), dtype=np.bool_)
        self.hidden[8:24, 8:24, 8:24] = True

    def inpaint(self, masked, seeds):
        noise = [torch.randn(1, 32, 32, 32, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        return (masked + 0.1 * torch.stack(noise)).clamp(-1, 1)


class CountsThreads(Noisy):
    """Fills with as many HU as threads are at work."""

    name = "counts"

    def inpaint(self, masked, seeds):
        hu = torch.full_like(masked, torch.get_num_threads(), dtype=torch.int16)
        return torch.where(torch.from_numpy(self.hidden), self.equalisation.equalise(hu), masked)
