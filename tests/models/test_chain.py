"""Chains: the parts that a network is put together of, and the head that fits its last map."""

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.models.chain import chain, convolved


def test_a_convolution_with_its_activation_and_perhaps_a_pool():
    plain = convolved(3, 8, 5, activation="elu")
    assert [(name, str(part)) for name, part in plain.named_children()] == [
        ("conv", "Conv2d(3, 8, kernel_size=(5, 5), stride=(1, 1))"),
        ("act", "ELU(alpha=1.0)"),
    ]
    pool = nn.AvgPool2d(2)
    padded = convolved(1, 4, 3, activation="relu", padding=2, pool=pool)
    assert [name for name, _ in padded.named_children()] == ["conv", "act", "pool"]
    assert padded.pool is pool
    assert padded.conv.padding == (2, 2)


@pytest.mark.parametrize("dropout", [None, 0.25])
def test_blocks_and_dense_layers_become_a_network(dropout):
    blocks = [
        convolved(2, 4, 3, activation="relu", pool=nn.MaxPool2d(2)),
        convolved(4, 5, 3, activation="relu"),
        convolved(5, 6, 2, activation="relu"),
    ]
    model = chain(
        blocks, (7, 9), 3, in_channels=2, input_size=(12, 14), min_size=10, activation="tanh", dropout=dropout
    ).eval()
    assert model.stem is blocks[0]
    assert dict(model.stages.named_children()) == {"stage1": blocks[1], "stage2": blocks[2]}
    assert (model.in_channels, model.min_size, model.fixed_size, model.num_classes) == (2, 10, (12, 14), 3)
    # 12x14 -> 10x12 -> 5x6 -> 3x4 -> 2x3
    assert [layer.in_features for layer in model.head if isinstance(layer, nn.Linear)] == [6 * 2 * 3, 7, 9]
    kinds = [name for name, _ in model.head.named_children()]
    if dropout is None:
        assert kinds == ["flatten", "dense1", "act1", "dense2", "act2", "classifier"]
    else:
        assert kinds == ["flatten", "dropout1", "dense1", "act1", "dropout2", "dense2", "act2", "classifier"]
        assert model.head.dropout2.p == 0.25
    assert isinstance(model.head.act2, nn.Tanh)
    assert model(torch.zeros(2, 2, 12, 14)).shape == (2, 3)


def test_an_impossible_dropout():
    block = convolved(1, 2, 3, activation="relu")
    with pytest.raises(UsageError, match="dropout is 1"):
        chain([block], (2,), 2, in_channels=1, input_size=(5, 5), min_size=3, activation="relu", dropout=1)
