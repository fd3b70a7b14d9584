"""Layers made from words, beside the same layers of PyTorch and of this package made by hand."""

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.layers import L2Pool2d, LocallyConnected2d, LocalResponseNorm, SameConv2d, SamePool2d, SumPool2d
from striate.layers.activation import ACTIVATIONS
from striate.layers.from_words import layers_from_words

SHAPE = (4, 9, 8)


@pytest.mark.parametrize(
    ("text", "by_hand"),
    [
        ("conv 6 3x2 stride 2x1 pad 1x0", nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0))),
        ("conv 6 3x3 dilation 2 groups 2 no bias", nn.Conv2d(4, 6, 3, dilation=2, groups=2, bias=False)),
        ("conv 6 3x3 stride 2 same", SameConv2d(4, 6, 3, stride=2)),
        ("depthwise 3x3 pad 1", nn.Conv2d(4, 4, 3, padding=1, groups=4)),
        ("depthwise 8 3x3", nn.Conv2d(4, 8, 3, groups=4)),
        ("transposed 6 2x3 stride 2 pad 1 groups 2 no bias",
         nn.ConvTranspose2d(4, 6, (2, 3), 2, 1, groups=2, bias=False)),
        ("local 6 3x2 stride 2 pad 1 no bias",
         LocallyConnected2d(4, 6, (9, 8), (3, 2), stride=2, padding=1, bias=False)),
        ("pool 2x3", nn.MaxPool2d((2, 3))),
        ("pool max 3x3 stride 2 pad 1", nn.MaxPool2d(3, 2, 1)),
        ("pool average 3x3 stride 1", nn.AvgPool2d(3, 1)),
        ("pool sum 2x2", SumPool2d(2)),
        ("pool l2 2x2", L2Pool2d(2)),
        ("pool max 3x3 stride 2 same", SamePool2d("max", 3, 2)),
        ("pool average 2x2 same", SamePool2d("average", 2, 2)),
        ("global", nn.AdaptiveAvgPool2d(1)),
        ("global max", nn.AdaptiveMaxPool2d(1)),
        ("dense 7", nn.Sequential(nn.Flatten(), nn.Linear(4 * 9 * 8, 7))),
        ("norm", nn.BatchNorm2d(4)),
        ("lrn", LocalResponseNorm()),
        ("dropout", nn.Dropout()),
        ("flatten", nn.Flatten()),
        *((name, make()) for name, make in ACTIVATIONS.items()),
    ],
)  # fmt: skip
def test_a_layer_is_the_one_that_is_meant(text, by_hand):
    (layer,) = layers_from_words(SHAPE, text)
    layer.load_state_dict(by_hand.state_dict())
    x = torch.randn(2, *SHAPE, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(layer.eval()(x), by_hand.eval()(x), rtol=0, atol=0)


def test_layers_follow_each_other():
    chain = layers_from_words((3, 12, 12), "conv 5 3x3", "relu", "pool 2x2", "dense 10", "norm", "tanh", "dense 2")
    assert chain(torch.zeros(2, 3, 12, 12)).shape == (2, 2)
    assert [type(layer).__name__ for layer in chain][4] == "BatchNorm1d"
    assert isinstance(chain[6], nn.Linear)  # there is nothing to flatten any more
    assert len(layers_from_words((3, 4, 4))) == 0


@pytest.mark.parametrize(
    ("texts", "line"),
    [
        (["conv 6 10x3"], "'conv 6 10x3' does not fit: a kernel that spans 10 values, on a height of 9"),
        (["conv 6 3x13 pad 2"], "a kernel that spans 13 values, on a width of 8 padded by 2 at both ends"),
        (["pool 2x2", "pool 9x9"], "'pool 9x9' does not fit: a kernel that spans 9 values, on a height of 4"),
        (["conv 6 3x3 groups 4"], "'conv 6 3x3 groups 4': 4 groups cannot divide 4 channels into 6 filters"),
        (["conv 6 3x3 groups 3"], "3 groups cannot divide 4 channels into 6 filters"),
        (["depthwise 6 3x3"], "4 groups cannot divide 4 channels into 6 filters"),
        (["transposed 6 3x3 groups 4"], "4 groups cannot divide 4 channels into 6 filters"),
        (["transposed 6 3x3 same"], "a transposed convolution has no padding 'same'; say how many rows"),
        (["local 6 3x3 same"], "a locally connected layer has no padding 'same'; say how many rows"),
        (["pool 2x3 same"], "padding 'same' is for square windows of pool max and pool average"),
        (["pool 2x2 stride 1x2 same"], "padding 'same' is for square windows of pool max and pool average"),
        (["pool sum 2x2 same"], "padding 'same' is for square windows of pool max and pool average"),
        (["pool 3x3 pad 2"], "'pool 3x3 pad 2': a pooling is padded by half its kernel at most"),
        (["global sum"], "'global sum': over the whole map there is global average and global max"),
        (["dense 5", "conv 6 1x1"], "'conv 6 1x1' needs a map of rows and columns; before it are 5 values in a row"),
        (["flatten", "lrn"], "'lrn' needs a map of rows and columns; before it are 288 values in a row"),
        (["dense 99999999999999999999"], "'dense 99999999999999999999' takes more values than can be counted"),
        (["transposed 1 1x1 pad 9"], "'transposed 1 1x1 pad 9' does not fit an input of 9x8x4: "),
    ],
)  # fmt: skip
def test_layers_that_do_not_fit_are_told(texts, line):
    with pytest.raises(UsageError) as raised:
        layers_from_words(SHAPE, *texts)
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)
