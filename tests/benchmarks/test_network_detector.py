import numpy as np
import pytest
import torch
from small_networks import SlabNetwork, SliceNetwork

from benchmarks.detector import Detector
from benchmarks.network_detector import NetworkDetector
from m3dsynth_dataset import open_release


@pytest.fixture
def ct(release_path):
    return open_release(release_path).sample("pix2pix/inj_1").ct


@pytest.fixture(params=[SliceNetwork, SlabNetwork])
def detector(request):
    torch.manual_seed(0)
    return NetworkDetector(request.param(request.param.presets["tiny"]), "small", torch.device("cpu"), batch=3)


def test_it_is_a_detector(detector):
    assert isinstance(detector, Detector)
    assert detector.name == "small"


def test_every_slice_is_judged_once_and_in_order(detector, ct):
    verdicts = list(detector.judge(ct, 0, 20))

    assert [verdict.number for verdict in verdicts] == list(range(20))
    assert all(0 <= verdict.score <= 1 and verdict.map.shape == (70, 66) for verdict in verdicts)


@pytest.mark.parametrize(("first", "stop"), [(3, 4), (5, 12), (17, 20)])
def test_a_verdict_does_not_depend_on_which_slices_are_asked_for(detector, ct, first, stop):
    whole = list(detector.judge(ct, 0, 20))
    part = list(detector.judge(ct, first, stop))

    assert [verdict.number for verdict in part] == list(range(first, stop))
    for verdict in part:
        assert verdict.score == pytest.approx(whole[verdict.number].score, abs=1e-6)
        np.testing.assert_allclose(verdict.map, whole[verdict.number].map, atol=1e-6)


def test_a_slice_detector_judges_each_slice_by_itself(ct):
    network = SliceNetwork(SliceNetwork.presets["tiny"]).eval()
    detector = NetworkDetector(network, "small", torch.device("cpu"))
    answer = network(torch.from_numpy(ct[7:8][None]).float())
    (verdict,) = detector.judge(ct, 7, 8)

    assert detector.reach == 0
    np.testing.assert_allclose(verdict.map, answer.map[0, 0].sigmoid().detach().numpy(), atol=1e-6)
    assert verdict.score == pytest.approx(answer.score.sigmoid().item())


def test_dropout_is_off(detector, ct):
    first, again = (list(detector.judge(ct, 0, 4)) for _ in range(2))

    assert [verdict.score for verdict in first] == [verdict.score for verdict in again]
