"""Rules for signals, images and volumes, against which units change when one value of the input does."""

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from striate.analysis.blending_rules import attention
from striate.analysis.fields import Field, State, widened
from striate.analysis.inputs import Inputs
from striate.analysis.operation import Call
from striate.analysis.propagation import RULES
from striate.analysis.ramps import UNKNOWN, identity
from striate.analysis.watcher import watch

Function = Callable[[Tensor], Tensor]

SIGNAL, IMAGE, VOLUME = (1, 2, 13), (1, 2, 7, 6), (1, 2, 4, 6, 5)


def ones(*shape: int) -> Tensor:
    return torch.ones(shape, dtype=torch.double)


def values(shape: tuple[int, ...]) -> Tensor:
    """Of many sizes and no order, the largest and the smallest of each row somewhere in its middle."""
    count = int(torch.tensor(shape).prod())
    x = torch.sin(torch.arange(1.0, count + 1, dtype=torch.double) * 2.7).view(shape)
    for axis in range(1, len(shape)):
        middle = shape[axis] // 2
        x.select(axis, middle).add_(9)
        x.select(axis, middle - 1).sub_(9)
    return x


class Network(nn.Module):
    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def told(function: Function, shape: tuple[int, ...]) -> tuple[State, ...]:
    field = watch(Network(function), Inputs((values(shape),))).receptive_field
    assert field is not None
    return field


def reached(function: Function, shape: tuple[int, ...]) -> dict[tuple[int, ...], list[tuple[int, ...]]]:
    """For each unit the places of the input (along its axes) at which a value that is no number changes it."""
    x = values(shape)
    before = function(x)
    found: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for place in itertools.product(*map(range, shape)):
        poisoned = x.clone()
        poisoned[place] = torch.nan
        after = function(poisoned)
        changed = (after != before).nonzero() if before.dim() else [[]] * bool(after != before)
        for index in changed:
            found.setdefault(tuple(int(number) for number in index), []).append(place[2:])
    return found


SIGNALS: dict[str, Function] = {
    "maximum": lambda x: F.max_pool1d(x, 3, 2, 1, 2),
    "maximum and where": lambda x: F.max_pool1d(x, 3, return_indices=True)[0],
    "mean": lambda x: F.avg_pool1d(x, 4, 3, 2),
    "mean of the kernel's stride": lambda x: F.avg_pool1d(x, 4),
    "adaptive mean": lambda x: F.adaptive_avg_pool1d(x, 5),
    "adaptive maximum": lambda x: F.adaptive_max_pool1d(x, 5),
    "convolution": lambda x: F.conv1d(x, ones(3, 2, 3), None, 2, 1, 2),
    "transposed convolution": lambda x: F.conv_transpose1d(x, ones(2, 3, 4), None, 2, 1),
    "reflection": lambda x: F.pad(x, (2, 3), "reflect"),
    "repetition": lambda x: F.pad(x, (2, 3), "replicate"),
    "zeros": lambda x: F.pad(x, (2, 3)),
    "nearest": lambda x: F.interpolate(x, 26),
    "windows": lambda x: x.unfold(-1, 4, 3),
    "pieces": lambda x: torch.unsafe_split(x, 5, 2)[2],
    "pieces of sizes": lambda x: torch.unsafe_split_with_sizes(x, [4, 6, 3], -1)[1],
    "chunks": lambda x: torch.unsafe_chunk(x, 3, -1)[1],
}
IMAGES: dict[str, Function] = {
    "maximum": lambda x: F.max_pool2d(x, (3, 2), (2, 1), (1, 0), (2, 3)),
    "maximum of the kernel's stride": lambda x: F.max_pool2d(x, (3, 2)),
    "adaptive maximum": lambda x: F.adaptive_max_pool2d(x, (3, 4)),
    "adaptive maximum and where": lambda x: F.adaptive_max_pool2d(x, (3, 4), return_indices=True)[0],
    "largest": lambda x: x.amax(2),
    "smallest": lambda x: x.amin((2, 3), keepdim=True),
    "largest and where": lambda x: x.max(3).values,
    "where the largest is": lambda x: x.max(2).indices,
    "smallest and where": lambda x: x.min(2, keepdim=True).values,
    "all of it, largest": lambda x: x.max(),
    "variance": lambda x: x.var(2),
    "deviation": lambda x: x.std((1, 3)),
    "variance and mean": lambda x: torch.var_mean(x, 2)[1],
    "deviation and mean": lambda x: torch.std_mean(x, 3)[0],
    "product": lambda x: (x + 5).prod(2),
    "norm": lambda x: torch.linalg.vector_norm(x, 3, 2),
    "norm of all": lambda x: x.norm(),
    "norm of order one": lambda x: x.norm(1, -1),
    "sum of powers": lambda x: x.logsumexp(3),
    "all true": lambda x: (x < 99).all(2),
    "any": lambda x: ~(x < 99).all(3, keepdim=True),
    "of two": lambda x: torch.max(x, F.avg_pool2d(x, 3, 1, 1)),
    "larger of two": lambda x: torch.maximum(x, x[:, :, :1]),
    "log of softmax": lambda x: torch.log_softmax(x, 2),
    "layer norm": lambda x: F.layer_norm(x, (6,)),
    "mean square norm": lambda x: F.rms_norm(x, (6,)),
    "norm of maps": lambda x: F.instance_norm(x),
    "norm of groups": lambda x: F.group_norm(x, 1),
    "norm of groups of rows": lambda x: F.group_norm(x.transpose(1, 2), 1),
    "norm of maps of rows": lambda x: F.layer_norm(x.transpose(1, 2), (2, 6)),
    "slopes": lambda x: F.prelu(F.avg_pool2d(x, 3, 1, 1), ones(2)),
    "leaky": lambda x: F.rrelu(F.avg_pool2d(x, 3, 1, 1)),
    "threshold": lambda x: F.threshold(F.avg_pool2d(x, 3, 1, 1), -9.0, 0.0),
    "log of sigmoid": lambda x: F.logsigmoid(F.avg_pool2d(x, 3, 1, 1)),
    "copy": lambda x: F.avg_pool2d(x, 3, 1, 1).clone().detach().contiguous(),
    "another type": lambda x: F.avg_pool2d(x, 3, 1, 1).float(),
    "spread": lambda x: F.avg_pool2d(x, 3, 1, 1).mean(2, keepdim=True).expand(1, 2, 4, 6),
    "channels shuffled": lambda x: torch.channel_shuffle(F.avg_pool2d(x, 3, 1, 1), 2),
    "products": lambda x: torch.bmm(x[0], ones(2, 6, 3)),
    "products and a sum": lambda x: torch.baddbmm(ones(2, 7, 3), x[0], ones(2, 6, 3)),
    "products with a sum of the input": lambda x: torch.baddbmm(x[0, :, :, 1:4], x[0, :, :, :6], ones(2, 6, 3)),
    "a sum of the input alone": lambda x: torch.addmm(x[0, 0, :, 1:4], ones(7, 2), ones(2, 3)),
    "product of the two": lambda x: torch.mm(x[0, 0, :5], x[0, 1, :6]),
    "with a row for all": lambda x: torch.addmm(x[0, 0, :1, 1:4], x[0, 0], ones(6, 3)),
    "product with a vector": lambda x: x @ ones(6),
    "product with a vector and a sum": lambda x: torch.addmv(x[0, 0, :, 1], x[0, 1], ones(6)),
    "columns": lambda x: F.unfold(x, (2, 3), (1, 2), (1, 0), (2, 1)),
    "columns of an image alone": lambda x: F.unfold(x[0], (3, 2), (2, 1), (0, 1), (1, 2)),
    "stacked in front": lambda x: torch.stack([F.avg_pool2d(x, 3, 1, 1), x]).amax(0),
    "stacked between": lambda x: torch.stack([F.avg_pool2d(x, 3, 1, 1), x], -2).sum(3),
    "stacked behind rows": lambda x: torch.stack([x, x], 3),
    "rows of the two": lambda x: torch.cat([x[:, :1], F.avg_pool2d(x, 3, 1, 1)], 1).sum(1),
    "with what depends on nothing": lambda x: torch.cat([ones(1, 1, 7, 6), x], 1)[:, 1:],
    "a unit": lambda x: x[:, :, 2, 3],
    "a unit of pairs": lambda x: x[:, :, :6].view(1, 2, 3, 2, 6)[:, :, 1],
    "every second from the third": lambda x: x[:, :, 2::2],
    "up to beyond the end": lambda x: x[:, :, 3:99],
    "from beyond the start": lambda x: x[:, :, -99:5],
    "the last of windows": lambda x: x.unfold(2, 3, 2)[:, :, -1],
    "turned": lambda x: x.transpose(-1, 1).movedim(0, 2),
    "turned matrix": lambda x: x[0, 1].T,
    "copied over": lambda x: torch.empty(2, 1, 7, 6, dtype=torch.double).copy_(F.avg_pool2d(x, 3, 1, 1).mean(1)),
    "attended to": lambda x: F.scaled_dot_product_attention(x[:, :, :3], x[:, :, 2:5], x[:, :, 1:4]),
}
VOLUMES: dict[str, Function] = {
    "maximum": lambda x: F.max_pool3d(x, (2, 3, 1), (1, 2, 2), (1, 1, 0), (2, 1, 1)),
    "maximum of the kernel's stride": lambda x: F.max_pool3d(x, (2, 3, 1)),
    "mean": lambda x: F.avg_pool3d(x, (2, 3, 1), (1, 2, 2), (1, 1, 0)),
    "adaptive mean": lambda x: F.adaptive_avg_pool3d(x, (2, 4, 3)),
    "adaptive maximum": lambda x: F.adaptive_max_pool3d(x, (3, 2, 2)),
    "convolution": lambda x: F.conv3d(x, ones(1, 2, 2, 3, 1), None, (1, 2, 2), (1, 1, 0), (2, 1, 1)),
    "repetition": lambda x: F.pad(x, (1, 0, 2, 1, 0, 1), "replicate"),
    "reflection": lambda x: F.pad(x, (1, 0, 2, 1, 0, 1), "reflect"),
    "nearest": lambda x: F.interpolate(x, (2, 12, 5)),
}
CASES = [
    *((SIGNAL, SIGNALS, name) for name in SIGNALS),
    *((IMAGE, IMAGES, name) for name in IMAGES),
    *((VOLUME, VOLUMES, name) for name in VOLUMES),
]


@pytest.mark.parametrize(("shape", "table", "name"), CASES, ids=[f"{len(s) - 2}: {name}" for s, _, name in CASES])
def test_every_unit_sees_what_changes_it(
    interval, shape: tuple[int, ...], table: dict[str, Function], name: str
) -> None:
    function = table[name]
    field, found = told(function, shape), reached(function, shape)
    assert UNKNOWN not in field
    edge = name in ("reflection", "repetition", "maximum", "convolution")  # where these leave the input
    for index in itertools.product(*map(range, function(values(shape)).shape)):
        for axis, (state, size) in enumerate(zip(field, shape[2:], strict=True)):
            if state is None:  # no value along that axis changes it
                continue
            low, high = interval(state, index)
            places = [place[axis] for place in found.get(index, ())]
            if not places:  # what lies in the padding
                seen = [interval(other, index) for other in field if other is not None]
                assert any(end < 0 or start >= length for (start, end), length in zip(seen, shape[2:], strict=True))
            elif (low >= 0 and high < size) or not edge:
                assert (min(places), max(places)) == (max(low, 0), min(high, size - 1)), (index, axis)


FRESH: dict[str, Function] = {
    "zeros": torch.zeros_like,
    "ones": torch.ones_like,
    "full": lambda x: torch.full_like(x, 2.0),
    "empty": lambda x: torch.empty_like(x).zero_(),
    "random": torch.rand_like,
    "normal": torch.randn_like,
    "new zeros": lambda x: x.new_zeros(x.shape),
    "new ones": lambda x: x.new_ones(x.shape),
    "new full": lambda x: x.new_full(x.shape, 3.0),
    "new empty": lambda x: x.new_empty(x.shape).fill_(1),
    "new empty with strides": lambda x: x.new_empty_strided(x.shape, x.stride()).zero_(),
    "overwritten by zeros": lambda x: x.clone().zero_(),
    "overwritten by a number": lambda x: x.clone().fill_(2),
    "overwritten at random": lambda x: x.clone().uniform_(),
    "overwritten by normal numbers": lambda x: x.clone().normal_(),
    "drawn": lambda x: x.clone().bernoulli_(0.5),
    "copied over by what depends on nothing": lambda x: x.clone().copy_(torch.ones(())),
}


@pytest.mark.parametrize("name", FRESH)
def test_what_is_made_anew_depends_on_nothing(name: str) -> None:
    blurred = told(lambda x: FRESH[name](F.avg_pool2d(x, 5, 1, 2)), IMAGE)
    assert blurred == (None, None)
    assert told(lambda x: x + FRESH[name](F.avg_pool2d(x, 5, 1, 2)), IMAGE) == (identity(2), identity(3))


UNTOLD: dict[str, Function] = {
    "aligned lines": lambda x: F.interpolate(x, 9, mode="linear", align_corners=True),
    "exact neighbours": lambda x: F.interpolate(x, 9, mode="nearest-exact"),
    "no rule and not value by value": lambda x: x.cumsum(2),
    "order": lambda x: x.sort(2).values,
    "turned": lambda x: x.flip(-1),
    "rolled": lambda x: x.roll(2, -1),
    "a kernel that sees": lambda x: F.conv1d(ones(1, 2, 9), x[:, :, :3]),
    "a vector looked up": lambda x: F.embedding(torch.tensor([0, 1]), x[0]),
    "groups along the axis": lambda x: F.conv1d(x.transpose(1, 2), ones(13, 1, 1), groups=13),
    "pooled rows behind one another": lambda x: F.avg_pool1d(torch.cat([x, x], 2), 3),
}


@pytest.mark.parametrize("name", UNTOLD)
def test_what_has_no_common_stride_or_no_rule_is_not_told(name: str) -> None:
    state = told(UNTOLD[name], SIGNAL)[0]
    assert state == UNKNOWN


@pytest.mark.parametrize("mode", ["linear", "bilinear", "bicubic", "trilinear"])
def test_smooth_interpolation_reads_its_neighbours(interval, mode: str) -> None:
    """In the middle, by the gradient: a weight of zero times what is no number is none."""
    shape = {"linear": SIGNAL, "trilinear": (1, 1, 6, 8, 7)}.get(mode, (1, 1, 12, 10))
    for factor in (2, 1.5, 0.5):
        function = lambda x, factor=factor: F.interpolate(x, scale_factor=factor, mode=mode)  # noqa: E731
        field, x = told(function, shape), values(shape).requires_grad_()
        y = function(x)
        middle = tuple(size // 2 for size in y.shape)
        for step in (0, 1):
            index = tuple(place - step if dim > 1 else 0 for dim, place in enumerate(middle))
            (gradient,) = torch.autograd.grad(y[index], x, retain_graph=True)
            hit = (gradient[0].abs().sum(0) > 1e-12).nonzero()
            for axis, state in enumerate(field):
                places = hit[:, axis].tolist()
                assert interval(state, index) == (min(places), max(places)), (factor, step, axis)


def test_kernels_of_other_machines_have_the_rules_of_this_one() -> None:
    for name in ("flash_attention", "flash_attention_for_cpu", "efficient_attention", "cudnn_attention"):
        assert RULES[f"_scaled_dot_product_{name}"] is attention
    assert RULES["cudnn_batch_norm"] is RULES["native_batch_norm"]
    assert RULES["_safe_softmax"].__qualname__ == RULES["_softmax"].__qualname__
    assert RULES["_convolution"] is RULES["convolution"]


#: Names under which an operation may arrive elsewhere, behind the one that it has here.
OTHER_NAMES = """
mul add sub div relu hardtanh hardswish hardsigmoid gelu silu elu selu celu leaky_relu mish prelu _prelu_kernel
    threshold softplus log_sigmoid_forward clone contiguous _to_copy detach alias lift_fresh clamp native_dropout
    expand broadcast_to rrelu_with_noise glu_jvp softshrink hardshrink channel_shuffle native_channel_shuffle
view _unsafe_view _reshape_alias reshape flatten unflatten squeeze unsqueeze
sum mean amax amin max min var std var_mean std_mean prod linalg_vector_norm norm logsumexp argmax argmin any all
zeros_like ones_like empty_like full_like rand_like randn_like new_zeros new_ones new_empty new_full
    new_empty_strided bernoulli zero fill uniform normal sym_size
permute transpose t numpy_T swapaxes
split split_with_sizes unsafe_split unsafe_split_with_sizes chunk unsafe_chunk
native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training cudnn_batch_norm
constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d
roll flip
pixel_shuffle pixel_unshuffle
"""


@pytest.mark.parametrize("line", OTHER_NAMES.replace("\n    ", " ").strip().splitlines())
def test_operations_of_one_kind_have_one_rule(line: str) -> None:
    first, *others = line.split()
    assert [name for name in others if RULES.get(name) is not RULES[first]] == []


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pooling_under_any_name_reads_the_same_windows(rank: int) -> None:
    shape = {1: SIGNAL, 2: IMAGE, 3: VOLUME}[rank]
    kernel, stride, pad, gap = ((3, 2, 2)[:rank], (2, 1, 2)[:rank], (1, 0, 1)[:rank], (1, 2, 1)[:rank])
    x, field = values(shape), tuple(identity(2 + axis) for axis in range(rank))

    def said(name: str, function: Function, *args: object) -> list[Field]:
        outputs = [function(x)]
        return RULES[name](Call(name, (x, *args), {}, outputs, lambda tensor: field, [x]))

    largest, mean, fixed = (getattr(F, f"{name}_pool{rank}d") for name in ("max", "avg", "adaptive_avg"))
    with_gaps = lambda x: largest(x, kernel, stride, pad, gap)  # noqa: E731
    for name in (f"max_pool{rank}d", f"max_pool{rank}d_with_indices"):
        assert said(name, with_gaps, kernel, stride, pad, gap) == [told(with_gaps, shape)]
    plain = lambda x: mean(x, kernel, stride, pad)  # noqa: E731
    assert said(f"avg_pool{rank}d", plain, kernel, stride, pad, True, gap) == [told(plain, shape)]
    sizes = tuple(max(1, size // 2) for size in shape[2:])
    to_size = lambda x: fixed(x, sizes)  # noqa: E731
    for name in (f"adaptive_avg_pool{rank}d", f"_adaptive_avg_pool{rank}d", f"adaptive_max_pool{rank}d"):
        assert said(name, to_size, sizes) == [told(to_size, shape)]
    assert RULES[f"_upsample_nearest_exact{rank}d"] is RULES["_upsample_nearest_exact1d"]


def test_norms_of_rows_and_softmax_go_by_any_of_their_names() -> None:
    x = values(IMAGE)
    field = (identity(2), identity(3))

    def said(name: str, *args: object) -> list[Field]:
        fields = RULES[name](Call(name, (x, *args), {}, [x], lambda tensor: field, [x]))
        return [widened(one, IMAGE[2:]) for one in fields]

    for name in ("native_layer_norm", "_fused_rms_norm"):
        assert said(name, [6]) == [told(lambda x: F.layer_norm(x, (6,)), IMAGE)]
    for name in ("_softmax", "_log_softmax", "_safe_softmax"):
        assert said(name, 2) == [told(lambda x: torch.softmax(x, 2), IMAGE)]
    assert set(RULES) >= {f"upsample_{name}" for name in ("linear1d", "bilinear2d", "bicubic2d", "trilinear3d")}
