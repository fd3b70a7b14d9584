"""Fields through unfolding, cutting and merging of dimensions, against where the gradient of a unit reaches."""

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from striate.analysis import summary
from striate.analysis.lattice import Lattice, Place, as_ramp, blended, covers, part, reshaped, settled
from striate.analysis.ramps import Everywhere, Ramp
from striate.layers import LocallyConnected2d


class Between(nn.Module):
    """A strided convolution before the layer and a convolution behind it."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.before, self.layer, self.after = nn.Conv2d(1, 2, 3, stride=2), layer, nn.Conv2d(2, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.layer(self.before(x)))


class Local(nn.Module):
    """Each place its own kernel: over `F.unfold` by einsum or by hand, or over `Tensor.unfold`."""

    def __init__(self, how: str, places: int) -> None:
        super().__init__()
        self.how = how
        shape = {"einsum": (2, 18, places**2), "sum": (2, 18, places**2), "unfold": (2, 2, places, places, 9)}[how]
        self.weight = nn.Parameter(torch.rand(shape))

    def forward(self, x: Tensor) -> Tensor:
        if self.how == "unfold":
            x = x.unfold(2, 3, 2).unfold(3, 3, 2)
            x = x.contiguous().view(*x.shape[:-2], -1)
            return (x.unsqueeze(1) * self.weight).sum([2, -1])
        columns = F.unfold(x, 3, stride=2, padding=1)
        side = (x.shape[2] - 1) // 2 + 1
        if self.how == "einsum":
            return torch.einsum("nkl,okl->nol", columns, self.weight).view(len(x), 2, side, side)
        return (columns.unsqueeze(1) * self.weight).sum(2).view(len(x), 2, side, side)


@pytest.mark.parametrize(("how", "places"), [("einsum", 17), ("sum", 17), ("unfold", 16)])
def test_locally_connected_layers(agrees_with_gradient, how: str, places: int) -> None:
    root = agrees_with_gradient(Between(Local(how, places)), 67).root
    assert (root.receptive_field, root.stride) == ((15, 15), (4, 4))


class Dense(nn.Module):
    """A convolution as a matrix product: unequal sides, dilated."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(2, 30))

    def forward(self, x: Tensor) -> Tensor:
        columns = F.unfold(x, (3, 5), dilation=2)
        return (self.weight @ columns).view(len(x), 2, x.shape[2] - 4, x.shape[3] - 8)


class Blocks(nn.Module):
    """Blocks of pixels made channels, by a reshape or by slices, or averaged."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.conv = how, nn.Conv2d(8, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x[:, :, :32, :32].shape
        blocks = x[:, :, :32, :32].view(batch, channels, height // 2, 2, width // 2, 2)
        if self.how == "mean":
            return blocks.mean((3, 5))
        if self.how == "reshape":
            return self.conv(blocks.permute(0, 1, 3, 5, 2, 4).reshape(batch, channels * 4, height // 2, width // 2))
        return self.conv(torch.cat([x[:, :, i:32:2, j:32:2] for i in (0, 1) for j in (0, 1)], 1))


class Involution(nn.Module):
    """Kernels made from the pixel itself, over its neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Conv2d(2, 9, 1)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        windows = F.unfold(x, 3, padding=1).view(batch, channels, 9, height, width)
        return (windows * self.kernel(x).view(batch, 1, 9, height, width)).sum(2)


LAYERS = {
    "locally connected": lambda: LocallyConnected2d(2, 2, 33, (3, 5), stride=2, padding=1),
    "convolution as a product": Dense,
    "pixels to channels": lambda: Blocks("reshape"),
    "slices to channels": lambda: Blocks("slices"),
    "means of blocks": lambda: Blocks("mean"),
    "involution": Involution,
}


@pytest.mark.parametrize("name", LAYERS)
def test_dimensions_that_are_cut_and_merged(agrees_with_gradient, name: str) -> None:
    agrees_with_gradient(Between(LAYERS[name]()), 67)


class Windows(nn.Module):
    """Attention within windows of 4x4."""

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x[:, :, :32, :32].shape
        cut = x[:, :, :32, :32].view(batch, channels, height // 4, 4, width // 4, 4)
        tokens = cut.permute(0, 2, 4, 3, 5, 1).reshape(-1, 16, channels)
        tokens = torch.softmax(0.01 * tokens @ tokens.transpose(1, 2), -1) @ tokens
        back = tokens.view(batch, height // 4, width // 4, 4, 4, channels)
        return back.permute(0, 5, 1, 3, 2, 4).reshape(batch, channels, height, width)


def test_attention_within_windows_gives_the_widest_extent(extents_by_gradient) -> None:
    model = Between(Windows())
    root = summary(model, (1, 67, 67)).root
    assert root.receptive_field == (max(high - low + 1 for low, high in extents_by_gradient(model, 67)[0]),) * 2
    assert root.stride == (2, 2)


def test_local_layers_on_signals() -> None:
    class LocalSignals(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.before, self.weight, self.after = (
                nn.Conv1d(1, 2, 3),
                nn.Parameter(torch.rand(30, 10, 3)),
                nn.Conv1d(3, 1, 3),
            )

        def forward(self, x: Tensor) -> Tensor:
            windows = self.before(x).unfold(2, 5, 2).permute(0, 2, 1, 3).flatten(2)
            return self.after(torch.einsum("nlk,lko->nol", windows, self.weight))

    model = LocalSignals()
    result = summary(model, (1, 65))
    assert (result.receptive_field, result.root.stride, result.root.offset) == ((11,), (2,), (5,))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.abs() + 0.1)
    x = torch.rand(1, 1, 65, requires_grad=True)
    (gradient,) = torch.autograd.grad(model(x)[0, 0, 7], x)
    assert gradient[0, 0].nonzero().flatten().tolist() == list(range(14, 25))


def test_a_map_that_is_flattened_and_cut_again_keeps_its_field(agrees_with_gradient) -> None:
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.dense, self.after = nn.Conv2d(1, 4, 3), nn.Linear(4, 4), nn.Conv2d(4, 1, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv(x)
            tokens = self.dense(x.flatten(2).transpose(1, 2))
            return self.after(tokens.transpose(1, 2).unflatten(2, x.shape[2:]))

    agrees_with_gradient(Tokens(), 21)


def units(field: Ramp | Lattice | Everywhere, shape: tuple[int, ...]) -> dict[tuple[int, ...], tuple[int, int]]:
    """What each unit of a tensor of that shape sees, told one by one."""
    seen = {}
    for index in itertools.product(*map(range, shape)):
        if isinstance(field, Everywhere):
            seen[index] = (field.low, field.high)
            continue
        if isinstance(field, Ramp):
            source, unit = field, index[field.dim]
        else:
            source = field.source
            unit = field.start + sum(p.step * (index[p.dim] // p.every % p.length) for p in field.places)
        seen[index] = (source.low(unit), source.high(unit))
    return seen


SOURCE = Ramp(0, (0, -1), (2, 4), 5)
START = (Lattice((Place(1, 1, 4, 3), Place(2, 2, 3, 1)), 2, SOURCE), (2, 4, 6))


@pytest.mark.parametrize("shape", [(8, 6), (2, 24), (48,), (2, 2, 2, 3, 2), (2, 4, 3, 2), (1, 8, 3, 2), (2, 4, 1, 6)])
def test_a_reshape_moves_every_unit_with_what_it_sees(shape: tuple[int, ...]) -> None:
    field, old = START
    places = reshaped(field.places, old, shape)
    assert places is not None
    moved = settled(places, field.start, field.source, shape)
    assert list(units(moved, shape).values()) == list(units(field, old).values())


def test_a_dimension_that_is_cut_within_a_digit_is_not_known() -> None:
    assert reshaped((Place(1, 1, 6, 1),), (2, 6), (3, 4)) is None
    assert reshaped((Place(0, 2, 3, 1),), (6,), (2, 3)) is None


@pytest.mark.parametrize("dims", [{1}, {2}, {1, 2}, {0}])
def test_blending_puts_together_what_the_units_along_a_dimension_see(dims: set[int]) -> None:
    field, shape = START
    found = units(blended(field, frozenset(dims), shape), shape)
    apart = units(field, shape)
    for index, seen in found.items():
        same = [
            apart[other]
            for other in apart
            if all(i == j or d in dims for d, (i, j) in enumerate(zip(index, other, strict=True)))
        ]
        assert seen == (min(low for low, _ in same), max(high for _, high in same))


@pytest.mark.parametrize(("dim", "start", "step", "kept"), [(1, 0, 2, 2), (1, 1, 3, 1), (1, 3, 1, 1), (0, 1, 1, 1)])
def test_a_part_keeps_what_its_units_see(dim: int, start: int, step: int, kept: int) -> None:
    field, shape = START
    found = part(field, dim, start, step, kept, shape)
    assert found is not None
    left = (*shape[:dim], kept, *shape[dim + 1 :])
    apart = units(field, shape)
    for index, seen in units(found, left).items():
        assert seen == apart[(*index[:dim], start + step * index[dim], *index[dim + 1 :])]
    assert part(field, 2, 0, 2, 3, shape) is None  # a digit of two steps is cut


def test_a_digit_of_lasting_steps_is_a_ramp_where_one_is_asked_for() -> None:
    lattice, shape = Lattice((Place(1, 2, 3, 1),), 1, SOURCE), (2, 6)
    ramp = as_ramp(lattice, shape)
    assert ramp is not None
    assert units(ramp, shape) == units(lattice, shape)
    assert as_ramp(Lattice((Place(1, 1, 3, 1),), 0, SOURCE), shape) is None


def test_covering_is_told_unit_by_unit() -> None:
    window = Lattice((Place(0, 1, 4, 4),), 0, Ramp(0, (0,), (3,), 1))
    token = Lattice((Place(0, 1, 4, 4), Place(1, 1, 4, 1)), 0, Ramp(0, (0,), (0,), 1))
    assert covers(window, token)
    assert not covers(token, window)
    assert not covers(Lattice(window.places, 1, window.source), token)


SHAPES = [(12,), (2, 6), (6, 2), (3, 4), (4, 3), (2, 2, 3), (2, 3, 2), (3, 2, 2), (3, 1, 4)]


@pytest.mark.parametrize("old", SHAPES)
def test_a_digit_in_another_shape_counts_the_same_units_or_is_not_told(old: tuple[int, ...]) -> None:
    told = 0
    for new, (dim, size) in itertools.product(SHAPES, enumerate(old)):
        for every, length in itertools.product(range(1, size), range(2, size + 1)):
            if size % (every * length):
                continue
            places = reshaped((Place(dim, every, length, 5),), old, new)
            if places is not None:
                told += 1
                one, two = Lattice((Place(dim, every, length, 5),), 1, SOURCE), Lattice(tuple(places), 1, SOURCE)
                assert list(units(one, old).values()) == list(units(two, new).values())
    assert told >= len(SHAPES)
