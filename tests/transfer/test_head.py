"""Which last layers a linear classifier takes the place of."""

import numpy as np
import pytest
import torch
from torch import nn

from striate.models.obtain import adapt
from striate.transfer.head import UnfitHead, is_linear, put_in_head
from striate.transfer.shallow import by_means


class Own(nn.Linear):
    """As libraries have their own."""

    def forward(self, x):
        return nn.functional.linear(x, self.weight, self.bias)


def network(last):
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
    return adapt(nn.Sequential(body, *last), {"input_size": (8, 8), "in_channels": 3})


@pytest.mark.parametrize(
    "last",
    [
        [nn.Flatten(), nn.Linear(4, 2)],
        [nn.Flatten(), Own(4, 2)],
        [nn.Conv2d(4, 2, 1)],
        [nn.Flatten(), nn.Linear(4, 2, bias=False)],
    ],
    ids=["dense", "own", "convolution", "without bias"],
)
def test_dense_layers_of_any_kind_are_given_the_classifiers_weights(last):
    found = network(last)
    classifier = by_means(np.random.default_rng(0).random((6, 4), np.float32), np.array([0, 1] * 3), 2)
    put_in_head(found, classifier)
    np.testing.assert_array_equal(found.last_layer.weight.detach().reshape(2, 4).numpy(), classifier.weight)


def test_a_layer_whose_weight_is_made_of_others_is_refused():
    found = network([nn.Flatten(), torch.nn.utils.parametrizations.weight_norm(nn.Linear(4, 2))])
    assert not is_linear(found)
    with pytest.raises(UnfitHead, match="whose place no linear classifier can take"):
        put_in_head(found, by_means(np.ones((2, 4), np.float32), np.array([0, 1]), 2))
