"""A convolutional LSTM (Shi et al., NeurIPS 2015): an LSTM in which each pixel also sees its neighbours."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn


class ConvLSTM(nn.Module):
    """Reads a sequence of maps and remembers ``hidden`` channels.

    As Keras has it: no peepholes, gates by a piecewise linear sigmoid of slope 0.2 (PyTorch's own has 1/6), and a
    forget gate whose bias starts at 1.

    Args:
        channels: Of each map.
        hidden: Channels of its memory.
        kernel: Side of its convolutions; odd.
    """

    def __init__(self, channels: int, hidden: int, kernel: int) -> None:
        super().__init__()
        self.see = nn.Conv2d(channels, 4 * hidden, kernel, padding=kernel // 2)
        self.recall = nn.Conv2d(hidden, 4 * hidden, kernel, padding=kernel // 2, bias=False)
        nn.init.xavier_uniform_(self.see.weight)
        nn.init.orthogonal_(self.recall.weight)
        forget = torch.arange(4 * hidden) // hidden == 1
        self.see.bias = nn.Parameter(forget.float())

    def forward(
        self, maps: Iterable[Float[Tensor, "batch channels height width"]]
    ) -> Float[Tensor, "batch hidden height width"]:
        """Its output after the last map. Maps are asked for one by one, and none is kept."""
        cell = output = None
        for x in maps:
            gates = self.see(x) if output is None else self.see(x) + self.recall(output)
            enter, forget, new, leave = gates.chunk(4, dim=1)
            entered = _gate(enter) * _tanh(new)
            cell = entered if cell is None else _gate(forget) * cell + entered
            output = _gate(leave) * _tanh(cell)
        if output is None:
            raise ValueError("maps must hold at least one map, got none")
        return output


def _gate(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    return (0.2 * x + 0.5).clamp(0, 1)


def _tanh(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """On a CPU, torch.tanh now and then gives fewer digits in its first call, and the same slice another score."""
    return 2 * torch.sigmoid(2 * x) - 1
