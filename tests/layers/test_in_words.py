"""What words say of a layer."""

import pytest

from striate.errors import UsageError
from striate.layers.in_words import KINDS, SAME, Words, parse
from striate.layers.window import Window


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("conv 10 5x5 pad 2", {"kind": "conv", "number": 10, "kernel": (5, 5), "padding": (2, 2)}),
        ("Convolution 10, kernel 5, padding 2", {"kind": "conv", "number": 10, "kernel": (5, 5), "padding": (2, 2)}),
        ("conv 1 3×5 s 2x1 p 1x2", {"kernel": (3, 5), "number": 1, "stride": (2, 1), "padding": (1, 2)}),
        ("conv 8 3x3 same dilation 2", {"number": 8, "kernel": (3, 3), "padding": SAME, "dilation": (2, 2)}),
        ("conv 8 3x3 pad same", {"number": 8, "kernel": (3, 3), "padding": SAME}),
        ("conv 8 3x3 valid groups 4 no bias",
         {"number": 8, "kernel": (3, 3), "padding": (0, 0), "groups": 4, "bias": False}),
        ("conv 8 3x3 pad valid", {"number": 8, "kernel": (3, 3), "padding": (0, 0)}),
        ("pool max 2x2", {"kind": "pool", "pooling": "max", "kernel": (2, 2)}),
        ("max pool 2x2", {"kind": "pool", "pooling": "max", "kernel": (2, 2)}),
        ("avgpool 3x3 stride 2", {"kind": "pool", "pooling": "average", "kernel": (3, 3), "stride": (2, 2)}),
        ("maxpool 2x2", {"kind": "pool", "kernel": (2, 2)}),
        ("pool 3", {"kind": "pool", "kernel": (3, 3)}),
        ("max pool 3 stride 2", {"kind": "pool", "kernel": (3, 3), "stride": (2, 2), "pooling": "max"}),
        ("pool l2 2x2", {"kind": "pool", "pooling": "l2", "kernel": (2, 2)}),
        ("global max", {"kind": "global", "pooling": "max"}),
        ("fc 1000", {"kind": "dense", "number": 1000}),
        ("linear 10 no bias", {"kind": "dense", "number": 10, "bias": False}),
        ("bn", {"kind": "norm"}),
        ("relu", {"kind": "relu"}),
    ],
)  # fmt: skip
def test_words_say(text, said):
    words = parse(text)
    assert words == Words(**({"kind": "conv"} | said), text=text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("cnv 3", "unknown layer 'cnv'. Did you mean 'conv' or 'deconv'?"),
        ("conv", "'conv': say its filters, as in 'conv 10 5x5 pad 2'"),
        ("conv 10", "'conv 10': say its kernel, as in 'conv 10 5x5 pad 2'"),
        ("dense", "'dense': say its units, as in 'dense 1000'"),
        ("pool", "'pool': say its kernel, as in 'pool max 2x2'"),
        ("conv 10 5x5 pad", "'conv 10 5x5 pad': pad needs a number, such as pad 2"),
        ("conv 10 5x5 stride x", "'conv 10 5x5 stride x': stride needs a number, such as stride 2"),
        ("conv 10 5x5 groups 2x2", "'conv 10 5x5 groups 2x2': groups needs a number, such as groups 2"),
        ("conv 10 5x5 stride same", "'conv 10 5x5 stride same': stride needs a number, such as stride 2"),
        ("conv 10 5x5 20", "'conv 10 5x5 20': filters is said twice"),
        ("conv 10 5", "'conv 10 5': filters is said twice; a kernel is written 5x5"),
        ("dense 10 5", "'dense 10 5': units is said twice"),
        ("relu 10 5", "'relu 10 5': filters is said twice"),
        ("conv 10 5x5 kernel 3", "'conv 10 5x5 kernel 3': kernel is said twice"),
        ("conv 10 5x5 pad 1 same", "'conv 10 5x5 pad 1 same': padding is said twice"),
        ("conv 10 5x5 pda 2", "'conv 10 5x5 pda 2': unknown word 'pda'. Did you mean 'pad' or 'p'?"),
        ("relu 3", "'relu 3': a layer 'relu' has no filters"),
        ("dense 10 3x3", "'dense 10 3x3': a layer 'dense' has no kernel; an example: 'dense 1000'"),
        ("pool 2x2 dilation 2", "'pool 2x2 dilation 2': a layer 'pool' has no dilation; an example: 'pool max 2x2'"),
        ("pool 2x2 no bias", "'pool 2x2 no bias': a layer 'pool' has no bias"),
        ("pool 2x2 3", "'pool 2x2 3': a layer 'pool' has no filters; an example: 'pool max 2x2'"),
        ("conv max 10 3x3", "'conv max 10 3x3': a layer 'conv' has no pooling; an example: 'conv 10 5x5 pad 2'"),
        ("conv 0 3x3", "'conv 0 3x3': filters must be 1 or more"),
        ("conv 3 0x3", "'conv 3 0x3': kernel must be 1 or more"),
        ("conv 3 3x3 stride 1x0", "'conv 3 3x3 stride 1x0': stride must be 1 or more"),
        ("conv 3 3x3 groups 0", "'conv 3 3x3 groups 0': groups must be 1 or more"),
    ],
)
def test_words_that_say_nothing_are_refused(text, line):
    with pytest.raises(UsageError) as raised:
        parse(text)
    assert str(raised.value) == line


@pytest.mark.parametrize(
    ("text", "start"), [("", "unknown layer ''. Known: "), ("conv 10 5x5 no", "unknown word 'no'. Known: ")]
)
def test_where_nothing_is_near_all_words_are_named(text, start):
    with pytest.raises(UsageError) as raised:
        parse(text)
    assert start in str(raised.value)
    assert "dense" in str(raised.value) or "no bias" in str(raised.value)


def test_padding_may_be_nought_and_what_is_sought_may_be_missing():
    assert parse("conv 3 3x3 pad 0").padding == (0, 0)
    assert parse("conv 3", whole=False) == Words("conv 3", "conv", 3)
    with pytest.raises(UsageError, match="has no kernel"):
        parse("relu 3x3", whole=False)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_an_example_that_says_all_it_must(kind):
    assert parse(KINDS[kind][2]).kind == kind


def test_windows_are_those_of_layers_that_slide():
    assert parse("conv 1 3x5 stride 2x1 pad 1x2 dilation 2").windows() == (Window(3, 2, 1, 2), Window(5, 1, 2, 2))
    assert parse("conv 1 3x5").windows() == (Window(3), Window(5))
    assert parse("pool 2x3").windows() == (Window(2, 2), Window(3, 3))
    assert parse("pool 3x3 stride 2").windows() == (Window(3, 2), Window(3, 2))
    for text in ("conv 1 3x3 same", "transposed 1 2x2", "dense 3", "relu"):
        assert parse(text).windows() is None


@pytest.mark.parametrize(
    "text",
    [
        "conv 10 5x5 pad 2",
        "conv 10 5x5 stride 2x1 pad same dilation 2 groups 2 no bias",
        "pool max 3x3 stride 2",
        "pool average 2x2 pad 1x0",
        "dense 10",
        "relu",
    ],
)
def test_words_are_spelt_again(text):
    assert parse(text).spelt() == text
    assert parse("maxpool 2x2 stride 2 pad 0").spelt() == "pool 2x2"
    assert parse("conv 1 kernel 3 stride 1 valid dilation 1").spelt() == "conv 1 3x3"
