"""What the words leave open is found, and fits when it is built."""

import pytest

from striate.errors import UsageError
from striate.layers.from_words import layers_from_words
from striate.layers.in_words import parse
from striate.layers.measure import output_shape
from striate.layers.solving import solve


@pytest.mark.parametrize(
    ("text", "sizes", "outputs", "first"),
    [
        ("conv 96", (227, 227), (55, 55), "conv 96 11x11 stride 4"),
        ("conv 64 7x7", (224, 224), (112, 112), "conv 64 7x7 stride 2 pad 3"),
        ("conv 64 pad 3 stride 2 no bias", (224, 224), (112, 112), "conv 64 7x7 stride 2 pad 3 no bias"),
        ("pool", (28, 30), (14, 15), "pool 2x2"),
        ("pool average 3x3", (55, 55), (27, 27), "pool average 3x3 stride 2"),
        ("conv 6 3x3 dilation 2", (9, 9), (5, 5), "conv 6 3x3 dilation 2"),
        ("conv 6 3x5", (9, 9), (7, 5), "conv 6 3x5"),
        ("conv 6 3x5 pad 1x2", (9, 9), (9, 9), "conv 6 3x5 pad 1x2"),
        ("local 4 stride 2x1", (9, 9), (4, 7), "local 4 3x3 stride 2x1"),
    ],
)
def test_the_usual_layer_comes_first_and_every_one_fits(text, sizes, outputs, first):
    found = solve(parse(text, whole=False), sizes, outputs)
    assert found[0].spelt() == first
    assert len({one.spelt() for one in found}) == len(found)
    for one in found:
        shape = (3, *sizes)
        assert output_shape(layers_from_words(shape, one.spelt()), (1, *shape))[2:] == outputs


def test_what_is_open_is_the_same_along_height_and_width():
    for one in solve(parse("conv 8", whole=False), (32, 16), (16, 8)):
        assert all(len(set(value)) == 1 for value in (one.kernel, one.stride, one.padding))
    assert solve(parse("conv 8", whole=False), (32, 32), (32, 3)) == []
    assert solve(parse("conv 8", whole=False), (8, 8), (40, 40)) == []


@pytest.mark.parametrize("text", ["relu", "dense 10", "transposed 3 2x2", "conv 3 same", "global"])
def test_only_kernels_that_slide_are_sought(text):
    with pytest.raises(
        UsageError, match="a kernel that slides is needed, of conv, depthwise, local, pool, without pad"
    ):
        solve(parse(text, whole=False), (8, 8), (4, 4))
