"""The eager engine against the network itself, and the mode in which it leaves it."""

import numpy as np
import pytest
import torch
from torch import nn

from striate.data import Preprocessing
from striate.engines import Eager, evaluating

LOOK = Preprocessing((8, 8), 3, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
PICTURES = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)


@pytest.mark.parametrize(("kind", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-6), (torch.bfloat16, 0.05)])
def test_logits_are_those_of_the_network_in_its_own_precision(kind, tolerance):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 6)).eval()
    scaled = (PICTURES / 255 - np.array(LOOK.mean)) / np.array(LOOK.std)
    with torch.no_grad():
        expected = network.double()(torch.from_numpy(scaled).permute(0, 3, 1, 2)).numpy()
    logits = Eager(network.to(kind), LOOK.normalise)(PICTURES)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, expected, atol=tolerance * np.abs(expected).max() * 10)


def test_pictures_reach_the_network_with_their_channels_last_and_without_a_copy():
    seen = []
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten())
    shown = []

    def normalise(batch):
        shown.append(batch)
        return LOOK.normalise(batch)

    network[0].register_forward_pre_hook(lambda layer, given: seen.append(given[0]))
    Eager(network, normalise)(PICTURES)
    assert seen[0].is_contiguous(memory_format=torch.channels_last)
    assert shown[0].data_ptr() == PICTURES.ctypes.data
    assert not seen[0].requires_grad


def test_a_network_comes_back_in_its_mode_whatever_happens():
    for training in (True, False):
        network = nn.Sequential(nn.Dropout(), nn.Linear(2, 2)).train(training)
        modes = []
        with pytest.raises(ZeroDivisionError), evaluating(network):
            modes.append(network.training or 1 / 0)
        assert not modes
        assert all(module.training == training for module in network.modules())


def test_pictures_that_must_not_be_written_to_are_copied_lest_pytorch_warns(monkeypatch):
    seen, really = [], torch.from_numpy
    monkeypatch.setattr(torch, "from_numpy", lambda array: seen.append(array.flags.writeable) or really(array))
    locked = PICTURES.copy()
    locked.flags.writeable = False
    engine = Eager(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten()), LOOK.normalise)
    np.testing.assert_array_equal(engine(locked), engine(PICTURES))
    assert seen == [True, True]
