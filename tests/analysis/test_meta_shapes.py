"""Shapes that are told at once are those of PyTorch, and its errors stay."""

import itertools

import pytest
import torch

from striate.analysis import summary
from striate.analysis.meta_shapes import run
from striate.errors import StriateError

ATEN = torch.ops.aten


def both(func, *args):
    """The shape by the short way, and the shape of the real result."""
    on_meta = [[x.to("meta") for x in a] if isinstance(a, list) and isinstance(a[0], torch.Tensor) else a for a in args]
    on_meta = [a.to("meta") if isinstance(a, torch.Tensor) else a for a in on_meta]
    operands = [a for a in on_meta if isinstance(a, torch.Tensor)] or on_meta[0]
    short, wanted = run(func, on_meta, {}, operands)[0], func(*args)
    return (tuple(short.shape), short.dtype, short.is_meta), (tuple(wanted.shape), wanted.dtype, True)


@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"), list(itertools.product((1, 2, 3), (0, 2), (1, 2), (1, 2)))
)
def test_convolutions(stride, padding, dilation, groups):
    for sides, kernel in (((9, 8), (3, 2)), ((11,), (4,)), ((7, 6, 9), (3, 1, 2))):
        axes = len(sides)
        x, weight = torch.randn(2, 4, *sides), torch.randn(6, 4 // groups, *kernel)
        rest = ([stride] * axes, [padding] * axes, [dilation] * axes, False, [0] * axes, groups)
        found, wanted = both(ATEN.convolution.default, x, weight, None, *rest)
        assert found == wanted


def test_impossible_convolutions_fail_as_in_pytorch():
    x, rest = torch.empty(1, 4, 5, 5, device="meta"), ([1, 1], [0, 0], [1, 1], False, [0, 0], 1)
    for shape in ((2, 4, 6, 6), (2, 3, 1, 1)):
        weight = torch.empty(shape, device="meta")
        with pytest.raises(RuntimeError):
            run(ATEN.convolution.default, (x, weight, None, *rest), {}, [x, weight])


def test_transposed_convolutions_are_pytorchs():
    x, weight = torch.randn(2, 4, 5, 5), torch.randn(4, 3, 3, 3)
    found, wanted = both(ATEN.convolution.default, x, weight, None, [2, 2], [1, 1], [1, 1], True, [1, 1], 1)
    assert found == wanted


@pytest.mark.parametrize("func", [ATEN.add.Tensor, ATEN.sub.Tensor, ATEN.mul.Tensor, ATEN.div.Tensor])
def test_arithmetic_broadcasts_and_promotes(func):
    x, row, whole = torch.randn(2, 3, 4), torch.randn(3, 1), torch.arange(1, 5)
    for pair in ((x, x), (x, row), (row, x), (x, whole), (whole, x), (whole, whole), (x, 2), (whole, 2), (whole, 2.0)):
        found, wanted = both(func, *pair)
        assert found == wanted


@pytest.mark.parametrize("name", ["relu", "sigmoid", "silu", "gelu", "tanh", "elu", "hardtanh", "neg"])
def test_activations_keep_the_shape(name):
    found, wanted = both(getattr(ATEN, name).default, torch.randn(2, 3))
    assert found == wanted


def test_joining():
    x, y = torch.randn(2, 3, 4), torch.randn(2, 5, 4)
    for dim in (1, -2):
        found, wanted = both(ATEN.cat.default, [x, y], dim)
        assert found == wanted
    found, wanted = both(ATEN.cat.default, [x, y.double()], 1)
    assert found == wanted
    with pytest.raises(RuntimeError):
        run(ATEN.cat.default, ([x.to("meta"), y.to("meta")], 0), {}, [x.to("meta")])


class Attends(torch.nn.Module):
    """Attention with a mask, or of fewer heads for keys."""

    def __init__(self, how):
        super().__init__()
        self.how = how
        self.bias = torch.nn.Parameter(torch.zeros(6, 6))

    def forward(self, x):
        query = x.view(2, 4, 6, 8)
        key = query[:, :2] if self.how == "grouped" else query[..., :4] if self.how == "short" else query
        masks = {
            "numbers": torch.zeros(6, 6),
            "whole": torch.zeros(2, 4, 6, 6),
            "truths": torch.ones(6, 6, dtype=torch.bool),
            "learnt": self.bias,
            "scores of the input": x.mean(-1, keepdim=True).view(2, 4, 6, 1).expand(-1, -1, -1, 6),
        }
        options = {"enable_gqa": True} if self.how == "grouped" else {}
        if self.how == "short":
            return torch.nn.functional.scaled_dot_product_attention(query, query, key, scale=0.5)
        return torch.nn.functional.scaled_dot_product_attention(query, key, key, masks.get(self.how), **options)


@pytest.mark.parametrize(
    "how", ["plain", "numbers", "whole", "truths", "learnt", "scores of the input", "grouped", "short"]
)
def test_attention_without_values_costs_what_it_does_with_them(how):
    model, x = Attends(how), torch.rand(2, 24, 8)
    meta, real = (summary(model, inputs=x, device=device) for device in ("meta", "cpu"))
    assert meta.multiply_adds == real.multiply_adds == 2 * 4 * 36 * (12 if how == "short" else 16)
    assert meta.activation_bytes == real.activation_bytes
    if how != "short":
        assert (meta.kept_bytes, meta.root.output_shape) == (real.kept_bytes, (2, 4, 6, 8))
    assert meta.root.receptive_field == real.root.receptive_field


@pytest.mark.parametrize("mask", [(7, 6), (3, 1, 6, 6), (5,)])
def test_a_mask_that_does_not_fit_fails_as_in_pytorch(mask):
    class Wrong(torch.nn.Module):
        def forward(self, x):
            return torch.nn.functional.scaled_dot_product_attention(x, x, x, torch.zeros(mask))

    for device in ("meta", "cpu"):
        with pytest.raises(StriateError, match="Wrong fails"):
            summary(Wrong(), inputs=torch.rand(2, 4, 6, 8), device=device)
