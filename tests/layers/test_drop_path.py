"""Drop path against timm's and its probabilities."""

import pytest
import timm.layers
import torch

from striate.errors import UsageError
from striate.layers import DropPath


@pytest.mark.parametrize("shape", [(16, 3, 4, 4), (16, 5), (16,)])
def test_it_is_timms(shape):
    x = torch.randn(shape)
    torch.manual_seed(3)
    ours = DropPath(0.3)(x)
    torch.manual_seed(3)
    torch.testing.assert_close(ours, timm.layers.DropPath(0.3)(x))


def test_whole_images_are_dropped_and_the_mean_stays():
    torch.manual_seed(0)
    x = torch.ones(20_000, 2, 2)
    y = DropPath(0.25)(x)
    assert torch.equal(y.amin((1, 2)), y.amax((1, 2)))
    torch.testing.assert_close(y.unique(), torch.tensor([0, 1 / 0.75]))
    assert (y[:, 0, 0] == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert y.mean().item() == pytest.approx(1, abs=0.02)


def test_evaluation_and_probability_zero_change_nothing():
    x = torch.randn(4, 3)
    assert DropPath(0.9).eval()(x) is x
    assert DropPath(0)(x) is x


@pytest.mark.parametrize("probability", [-0.1, 1, 1.5])
def test_impossible_probabilities(probability):
    with pytest.raises(UsageError, match=f"probability is {probability}"):
        DropPath(probability)
