"""What is noted of each operation: memory of what is new, products of weights alone, writes into a part."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from striate.analysis import Row, summary
from striate.analysis.inputs import Inputs
from striate.analysis.propagation import RULES
from striate.analysis.ramps import identity
from striate.analysis.watcher import Watcher


class Function(nn.Module):
    """A network that is a function, with a square weight of its own."""

    def __init__(self, function) -> None:
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(torch.eye(8))

    def forward(self, *args: Tensor) -> object:
        return self.function(self.weight, *args)


def root(function, *inputs: Tensor, device: str = "meta") -> Row:
    return summary(Function(function), inputs=inputs or (torch.rand(1, 2, 8, 8),), device=device).root


FLOAT = 4 * 2 * 64  # bytes of (1, 2, 8, 8)
MEMORY = {
    "new values": (lambda w, x: x + 1, FLOAT),
    "views": (lambda w, x: x.view(2, 64).t()[1:].unsqueeze(0).expand(3, -1, -1), 0),
    "in place": (lambda w, x: (x * 2).add_(1).mul_(3), FLOAT),
    "truths": (lambda w, x: x > 0, FLOAT // 4),
    "whole numbers": (lambda w, x: x.argmax(1), 8 * 64),
    "the values of two answers": (lambda w, x: x.max(2).values, 4 * 2 * 8),
    "half of them": (lambda w, x: x.half(), FLOAT // 2),
    "double": (lambda w, x: x.double(), FLOAT * 2),
    "copied for a view": (lambda w, x: x.transpose(2, 3).reshape(2, 64), FLOAT),
    "of weights alone": (lambda w, x: x.view(2, 8, 8)[:, :, :1] * (w + w)[:1, :1], 4 * 16),
}


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("name", MEMORY)
def test_only_new_values_that_depend_on_the_input_take_memory(name: str, device: str) -> None:
    function, expected = MEMORY[name]
    assert root(function, device=device).activation_bytes == expected


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_a_local_response_normalisation_takes_one_output_and_no_work_space(device: str) -> None:
    layers = nn.Sequential(nn.Conv2d(2, 6, 1), nn.LocalResponseNorm(5), nn.Sequential(nn.LocalResponseNorm(3)))
    measured = summary(layers, (2, 8, 8), device=device)
    assert [row.activation_bytes for row in measured.rows] == [4 * 6 * 64] * 3
    assert measured.activation_bytes == 3 * 4 * 6 * 64
    assert summary(layers[1], (6, 8, 8), device=device).activation_bytes == 4 * 6 * 64  # the network itself
    assert root(lambda w, x: F.local_response_norm(x, 5), device=device).activation_bytes > FLOAT  # as it is written


def test_values_written_into_others_take_none() -> None:
    assert root(lambda w, x: torch.mul(x, 2, out=x + 1), device="cpu").activation_bytes == FLOAT


def test_sparse_values_take_as_much_as_there_are() -> None:
    row = root(lambda w, x: x.to_sparse().mul(2), torch.eye(8), device="cpu")
    assert row.activation_bytes == 2 * 8 * 4


def test_a_product_of_weights_alone_counts_its_arithmetic_and_what_has_no_rule_is_told() -> None:
    row = root(lambda w, x: x * (w @ w).cumsum(0), device="cpu")
    assert (row.multiply_adds, row.not_counted) == (8 * 8 * 8, {"cumsum": 1})
    (run,) = summary(nn.Sequential(Function(lambda w, x: x.matmul(w @ w))), (2, 8, 8)).rows
    assert (run.multiply_adds, run.parameters) == (8**3 + 2 * 8**3, 64)
    (child,) = summary(nn.Sequential(nn.Sequential(Function(lambda w, x: w @ w))), (2, 8, 8)).rows
    assert (child.multiply_adds, child.output_shape, child.receptive_field) == (8**3, (8, 8), None)


def write(x: Tensor, *target: object, value: object = 0.0) -> Tensor:
    whole = F.avg_pool2d(x, 3, 1, 1)
    whole[target] = value
    return whole


WRITTEN = {
    "nothing": (lambda w, x: F.avg_pool2d(x, 3, 1, 1), (3, 3)),
    "into a row": (lambda w, x: write(x, 0, 0, 3), None),
    "into a row, seen through another view": (lambda w, x: write(x, 0, 0, 3)[:, 1:], None),
    "into all of it": (lambda w, x: write(x, ..., value=x), (1, 1)),
    "one value into all of it": (lambda w, x: F.avg_pool2d(x, 3, 1, 1).fill_(1), None),
    "into all of it, in place": (lambda w, x: F.avg_pool2d(x, 3, 1, 1).add_(1), (3, 3)),
    "another's into all of it": (lambda w, x: torch.zeros_like(x).add_(F.avg_pool2d(x, 5, 1, 2)), (5, 5)),
}


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("name", WRITTEN)
def test_a_write_into_a_part_makes_the_whole_unknown_and_one_into_the_whole_does_not(name: str, device: str) -> None:
    function, expected = WRITTEN[name]
    assert root(function, device=device).receptive_field == expected


def test_an_unforeseen_form_of_an_operation_gives_no_field_and_all_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(call: object) -> list:
        raise IndexError("another form")

    monkeypatch.setitem(RULES, "max", fails)
    row = root(lambda w, x: torch.cat(tuple(x.max(2))) @ w)
    assert (row.receptive_field, row.output_shape, row.multiply_adds) == (None, (2, 2, 8), 4 * 64)


def test_axes_are_those_of_the_largest_inputs() -> None:
    large, small, other = torch.rand(2, 3, 5, 6), torch.rand(2, 3), torch.rand(1, 1, 1, 1)
    watcher = Watcher(nn.ReLU(), Inputs((small, large), {"other": other}))
    assert watcher.field_of(large) == watcher.field_of(other) == (identity(2), identity(3))
    assert watcher.field_of(small) == (None, None)
    assert watcher.field_of(torch.rand(2, 3, 5, 6)) is None
    assert Watcher(nn.ReLU(), Inputs((large,), {}, 1)).field_of(large) == (identity(1), identity(2), identity(3))


OUTPUTS = {
    "the first of several": (lambda w, x: [F.avg_pool2d(x, 3), x], (1, 2, 2, 2), (3, 3)),
    "within a dictionary": (lambda w, x: {"a": {"b": F.avg_pool2d(x, 4)}}, (1, 2, 2, 2), (4, 4)),
    "none": (lambda w, x: float(x.shape[2]), None, None),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_first_tensor_that_a_module_gives_is_its_output(name: str) -> None:
    function, shape, field = OUTPUTS[name]
    row = summary(nn.Sequential(Function(function)), (2, 8, 8)).root.children[0]
    assert (row.output_shape, row.receptive_field) == (shape, field)
