"""Slabs for tests of detectors: noise of a scanner, and places that an inpainter has filled too smoothly."""

import torch
from torch.nn import functional

EDIT = 20
"""Pixels of an edit's side."""


def mixed_batch(*, count=4, depth=1, height=64, width=64, seed=0):
    """Slabs in HU and masks; the first half is tampered."""
    source = torch.Generator().manual_seed(seed)
    hu = -800 + 60 * torch.randn(count, depth, height, width, generator=source)
    smooth = functional.avg_pool2d(functional.pad(hu, (2, 2, 2, 2), mode="replicate"), 5, stride=1)
    mask = torch.zeros(hu.shape, dtype=torch.bool)
    for slab in range(count // 2):
        top = int(torch.randint(height - EDIT + 1, (), generator=source))
        left = int(torch.randint(width - EDIT + 1, (), generator=source))
        mask[slab, :, top : top + EDIT, left : left + EDIT] = True
    return torch.where(mask, smooth, hu), mask


def pristine_batch(**sizes):
    """Slabs in which nothing is tampered."""
    hu, mask = mixed_batch(**sizes)
    return hu.flip(0)[: len(hu) // 2], mask.flip(0)[: len(mask) // 2]


def learned(network, steps, *, hu, mask):
    """Losses of a short training on one batch, with the network's own optimiser and schedule."""
    optimizer = network.train().optimizer()
    rates = [group["lr"] for group in optimizer.param_groups]
    losses = []
    for step in range(steps):
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * network.learning_rate(step / steps)
        loss = network.loss(network(hu), mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def without_gradient(network, hu, mask):
    """Names of trainable parameters that the loss does not reach, or reaches with something that is no number."""
    loss = network.train().loss(network(hu), mask)
    assert loss.isfinite()
    loss.backward()
    return [
        name
        for name, tensor in network.named_parameters()
        if tensor.requires_grad and (tensor.grad is None or not tensor.grad.isfinite().all() or not tensor.grad.any())
    ]


def parameters(network_class, preset="paper"):
    """How many are to be learned."""
    with torch.device("meta"):
        network = network_class(network_class.presets[preset])
    return sum(tensor.numel() for tensor in network.parameters() if tensor.requires_grad)


def f1(logits, mask):
    """Of a map, at a probability of 0.5."""
    found = logits > 0
    return 2 * (found & mask).sum().item() / (found.sum() + mask.sum()).item()
