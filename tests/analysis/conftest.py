"""What a field says of one unit, and where its gradient reaches: the independent oracle of receptive fields."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from striate.analysis import Summary, summary
from striate.analysis.fields import Several, State
from striate.analysis.lattice import Lattice
from striate.analysis.ramps import Everywhere, Ramp


def gradient_extent(
    model: nn.Module, size: int, channels: int = 1
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """First and last input row (column) with a gradient, for the middle output unit and the one after it.

    Weights are made positive, so that nothing cancels.
    """
    model = model.double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.abs() + 0.1)
    x = torch.rand(1, channels, size, size, dtype=torch.double, requires_grad=True)
    y = model(x)
    rows, columns = y.shape[2] // 2, y.shape[3] // 2
    extents: list[list[tuple[int, int]]] = [[], []]
    for step in range(2):
        (gradient,) = torch.autograd.grad(y[:, :, rows + step, columns + step].sum(), x, retain_graph=True)
        hit = gradient.abs().sum((0, 1)) > 0
        for axis, mask in enumerate((hit.any(1), hit.any(0))):
            indices = mask.nonzero().flatten()
            extents[axis].append((int(indices[0]), int(indices[-1])))
    return extents[0], extents[1]


def assert_agrees_with_gradient(model: nn.Module, size: int, channels: int = 1) -> Summary:
    result = summary(model, (channels, size, size))
    root = result.root
    assert root.receptive_field is not None
    assert root.stride is not None
    assert root.offset is not None
    assert root.output_shape is not None
    for axis, units in enumerate(gradient_extent(model, size, channels)):
        centre = root.output_shape[2 + axis] // 2
        for index, (low, high) in enumerate(units):
            assert 0 < low <= high < size - 1, "the probe must not touch the border"
            assert high - low + 1 == root.receptive_field[axis]
            assert (low + high) / 2 == root.offset[axis] + (centre + index) * root.stride[axis]
    return result


def interval_seen(state: State, index: tuple[int, ...]) -> tuple[int, int]:
    """First and last input position that the field gives the unit at `index`."""
    if isinstance(state, Several):
        parts = [interval_seen(part, index) for part in state.parts]
        return min(low for low, _ in parts), max(high for _, high in parts)
    if isinstance(state, Ramp):
        return state.low(index[state.dim]), state.high(index[state.dim])
    if isinstance(state, Lattice):
        unit = state.start + sum(p.step * (index[p.dim] // p.every % p.length) for p in state.places)
        return state.source.low(unit), state.source.high(unit)
    assert isinstance(state, Everywhere)
    return state.low, state.high


@pytest.fixture(scope="session")
def interval() -> Callable[[State, tuple[int, ...]], tuple[int, int]]:
    """`interval_seen`."""
    return interval_seen


@pytest.fixture(scope="session")
def extents_by_gradient() -> Callable[..., tuple[list[tuple[int, int]], list[tuple[int, int]]]]:
    """`gradient_extent`."""
    return gradient_extent


@pytest.fixture(scope="session")
def agrees_with_gradient() -> Callable[..., Summary]:
    """`assert_agrees_with_gradient`."""
    return assert_agrees_with_gradient
