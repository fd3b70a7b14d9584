"""The distance of images from those of the training, in batch norms whose statistics are known."""

import math

import pytest
import torch
from torch import nn

from striate.transfer.similarity import distance


def norm(mean=0.0, variance=1.0, channels=8):
    layer = nn.BatchNorm2d(channels, eps=0)
    layer.running_mean.fill_(mean)
    layer.running_var.fill_(variance)
    return layer.eval()


@pytest.fixture
def images():
    x = torch.randn(16, 8, 20, 20, generator=torch.Generator().manual_seed(0))
    x = x - x.mean((0, 2, 3), keepdim=True)
    return x / x.var((0, 2, 3), keepdim=True).sqrt()


@pytest.mark.parametrize(
    ("mean", "variance", "expected"),
    [
        (0, 1, 0),
        (1, 1, 0.5),
        (0, math.e**2, 0.5 * (math.e**-2 - 1 + 2)),
        (3, 4, 0.5 * (0.25 - 1 + math.log(4) + 9 / 4)),
    ],
)
def test_it_is_the_divergence_of_two_normal_distributions(images, mean, variance, expected):
    assert distance(norm(mean, variance), images) == pytest.approx(expected, abs=1e-5)


def test_layers_are_averaged_and_a_wild_channel_does_not_count(images):
    wild = norm()
    wild.running_mean[3] = 1e4
    assert distance(nn.Sequential(wild, nn.Identity()), images) == pytest.approx(0, abs=1e-5)
    both = nn.Sequential(norm(1), norm(0))
    assert distance(both, images) == pytest.approx((0.5 + 0.5) / 2, abs=1e-4)  # the first hands on a mean of -1


def test_a_network_without_statistics_does_not_know(images):
    assert math.isnan(distance(nn.Conv2d(8, 4, 3), images))
    assert math.isnan(distance(nn.BatchNorm2d(8, track_running_stats=False), images))


def test_the_network_stays_as_it_was(images):
    layer = norm()
    distance(layer, images + 5)
    assert not layer._forward_pre_hooks
    assert (layer.running_mean == 0).all()
