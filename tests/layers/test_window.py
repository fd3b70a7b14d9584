"""Windows against PyTorch's own convolutions, and the windows of the literature's networks found again."""

import itertools

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.layers.window import LONGEST, Window, windows_between


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"), itertools.product((1, 2, 3, 5), (1, 2, 3), (0, 1, 2), (1, 2))
)
def test_places_are_those_of_a_convolution(kernel, stride, padding, dilation):
    window = Window(kernel, stride, padding, dilation)
    layer = nn.Conv1d(1, 1, kernel, stride, padding, dilation)
    nn.init.ones_(layer.weight)
    for size in range(1, 14):
        values = torch.zeros(1, 1, size, requires_grad=True)
        if window.places(size) == 0:
            with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
                layer(values)
            assert window.left_over(size) == 0
            continue
        outputs = layer(values)
        assert outputs.shape[-1] == window.places(size)
        last = (window.places(size) - 1) * stride + window.extent  # of the padded values, the last that is seen
        assert window.left_over(size) == size + 2 * padding - last


def test_the_arithmetic_is_written_out():
    assert Window(11, 4).arithmetic(227) == "(227 - 11) / 4 + 1 = 55"
    assert Window(5, 1, 2).arithmetic(32) == "(32 + 2*2 - 5) + 1 = 32"
    assert Window(3, 2, 1).arithmetic(224) == "(224 + 2*1 - 3) / 2 + 1 = 112, rounded down: 1 at the end not seen"
    assert Window(3, 1, 2, 2).arithmetic(9) == "(9 + 2*2 - 5) + 1 = 9"


@pytest.mark.parametrize(
    ("size", "places", "usual"),
    [
        (227, 55, (11, 4, 0)),  # AlexNet
        (55, 27, (3, 2, 0)),  # its overlapping pooling
        (32, 28, (5, 1, 0)),  # LeNet-5
        (28, 14, (2, 2, 0)),
        (7, 1, (7, 1, 0)),  # VGG's first dense layer as a convolution
        (32, 32, (1, 1, 0)),
    ],
)
def test_the_windows_of_the_literature_come_first(size, places, usual):
    first = windows_between(size, places)[0]
    assert (first.kernel, first.stride, first.padding) == usual


def test_what_is_given_holds_and_all_that_fit_are_found():
    assert windows_between(224, 112, kernel=7)[0] == Window(7, 2, 3)  # ResNet's stem
    assert windows_between(224, 112, stride=2, padding=3)[0] == Window(7, 2, 3)
    assert windows_between(32, 32, kernel=3, dilation=2) == [Window(3, 1, 2, 2)]
    assert windows_between(32, 16, kernel=4) == [Window(4, 2, 1)]
    halved = windows_between(224, 112)
    assert halved.index(Window(15, 2, 7)) < halved.index(Window(4, 2, 1))  # odd ones first
    third = windows_between(30, 10)
    assert third.index(Window(4, 3, 1)) < third.index(Window(5, 3, 1))  # none, or as much as keeps the size
    every = windows_between(20, 10)
    expected = {
        (k, s, p)
        for k in range(1, LONGEST + 1)
        for s in range(1, k + 1)
        for p in range((k + 1) // 2)
        if (20 + 2 * p - k) // s + 1 == 10 and 20 + 2 * p >= k
    }
    assert {(window.kernel, window.stride, window.padding) for window in every} == expected
    assert len(every) == len(expected)
    assert windows_between(8, 9) == []
    assert windows_between(9, 3, kernel=1) == []
    assert windows_between(9, 3, kernel=1, stride=3) == [Window(1, 3)]  # gaps, as they were asked for
    assert windows_between(12, 6, stride=2)[-1] == Window(1, 2)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"size": 0}, "size is 0; it must be 1 or more"),
        ({"places": 0}, "places is 0; it must be 1 or more"),
        ({"kernel": 0}, "kernel is 0; it must be 1 or more"),
        ({"stride": 0}, "stride is 0; it must be 1 or more"),
        ({"padding": -1}, "padding is -1; it must be 0 or more"),
        ({"dilation": 0}, "dilation is 0; it must be 1 or more"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(wrong, words):
    with pytest.raises(UsageError, match=f"^{words}$"):
        windows_between(**({"size": 9, "places": 3} | wrong))
