"""Rows of networks that do all that a network may do between its layers, counted by hand."""

import warnings
from fractions import Fraction

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from striate.analysis import Row, Summary, summary
from striate.analysis.rows import whole_number


def row(name: str, depth: int, *children: Row) -> Row:
    return Row(name, "Kind", depth, (1, 2), 1, 1, 7, 4, children=children)


TREE = row("net", 0, row("a", 1, row("a.0", 2, row("a.0.0", 3), row("a.0.1", 3)), row("a.1", 2)), row("b", 1))


@pytest.mark.parametrize(
    ("depth", "names"),
    [
        (None, ["a.0.0", "a.0.1", "a.1", "b"]),
        (0, ["net"]),
        (1, ["a", "b"]),
        (2, ["a.0", "a.1", "b"]),
        (3, ["a.0.0", "a.0.1", "a.1", "b"]),
        (9, ["a.0.0", "a.0.1", "a.1", "b"]),
    ],
)
def test_a_tree_is_cut_where_its_branches_are_as_deep(depth: int | None, names: list[str]) -> None:
    assert [leaf.name for leaf in TREE.leaves(depth)] == names


def test_a_row_has_two_operations_for_each_multiply_add_and_knows_nothing_else_by_itself() -> None:
    alone = row("a", 1)
    assert alone.flops == 14
    unknown = (alone.kept_bytes, alone.receptive_field, alone.stride, alone.offset)
    assert unknown == (None, None, None, None)
    assert (alone.sees_all, alone.reused, alone.not_counted, alone.children) == (False, False, {}, ())


def test_whole_numbers_are_ints() -> None:
    found = [whole_number(value) for value in (2.0, -3.0, 0.0, 2.5, Fraction(4, 2), Fraction(1, 2))]
    assert found == [2, -3, 0, 2.5, 2, 0.5]
    assert [type(value) for value in found] == [int, int, int, float, int, float]


class Net(nn.Module):
    """Layers by name, and what is done with them."""

    def __init__(self, function, **parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x)


def figures(result: Summary, depth: int | None = None) -> dict[str, tuple]:
    """Of each row by its name: parameters, multiply-adds, activations and what is kept."""
    rows = result.collapsed(depth)
    assert len({one.name for one in rows}) == len(rows)
    return {one.name: (one.parameters, one.multiply_adds, one.activation_bytes, one.kept_bytes) for one in rows}


def first_layer() -> nn.Module:
    """A layer with weights, from which on autograd keeps what it needs."""
    return nn.Conv2d(3, 3, 1)


MAP = 4 * 3 * 8 * 8  # bytes of (1, 3, 8, 8)
LABELS = {
    "(relu)": lambda x: torch.relu(torch.relu(x)),
    "(relu, mul, tanh)": lambda x: torch.tanh(torch.relu(x) * 2),
    "(relu, mul, tanh, …)": lambda x: torch.sigmoid(torch.tanh(torch.relu(torch.relu(x) * 2) * 2)),
    "(mul, add, relu, …)": lambda x: (x * 2).add_(1).relu_().sigmoid_().mul_(2),
}


@pytest.mark.parametrize("name", LABELS)
def test_functional_operations_are_named_in_their_order_once_each(name: str) -> None:
    result = summary(Net(lambda net, x: LABELS[name](net.layer(x)), layer=nn.Identity()), (3, 8, 8))
    assert [(one.name, one.type) for one in result.rows] == [("layer", "Identity"), (name, "function")]
    inside = summary(nn.Sequential(Net(lambda net, x: LABELS[name](net.layer(x)), layer=nn.Identity())), (3, 8, 8))
    assert [one.name for one in inside.rows] == ["0.layer", f"0.{name}"]


def test_views_and_nothing_at_all_have_no_row() -> None:
    result = summary(Net(lambda net, x: net.layer(x).flatten(1)[:, 2:], layer=nn.Identity()), (3, 8, 8))
    assert [one.name for one in result.rows] == ["layer"]


def test_calls_of_one_layer_and_the_operations_between_them_keep_their_own() -> None:
    def twice(net: nn.Module, x: Tensor) -> Tensor:
        x = torch.tanh(net.act(net.first(x)))  # 3 x 8 x 8
        x = torch.tanh(net.act(x[:, :, :4]))  # half of it
        x = net.other(x)
        return torch.sigmoid(net.act(x[:, :, :2]))  # a quarter

    rows = summary(Net(twice, first=first_layer(), act=nn.Sigmoid(), other=nn.Tanh()), (3, 8, 8)).rows
    assert [(one.name, one.kept_bytes, one.activation_bytes) for one in rows] == [
        ("first", MAP, MAP),
        ("act", MAP, MAP),
        ("(tanh)", MAP, MAP),
        ("act", MAP // 2, MAP // 2),
        ("(tanh)", MAP // 2, MAP // 2),
        ("other", MAP // 2, MAP // 2),
        ("act", MAP // 4, MAP // 4),
        ("(sigmoid)", MAP // 4, MAP // 4),
    ]


def test_what_only_training_runs_is_put_to_its_layers_or_told_as_training() -> None:
    def forward(net: nn.Module, x: Tensor) -> Tensor:
        x = net.act(net.first(x))
        if net.training:
            x = x + net.extra[1](net.extra[0](x)) + net.weightless(x)
            x = net.act(x)
        return x

    extra = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False), nn.Conv2d(3, 3, 1))
    model = Net(forward, first=first_layer(), act=nn.Sigmoid(), extra=extra, weightless=nn.Tanh())
    result = summary(nn.Sequential(model), (3, 8, 8))
    assert figures(result) == {
        "0.first": (12, 64 * 9, MAP, MAP),
        "0.act": (0, 0, MAP, MAP),
        "0.extra": (9 + 12, 0, 0, MAP),  # what its second layer was given; the first's the activation keeps
        "0.(training)": (0, 0, 0, 2 * MAP),  # the layer that has no weights, and the second activation
    }
    assert [one.type for one in result.rows] == ["Conv2d", "Sigmoid", "Sequential", "function"]
    assert result.rows[2].output_shape is None
    assert {one.depth for one in result.rows} == {2}
    assert result.kept_bytes == 5 * MAP
    assert [one.name for one in summary(model, (3, 8, 8)).rows] == ["first", "act", "extra", "(training)"]


def test_functional_operations_of_training_alone_have_a_row() -> None:
    def forward(net: nn.Module, x: Tensor) -> Tensor:
        return F.dropout(net.act(net.first(x)), 0.5, net.training)

    assert figures(summary(Net(forward, first=first_layer(), act=nn.Sigmoid()), (3, 8, 8))) == {
        "first": (12, 64 * 9, MAP, MAP),
        "act": (0, 0, MAP, MAP),
        "(training)": (0, 0, 0, MAP),  # the mask
    }


def test_a_layer_that_training_leaves_out_keeps_nothing() -> None:
    def forward(net: nn.Module, x: Tensor) -> Tensor:
        return net.first(x) if net.training else net.conv(net.first(x))

    result = summary(Net(forward, first=first_layer(), conv=nn.Conv2d(3, 2, 1)), (3, 8, 8))
    assert figures(result) == {"first": (12, 64 * 9, MAP, MAP), "conv": (8, 64 * 6, 4 * 2 * 64, 0)}


def test_where_training_fails_no_row_says_what_is_kept() -> None:
    def forward(net: nn.Module, x: Tensor) -> Tensor:
        assert not net.training
        return torch.tanh(net.inner(x))

    model = Net(forward, inner=nn.Sequential(nn.Sigmoid()), idle=nn.Linear(2, 2))
    model.unread = nn.Parameter(torch.zeros(5))
    result = summary(model, (3, 8, 8))
    assert figures(result) == {
        "inner.0": (0, 0, MAP, None),
        "(tanh)": (0, 0, MAP, None),
        "(parameters)": (5, 0, 0, None),
        "idle": (6, 0, 0, None),
    }
    assert [one.kept_bytes for one in (result.root, *result.root.children)] == [None] * 5


class Scaled(nn.Module):
    """Has a scale of its own, and a layer that it is given to."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(8))
        self.frozen = nn.Parameter(torch.ones(3, 1, 1), requires_grad=False)
        self.act = nn.Tanh()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(x * self.scale) * self.frozen


def test_parameters_stand_where_they_are_first_read_or_where_they_belong() -> None:
    def forward(net: nn.Module, x: Tensor) -> Tensor:
        x = F.conv2d(x, net.conv.weight)  # of a layer that runs later
        x = net.scaled(x)
        x = F.conv2d(x, net.lent.weight, net.lent.bias)  # of one that never does
        return net.conv(net.scaled(x)) * net.scaled.scale

    parts = {"conv": nn.Conv2d(3, 3, 1), "scaled": Scaled(), "lent": nn.Conv2d(3, 3, 1), "idle": nn.Linear(5, 2)}
    result = summary(Net(forward, **parts), (3, 8, 8))
    assert [(one.name, one.type, one.parameters, one.trainable, one.reused) for one in result.rows] == [
        ("(convolution)", "function", 0, 0, False),
        ("scaled.(mul)", "function", 8, 8, False),
        ("scaled.act", "Tanh", 0, 0, False),
        ("scaled.(mul)", "function", 3, 0, False),
        ("(convolution)", "function", 12, 12, False),
        ("scaled.(mul)", "function", 0, 0, False),
        ("scaled.act", "Tanh", 0, 0, False),
        ("scaled.(mul)", "function", 0, 0, False),
        ("conv", "Conv2d", 12, 12, False),
        ("(mul)", "function", 0, 0, False),
        ("idle", "Linear", 12, 12, False),
    ]
    assert [one.depth for one in result.rows] == [1, 2, 2, 2, 1, 2, 2, 2, 1, 1, 1]
    assert (result.parameters, result.trainable_parameters) == (47, 44)


def test_parameters_that_no_operation_reads_are_told_layer_by_layer() -> None:
    class Holder(nn.Sequential):
        def __init__(self, *layers: nn.Module) -> None:
            super().__init__(*layers)
            self.own = nn.Parameter(torch.zeros(4))

    def forward(net: nn.Module, x: Tensor) -> Tensor:
        return net.outer[0][1](x)  # past what holds it

    inner = Holder(nn.Linear(2, 2), nn.Conv2d(3, 3, 1), nn.ReLU())
    model = Net(forward, outer=Holder(inner, nn.Linear(3, 1)), rest=nn.ReLU())
    for depth, network in ((1, model), (2, nn.Sequential(model))):
        prefix = "0." * (depth - 1)
        rows = summary(network, (3, 8, 8)).rows
        assert [(one.name, one.type, one.parameters, one.kept_bytes) for one in rows] == [
            (f"{prefix}outer.0.1", "Conv2d", 12, MAP),
            (f"{prefix}outer.(parameters)", "Parameter", 4, 0),
            (f"{prefix}outer.0.(parameters)", "Parameter", 4, 0),
            (f"{prefix}outer.0.0", "Linear", 6, 0),
            (f"{prefix}outer.1", "Linear", 4, 0),
        ]
        assert {one.depth for one in rows} == {depth}
        assert [one.output_shape for one in rows] == [(1, 3, 8, 8), None, None, None, None]


def test_a_container_sums_up_its_rows_and_a_layer_with_parts_it_does_not_call_has_their_weights() -> None:
    def forward(net: nn.Module, x: Tensor) -> Tensor:
        return F.conv2d(x, net.part.weight, net.part.bias)

    lazy = Net(forward, part=nn.Conv2d(3, 2, 1))
    result = summary(nn.Sequential(nn.Sequential(lazy, nn.Sigmoid(), nn.Conv2d(2, 2, 1))), (3, 8, 8), depth=1)
    half = 4 * 2 * 64
    assert figures(result, 1) == {"0": (8 + 6, 64 * 10, 3 * half, MAP + half)}  # the sigmoid's output is kept once
    assert figures(result) == {
        "0.0": (8, 64 * 6, half, MAP),
        "0.1": (0, 0, half, half),
        "0.2": (6, 64 * 4, half, 0),
    }
    assert [(one.name, one.type) for one in (result.root, result.root.children[0])] == [
        ("Sequential", "Sequential"),
        ("0", "Sequential"),
    ]


def test_a_layer_runs_again_under_one_name_and_what_it_holds_is_counted_once() -> None:
    conv = nn.Conv2d(3, 3, 1)
    block = nn.Sequential(conv, nn.ReLU())
    result = summary(nn.Sequential(block, block, nn.Sequential(conv)), (3, 8, 8))
    assert [(one.name, one.parameters, one.reused) for one in result.rows] == [
        ("0.0", 12, False),
        ("0.1", 0, False),
        ("0.0", 0, True),
        ("0.1", 0, False),
        ("0.0", 0, True),
    ]
    assert [one.reused for one in result.root.children] == [False, False, False]


def test_what_is_not_counted_is_summed_up_over_a_container() -> None:
    class Sums(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.cumsum(2).cumsum(3).sort(2).values

    result = summary(nn.Sequential(nn.Sequential(Sums(), nn.Tanh(), Sums()), Sums()), (3, 8, 8))
    assert result.not_counted == {"cumsum": 6, "sort": 3}
    assert [dict(one.not_counted) for one in result.root.children] == [
        {"cumsum": 4, "sort": 2},
        {"cumsum": 2, "sort": 1},
    ]


@pytest.mark.filterwarnings("ignore")
def test_packed_weights_of_parts_that_are_not_called_belong_to_the_layer() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.ao.nn.quantized import dynamic

    idle = nn.Sequential(dynamic.Linear(2, 2))
    result = summary(nn.Sequential(dynamic.Linear(4, 3), Net(lambda net, x: torch.tanh(x), idle=idle)), (4,))
    assert [(one.name, one.parameters, one.trainable) for one in result.rows] == [("0", 15, 0), ("1", 6, 0)]


SEEN = {
    "a window": (lambda net, x: F.avg_pool2d(x, (3, 4), (1, 2)), ((3, 4), (1, 2), (1, 1.5), False)),
    "half a step": (lambda net, x: F.interpolate(x, scale_factor=2), ((1, 1), (0.5, 0.5), (0, 0), False)),
    "one row of many": (lambda net, x: x[:, :, 3], ((1, 1), None, None, False)),
    "some rows together": (lambda net, x: x[:, :, 2:7].sum(2), ((5, 1), None, None, False)),
    "some of both together": (lambda net, x: x[:, :, 2:7, 1:].sum((2, 3)), ((5, 7), None, None, False)),
    "one axis whole": (lambda net, x: x.sum(2), ((8, 1), None, None, False)),
    "the last row apart": (lambda net, x: x[:, :, :7].sum((2, 3)), ((7, 8), None, None, False)),
    "the first row apart": (lambda net, x: x[:, :, 1:].sum((2, 3)), ((7, 8), None, None, False)),
    "all": (lambda net, x: x.sum((2, 3)), ((8, 8), None, None, True)),
    "all and padding": (lambda net, x: F.pad(x, (2, 1, 3, 4)).sum((2, 3)), ((8, 8), None, None, True)),
    "as much as all, but shifted": (
        lambda net, x: F.pad(x, (0, 0, 1, 0))[:, :, :8].sum((2, 3)),
        ((8, 8), None, None, False),
    ),
    "no order": (lambda net, x: x.sort(2).values, (None, None, None, False)),
    "nothing": (lambda net, x: torch.zeros_like(x), (None, None, None, False)),
    "one axis unknown": (lambda net, x: x.flip(2), (None, None, None, False)),
}


@pytest.mark.parametrize("name", SEEN)
def test_a_row_tells_what_each_unit_sees_where_all_see_alike(name: str) -> None:
    function, expected = SEEN[name]
    nested = summary(nn.Sequential(Net(function)), (3, 8, 8))
    for root in (summary(Net(function), (3, 8, 8)).root, nested.root, nested.rows[0]):
        assert (root.receptive_field, root.stride, root.offset, root.sees_all) == expected


def test_a_vector_has_no_axes_along_which_units_could_see() -> None:
    root = summary(nn.Linear(4, 3), (4,)).root
    assert (root.receptive_field, root.stride, root.offset, root.sees_all) == (None, None, None, False)
