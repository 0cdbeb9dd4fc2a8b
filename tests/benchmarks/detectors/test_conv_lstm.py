import math

import pytest
import torch

from benchmarks.detectors.conv_lstm import ConvLSTM


def fixed(**biases):
    """One channel, one remembered; every weight 0, but for those of the middle that are given."""
    lstm = ConvLSTM(1, 1, 3)
    for tensor in lstm.parameters():
        torch.nn.init.zeros_(tensor)
    lstm.see.weight.data[:, 0, 1, 1] = torch.tensor([0.0, 0, 1, 0])
    lstm.see.bias.data = torch.tensor([biases.get(gate, 0.0) for gate in ("enter", "forget", "new", "leave")])
    return lstm


def value(x):
    return torch.full((1, 1, 2, 2), x)


def test_one_map_passes_the_half_open_gates():
    output = fixed()([value(0.7)])
    assert torch.allclose(output, value(0.5 * math.tanh(0.5 * math.tanh(0.7))))


def test_what_was_remembered_fades_by_the_forget_gate():
    cell = 0.5 * math.tanh(0.7)
    cell = (0.2 * 1 + 0.5) * cell + 0.5 * math.tanh(-0.2)
    output = fixed(forget=1.0)([value(0.7), value(-0.2)])
    assert torch.allclose(output, value(0.5 * math.tanh(cell)))


@pytest.mark.parametrize(("bias", "gate"), [(2.5, 1.0), (9.0, 1.0), (-2.5, 0.0), (-9.0, 0.0), (1.0, 0.7)])
def test_gates_are_lines_of_slope_a_fifth_between_shut_and_open(bias, gate):
    output = fixed(leave=bias)([value(3.0)])
    assert torch.allclose(output, value(gate * math.tanh(0.5 * math.tanh(3.0))))


def test_the_last_output_steers_the_gates():
    lstm = fixed()
    before = lstm([value(0.7), value(0.3)])
    lstm.recall.weight.data[2, 0, 1, 1] = 1
    assert not torch.allclose(lstm([value(0.7), value(0.3)]), before)
    assert torch.allclose(lstm([value(0.7)]), fixed()([value(0.7)]))


def test_forget_gates_start_open():
    bias = ConvLSTM(3, 2, 3).see.bias
    assert bias.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_maps_are_asked_for_one_by_one():
    made = []

    def maps():
        for number in range(3):
            made.append(number)
            yield torch.randn(1, 3, 5, 7)

    assert ConvLSTM(3, 2, 3)(maps()).shape == (1, 2, 5, 7)
    assert made == [0, 1, 2]


def test_a_sequence_without_maps_is_an_error():
    with pytest.raises(ValueError, match="at least one map"):
        ConvLSTM(3, 2, 3)([])
