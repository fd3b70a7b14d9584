"""LeNet and Keras's MNIST network, layer by layer."""

import pytest
import torch
from torch import nn

from striate.models import InputError, create_model


def counts(model: nn.Module) -> list[int]:
    return [
        sum(p.numel() for p in layer.parameters())
        for layer in model.modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    ]


def test_lenet_layers_have_the_taught_counts():
    assert counts(create_model("lenet5")) == [156, 2416, 48_120, 10_164, 850]


def test_lenet_has_the_same_layers_at_28_with_padding_and_at_32_without():
    small, large = create_model("lenet5"), create_model("lenet5", input_size=32)
    assert small.stem.conv.padding == (2, 2)
    assert large.stem.conv.padding == (0, 0)
    assert counts(small) == counts(large)
    assert small.stem(torch.zeros(1, 1, 28, 28)).shape == (1, 6, 14, 14)
    assert large.features(torch.zeros(1, 1, 32, 32)).shape == (1, 16, 5, 5)
    padded = torch.nn.functional.pad(x := torch.randn(2, 1, 28, 28), (2, 2, 2, 2))
    large.load_state_dict(small.state_dict())
    torch.testing.assert_close(small(x), large(padded))


def test_lenet_squashes_with_tanh_unless_told():
    assert isinstance(create_model("lenet5").stem.act, nn.Tanh)
    assert isinstance(create_model("lenet5", activation="sigmoid").stem.act, nn.Sigmoid)


def test_lenet_says_which_size_it_was_built_for():
    with pytest.raises(InputError, match="built for 28x28 pixels and got 32x32"):
        create_model("lenet5")(torch.zeros(1, 1, 32, 32))


def test_keras_mnist_layers_have_the_published_counts():
    assert counts(create_model("keras_mnist")) == [320, 18_496, 36_928, 36_928, 650]
