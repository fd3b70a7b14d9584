"""Heads: their layers in order with all settings, whatever the options."""

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.models.heads import convolutional, dense, dropout_layer, pooled


def said(head):
    """What a head prints, layer by layer."""
    return [f"{name}: {layer}" for name, layer in head.items()]


def linear(inputs, outputs):
    return f"Linear(in_features={inputs}, out_features={outputs}, bias=True)"


def drop(p):
    return f"Dropout(p={p}, inplace=False)"


FLATTEN = "flatten: Flatten(start_dim=1, end_dim=-1)"


def test_a_pooled_head():
    assert said(pooled(12, 5)) == [
        "pool: AdaptiveAvgPool2d(output_size=1)",
        FLATTEN,
        f"classifier: {linear(12, 5)}",
    ]
    assert said(pooled(12, 5, pool=nn.AdaptiveMaxPool2d, dropout=0.0)) == [
        "pool: AdaptiveMaxPool2d(output_size=1)",
        FLATTEN,
        f"dropout: {drop(0.0)}",
        f"classifier: {linear(12, 5)}",
    ]


@pytest.mark.parametrize(
    ("options", "layers"),
    [
        (
            {},
            [
                FLATTEN,
                f"dense1: {linear(30, 7)}",
                "act1: ReLU()",
                f"dropout1: {drop(0.5)}",
                f"dense2: {linear(7, 8)}",
                "act2: ReLU()",
                f"dropout2: {drop(0.5)}",
                f"classifier: {linear(8, 4)}",
            ],
        ),
        (
            {"pool": 2, "dropout": 0.25, "dropout_on": "inputs", "activation": "elu"},
            [
                "pool: AdaptiveAvgPool2d(output_size=(2, 2))",
                FLATTEN,
                f"dropout1: {drop(0.25)}",
                f"dense1: {linear(8, 7)}",
                "act1: ELU(alpha=1.0)",
                f"dropout2: {drop(0.25)}",
                f"dense2: {linear(7, 8)}",
                "act2: ELU(alpha=1.0)",
                f"classifier: {linear(8, 4)}",
            ],
        ),
        (
            {"pool": 1, "dropout": None, "dropout_on": "inputs"},
            [
                "pool: AdaptiveAvgPool2d(output_size=(1, 1))",
                FLATTEN,
                f"dense1: {linear(2, 7)}",
                "act1: ReLU()",
                f"dense2: {linear(7, 8)}",
                "act2: ReLU()",
                f"classifier: {linear(8, 4)}",
            ],
        ),
        (
            {"dropout": None},
            [
                FLATTEN,
                f"dense1: {linear(30, 7)}",
                "act1: ReLU()",
                f"dense2: {linear(7, 8)}",
                "act2: ReLU()",
                f"classifier: {linear(8, 4)}",
            ],
        ),
    ],
)
def test_a_head_of_dense_layers(options, layers):
    assert said(dense((2, 3, 5), (7, 8), 4, **options)) == layers


def test_a_head_whose_last_layer_is_a_convolution():
    assert said(convolutional(6, 3, dropout=0.25, activation="elu")) == [
        f"dropout: {drop(0.25)}",
        "classifier: Conv2d(6, 3, kernel_size=(1, 1), stride=(1, 1))",
        "act: ELU(alpha=1.0)",
        "pool: AdaptiveAvgPool2d(output_size=1)",
        FLATTEN,
    ]
    head = convolutional(6, 3, dropout=None, activation="relu")
    assert list(head) == ["classifier", "act", "pool", "flatten"]
    x = torch.randn(2, 6, 3, 4)
    places = x.permute(0, 2, 3, 1) @ head["classifier"].weight[:, :, 0, 0].T + head["classifier"].bias
    torch.testing.assert_close(nn.Sequential(*head.values())(x), places.clamp(min=0).mean((1, 2)))


@pytest.mark.parametrize("probability", [-0.1, 1, 1.5, float("nan")])
def test_a_dropout_that_is_no_fraction(probability):
    for build in (
        lambda p: dropout_layer(p),
        lambda p: dense((2, 3, 5), (7,), 4, dropout=p),
        lambda p: dense((2, 3, 5), (7,), 4, dropout=p, dropout_on="inputs"),
        lambda p: convolutional(6, 3, dropout=p, activation="relu"),
    ):
        with pytest.raises(UsageError, match=f"dropout is {probability}; a fraction from 0 up to 1 is needed"):
            build(probability)
    assert dropout_layer(0).p == 0
    assert not dropout_layer(0.5).inplace


def test_impossible_heads():
    with pytest.raises(UsageError, match="pool is 0; the side of the averaged map must be at least 1"):
        dense((2, 3, 5), (7,), 4, pool=0)
    with pytest.raises(UsageError, match=r"unknown dropout_on 'input'.*inputs"):
        dense((2, 3, 5), (7,), 4, dropout_on="input")
