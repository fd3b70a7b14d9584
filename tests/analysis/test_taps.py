"""Which inputs each output reads, against where the gradient of PyTorch's own operations reaches."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from striate.analysis.taps import Taps, adaptive, resampled, shifted, transposed_window, window


def read_by(operation: Callable[[Tensor], Tensor], count: int) -> list[list[int]]:
    """For each output of an operation on `count` inputs in a row, the inputs with a gradient."""
    x = torch.rand(1, 1, count, dtype=torch.double, requires_grad=True)
    y = operation(x)[0, 0]
    gradients = [torch.autograd.grad(value, x, retain_graph=True)[0][0, 0] for value in y]
    return [gradient.nonzero().flatten().tolist() for gradient in gradients]


def positive(layer: nn.Module) -> nn.Module:
    layer = layer.double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(parameter.abs() + 0.1)
    return layer


def within(taps: Taps, count: int, outputs: int) -> list[list[int]]:
    return [sorted({place for place in taps(index) if 0 <= place < count}) for index in range(outputs)]


@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize(("padding", "dilation"), [(0, 1), (1, 1), (2, 2), (0, 3)])
def test_windows(kernel: int, stride: int, padding: int, dilation: int) -> None:
    read = read_by(positive(nn.Conv1d(1, 1, kernel, stride, padding, dilation)), 17)
    assert within(window(kernel, stride, padding, dilation), 17, len(read)) == read
    back = read_by(positive(nn.ConvTranspose1d(1, 1, kernel, stride, padding, dilation=dilation)), 7)
    assert within(transposed_window(kernel, stride, padding, dilation), 7, len(back)) == back


@pytest.mark.parametrize(("count", "outputs"), [(7, 3), (7, 7), (8, 3), (5, 8), (9, 1), (12, 4)])
def test_adaptive_pools(count: int, outputs: int) -> None:
    read = read_by(nn.AdaptiveAvgPool1d(outputs), count)
    assert within(adaptive(count, outputs), count, outputs) == read


@pytest.mark.parametrize(("count", "outputs"), [(6, 12), (6, 18), (12, 6), (12, 4), (10, 15), (15, 10), (8, 8)])
def test_resampling(count: int, outputs: int) -> None:
    nearest = read_by(lambda x: F.interpolate(x, outputs, mode="nearest"), count)
    assert within(resampled(1, count, outputs, False), count, outputs) == nearest
    for reach, mode in ((2, "bilinear"), (4, "bicubic")):
        taps = resampled(reach, count, outputs, True)
        rows = read_by(lambda x, mode=mode: F.interpolate(x[..., None], (outputs, 1), mode=mode)[..., 0], count)
        inside = [i for i in range(outputs) if all(0 <= place < count for place in taps(i))]
        assert inside
        assert [sorted(taps(index)) for index in inside] == [rows[index] for index in inside]


def test_shifts() -> None:
    assert [list(shifted([0, 2, -1])(index)) for index in (0, 4)] == [[0, 2, -1], [4, 6, 3]]


@pytest.mark.parametrize(
    "taps",
    [
        window(3, 2, 1, 2),
        transposed_window(5, 3, 1, 2),
        adaptive(7, 3),
        adaptive(12, 8),
        resampled(1, 6, 9, False),
        resampled(2, 15, 10, True),
        resampled(4, 8, 20, True),
        shifted([0, 4]),
    ],
    ids=lambda taps: taps.kind,
)
def test_a_period_later_the_same_is_read_further_on(taps: Taps) -> None:
    for index in range(12):
        assert list(taps(index + taps.period)) == [place + taps.advance for place in taps(index)]
