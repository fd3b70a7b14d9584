"""Shapes that are told at once are those of PyTorch, and its errors stay."""

import itertools

import pytest
import torch

from striate.analysis import summary
from striate.analysis.meta_shapes import run
from striate.analysis.visits import tensors_in, with_tensors
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


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64])
def test_what_dropout_is_made_of_keeps_shape_and_type(dtype):
    for x in (torch.ones(2, 3, dtype=dtype), torch.ones(2, 3, dtype=dtype).t()):
        found, wanted = both(ATEN.empty_like.default, x)
        assert found == wanted
    with_type = run(ATEN.empty_like.default, (x.to("meta"),), {"dtype": torch.float64}, [x.to("meta")])[0]
    assert with_type.dtype is torch.float64
    on_meta = torch.ones(2, 3, device="meta", dtype=dtype)
    if dtype is torch.float32:
        assert run(ATEN.div_.Scalar, (on_meta, 0.8), {}, [on_meta])[0] is on_meta
    else:
        with pytest.raises(RuntimeError, match="can't be cast"):
            run(ATEN.div_.Scalar, (on_meta, 0.8), {}, [on_meta])


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


X, LAST = torch.randn(2, 4, 5, 6), torch.randn(2, 4, 5, 6).to(memory_format=torch.channels_last)
W, ROWS = torch.rand(4), torch.randn(3, 5)
OPERATIONS = {
    "batch norm of a batch": (ATEN.native_batch_norm.default, (X, W, W, W.clone(), W.clone(), True, 0.1, 1e-5)),
    "batch norm": (ATEN.native_batch_norm.default, (X, W, W, W, W, False, 0.1, 1e-5)),
    "batch norm by statistics": (ATEN._native_batch_norm_legit_no_training.default, (X, W, W, W, W, 0.1, 1e-5)),
    "layer norm": (ATEN.native_layer_norm.default, (X, [6], None, None, 1e-5)),
    "layer norm of two": (ATEN.native_layer_norm.default, (X, [5, 6], None, None, 1e-5)),
    "maximum pooling": (ATEN.max_pool2d_with_indices.default, (X, [3, 2], [2, 1], [1, 0], [1, 2], True)),
    "maximum pooling, short": (ATEN.max_pool2d_with_indices.default, (X, [2])),
    "maximum pooling of one image": (ATEN.max_pool2d_with_indices.default, (X[0], [2, 2])),
    "average pooling": (ATEN.avg_pool2d.default, (X, [3, 2], [2, 1], [1, 0], True, False)),
    "average pooling, short": (ATEN.avg_pool2d.default, (X, [2])),
    "average pooling of one image": (ATEN.avg_pool2d.default, (X[0], [2, 2])),
    "product with a bias": (ATEN.addmm.default, (torch.rand(7), ROWS, torch.rand(5, 7))),
    "mean": (ATEN.mean.dim, (X, [2, 3], True)),
    "mean without the dimension": (ATEN.mean.dim, (X, [1])),
    "mean of columns last": (ATEN.mean.dim, (LAST, [-1, -2], True)),
    "mean of the last but one": (ATEN.mean.dim, (X, [-2])),
    "mean of everything": (ATEN.mean.dim, (X, [])),
    "mean in another type": (ATEN.mean.dim, (X, [1]), {"dtype": torch.float64}),
    "power": (ATEN.pow.Tensor_Scalar, (X, 2)),
    "power of whole numbers": (ATEN.pow.Tensor_Scalar, (torch.arange(4), 2.5)),
    "from a number": (ATEN.rsub.Scalar, (X, 1.0)),
    "sum with a share": (ATEN.add.Tensor, (X, W[:1]), {"alpha": 2}),
    "two shapes": (ATEN.mul.Tensor, (W.view(4, 1, 1), X[:, :1])),
    "two types": (ATEN.add.Tensor, (X, X.double())),
    "with a truth": (ATEN.mul.Tensor, (X, True)),
    "columns last": (ATEN.relu.default, (LAST,)),
    "columns last, two": (ATEN.add.Tensor, (LAST, LAST)),
    "whole numbers": (ATEN.neg.default, (torch.arange(4),)),
    "whole numbers made floating": (ATEN.sigmoid.default, (torch.arange(4),)),
    "joined behind": (ATEN.cat.default, ([X, X[..., :2]], -1)),
    "joined in front": (ATEN.cat.default, ([X, X[:1]],)),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_has_the_shape_type_and_order_of_the_real_one(name):
    func, args, *named = OPERATIONS[name]
    kwargs = named[0] if named else {}
    on_meta = with_tensors(args, lambda tensor: tensor.to("meta"))
    found, args_after, _ = run(func, on_meta, kwargs, tensors_in(on_meta))
    assert args_after is on_meta
    short, wanted = tensors_in(found), tensors_in(func(*args, **kwargs))
    if name.startswith("batch norm of"):
        short, wanted = short[:3], wanted[:3]
    assert [(x.shape, x.dtype, x.stride()) for x in short] == [(x.shape, x.dtype, x.stride()) for x in wanted]
    assert all(x.is_meta for x in short)


def test_real_tensors_are_left_to_pytorch_and_constants_follow_weightless_ones():
    real = torch.rand(2, 3)
    result, args, kwargs = run(ATEN.add.Tensor, (real, real), {"alpha": 2}, [real, real])
    assert torch.equal(result, 3 * real)
    assert (args[0] is real, kwargs) == (True, {"alpha": 2})
    empty, one = torch.empty(2, 3, device="meta"), torch.tensor(1.0)
    result, args, _ = run(ATEN.add.Tensor, (empty, real), {}, [empty, real])
    assert (result.is_meta, [x.is_meta for x in args]) == (True, [True, True])
    result, args, _ = run(ATEN.cat.default, ([empty, real], 0), {}, [empty, real])
    assert (tuple(result.shape), [x.is_meta for x in args[0]], args[1]) == ((4, 3), [True, True], 0)
    _, args, _ = run(ATEN.mul.Tensor, (empty, one), {}, [empty, one])
    assert args[1] is one  # a number that PyTorch takes as it is
