"""What each rule says of every single unit, against where the gradient of that unit reaches."""

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from striate.analysis.fields import Spread, State
from striate.analysis.inputs import Inputs
from striate.analysis.ramps import UNKNOWN, identity
from striate.analysis.watcher import watch

HEIGHT, WIDTH = 12, 10


def ones(*shape: int) -> Tensor:
    return torch.ones(shape, dtype=torch.double)


def conv(x: Tensor, *size: int, **options) -> Tensor:
    channels = x.shape[1] // options.get("groups", 1)
    return F.conv2d(x, ones(2, channels, *size), **options)


def blocks(x: Tensor) -> Tensor:
    """(1, 2, 6, 2, 5, 2): rows and columns cut into pairs."""
    return x.view(1, 2, HEIGHT // 2, 2, WIDTH // 2, 2)


def windows(x: Tensor) -> Tensor:
    return x.unfold(2, 3, 2).unfold(3, 4, 3)  # (1, 2, 5, 3, 3, 4)


def columns(x: Tensor) -> Tensor:
    return F.unfold(x, (3, 2), dilation=(2, 1), padding=(1, 0), stride=(2, 3))  # (1, 12, 5 * 3)


#: From each column to each row.
MIX = torch.arange(1.0, HEIGHT * WIDTH + 1, dtype=torch.double).view(WIDTH, HEIGHT) / HEIGHT / WIDTH

#: What each unit sees is told, and it is what its gradient reaches.
TOLD: dict[str, Callable[[Tensor], Tensor]] = {
    "convolution": lambda x: conv(x, 3, 4, stride=(2, 1), padding=(1, 2), dilation=(1, 2)),
    "convolution of groups": lambda x: conv(x, 3, 2, groups=2),
    "transposed": lambda x: F.conv_transpose2d(x, ones(2, 3, 4, 5), stride=(2, 3), padding=(1, 2), dilation=1),
    "transposed of larger kernels": lambda x: F.conv_transpose2d(x, ones(2, 3, 5, 5), stride=2, dilation=(1, 1)),
    "maps of rows that became channels": lambda x: F.conv2d(x.transpose(1, 2), ones(2, HEIGHT, 1, 3)),
    "pool of the kernel's stride": lambda x: F.avg_pool2d(x, (3, 2)),
    "pool": lambda x: F.avg_pool2d(x, (4, 3), stride=(1, 2), padding=(2, 1)),
    "pool that covers all": lambda x: F.avg_pool2d(x, (HEIGHT, WIDTH)),
    "adaptive": lambda x: F.adaptive_avg_pool2d(x, (5, 4)),
    "adaptive to more": lambda x: F.adaptive_avg_pool2d(x, (18, 4)),
    "nearest": lambda x: F.interpolate(x, (6, 20)),
    "nearest by a factor": lambda x: F.interpolate(x, scale_factor=(0.5, 1.5)),
    "pixel shuffle": lambda x: F.pixel_shuffle(x.repeat_interleave(2, 1) + 0, 2),
    "pixel unshuffle": lambda x: F.pixel_unshuffle(x, 2).sum(1),
    "padding": lambda x: F.pad(x, (1, 2, 3, 0)),
    "cutting by padding": lambda x: F.pad(x, (-1, -2, 0, -3)),
    "slice": lambda x: x[:, :, 1:-2:3, 4:],
    "slice from behind": lambda x: x[..., -3:],
    "select": lambda x: x[:, :, 5],
    "select from behind": lambda x: x[:, 0, :, -2],
    "unbind": lambda x: x.unbind(2)[7],
    "split": lambda x: x.split([3, 9], 2)[1],
    "chunk": lambda x: x.chunk(3, -1)[2],
    "narrow": lambda x: x.narrow(3, 2, 5),
    "stack": lambda x: torch.stack([x, conv(x, 3, 3, padding=1)], 2).sum(2),
    "stack behind": lambda x: torch.stack([x, x], -1),
    "joined maps": lambda x: torch.cat([x, conv(x, 3, 1, padding=(1, 0))], 1)[:, 2:],
    "joined rows summed": lambda x: torch.cat([x[:, :, :4], x[:, :, 2:6]], 2).sum(2),
    "permuted": lambda x: x.permute(3, 0, 2, 1),
    "transposed axes": lambda x: x.transpose(1, -1),
    "matrix's transpose": lambda x: x[0, 0].t(),
    "broadcast rows": lambda x: x + x[:, :1, :1],
    "squeezed": lambda x: x.squeeze(0).unsqueeze(2),
    "one unit left": lambda x: x[:, :, 3:4].reshape(2, WIDTH),
    "blocks": blocks,
    "mean of blocks": lambda x: blocks(x).mean((3, 5)),
    "mean kept": lambda x: blocks(x).mean((2, 4), keepdim=True),
    "place of a block": lambda x: blocks(x)[:, :, :, 1, :, 0],
    "places that became channels": lambda x: blocks(x).permute(0, 1, 3, 5, 2, 4).reshape(1, 8, 6, 5),
    "blocks put together again": lambda x: blocks(x).reshape(x.shape),
    "part of the blocks": lambda x: blocks(x)[:, :, 1::2, :, :3],
    "flattened maps": lambda x: x.flatten(2),
    "tokens cut again": lambda x: x.flatten(2).transpose(1, 2).transpose(1, 2).unflatten(2, (HEIGHT, WIDTH)),
    "windows": windows,
    "sum of windows": lambda x: windows(x).sum((-1, -2)),
    "some windows": lambda x: windows(x)[:, :, 1:, :2, :, 1:3],
    "windows cut twice": lambda x: windows(x)[:, :, 1:, :, 1:][:, :, 1:, 1:, 1:],
    "every other window": lambda x: windows(x)[:, :, 1::2, :, ::2, 1::2],
    "one place of the windows": lambda x: windows(x)[..., 1, 2],
    "windows as columns": columns,
    "columns by maps": lambda x: columns(x).view(1, 2, 6, 15).sum(2),
    "columns by a product": lambda x: ones(3, 12) @ columns(x),
    "product": lambda x: x @ ones(WIDTH, 4),
    "product from the left": lambda x: ones(4, HEIGHT) @ x,
    "product of maps and added rows": lambda x: torch.addmm(x[0, 0, :, :4], x[0, 0], ones(WIDTH, 4)),
    "dense": lambda x: F.linear(x, ones(7, WIDTH), ones(7)),
    "scores": lambda x: x @ x.transpose(2, 3),
    "softmax": lambda x: torch.softmax(x, -1),
    "layer norm": lambda x: F.layer_norm(x, (WIDTH,)),
    "layer norm of two": lambda x: F.layer_norm(x, (HEIGHT, WIDTH)),
    "group norm": lambda x: F.group_norm(x, 2),
    "norm by the batch": lambda x: F.batch_norm(x, None, None, training=True),
    "norm without statistics": lambda x: torch.ops.aten._native_batch_norm_legit.no_stats(x, None, None, True, 0.1, 1)[
        0
    ],
    "norm by statistics": lambda x: F.batch_norm(x, ones(2), ones(2)),
    "sum": lambda x: x.sum(2),
    "sum of two": lambda x: x.sum((1, -1)),
    "norm": lambda x: x.norm(dim=3),
    "largest of two": lambda x: torch.logaddexp(x, x[:, :, :, :1]),
    "written over": lambda x: torch.zeros(1, 2, HEIGHT, WIDTH, dtype=torch.double).copy_(x),
    "channels rolled": lambda x: x.roll(1, 1),
    "channels turned": lambda x: x.flip((1,)),
    "attention": lambda x: F.scaled_dot_product_attention(x[:, :1], x[:, :1], x[:, 1:]),
    "attention to others": lambda x: F.scaled_dot_product_attention(ones(1, 1, 3, WIDTH), x[:, :1], x[:, 1:]),
    "attention to values": lambda x: F.scaled_dot_product_attention(
        ones(1, 1, 3, WIDTH), ones(1, 1, HEIGHT, WIDTH), x[:, :1]
    ),
    "masked attention": lambda x: F.scaled_dot_product_attention(
        ones(1, 1, HEIGHT, 4), ones(1, 1, HEIGHT, 4), ones(1, 1, HEIGHT, 4).cumsum(2), x[:, :1] @ MIX
    ),
    "bilinear": lambda x: F.interpolate(x, (6, 20), mode="bilinear"),
    "bilinear by a factor": lambda x: F.interpolate(x, scale_factor=(0.5, 1.5), mode="bilinear"),
}
#: At the input's edge these read less, or what lies within.
AT_THE_EDGE = ("bilinear", "bilinear by a factor", "nearest by a factor", "reflected", "repeated", "convolution")
AT_THE_EDGE += ("columns by maps", "columns by a product")
TOLD["reflected"] = lambda x: F.pad(x, (2, 1, 0, 3), mode="reflect")
TOLD["repeated"] = lambda x: F.pad(x, (2, 1, 0, 3), mode="replicate")

#: No rule tells it, so nothing is said of at least one of the axes.
UNTOLD: dict[str, tuple[Callable[[Tensor], Tensor], tuple[int, ...]]] = {
    "convolution with a kernel that sees": (lambda x: F.conv2d(ones(1, 2, 9, 9), x[:, :, :3, :3]), (0, 1)),
    "convolution of itself": (lambda x: F.conv2d(x, x[:, :, :3, :3]), (0, 1)),
    "groups of rows": (lambda x: F.conv2d(x.transpose(1, 2), ones(HEIGHT, 1, 1, 3), groups=HEIGHT), (0,)),
    "aligned corners": (lambda x: F.interpolate(x, (6, 20), mode="bilinear", align_corners=True), (0, 1)),
    "rows rolled": (lambda x: x.roll(1, 2), (0,)),
    "columns turned": (lambda x: x.flip(3), (1,)),
    "rows that follow each other padded": (lambda x: F.pad(x.flatten(2), (1, 1)), (0, 1)),
    "pairs of rows padded": (lambda x: F.pad(blocks(x), (0, 0, 0, 0, 1, 1)), (0,)),
    "some of the columns": (lambda x: columns(x)[:, 2:9], (0, 1)),
    "some of the windows": (lambda x: columns(x)[:, :, 2:9], (0, 1)),
    "one of the windows": (lambda x: columns(x)[:, :, 2], (0, 1)),
    "rows and maps cut otherwise": (
        lambda x: F.conv2d(x, ones(3, 2, 1, 1))[:, :, :4].reshape(1, 2, 6, WIDTH),
        (0,),
    ),
    "transposed with gaps": (lambda x: F.conv_transpose2d(x, ones(2, 1, 1, 3), stride=(2, 1)), (0,)),
    "rows behind rows pooled": (lambda x: F.avg_pool1d(torch.cat([x, x], 3)[0], 2), (1,)),
    "unlike strides": (lambda x: x[:, :, ::2] + x[:, :, :6], (0,)),
    "a vector looked up": (lambda x: F.embedding(torch.tensor([0, 1]), x[0, 0]), (0, 1)),
}


class Rule(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def told(function: Callable[[Tensor], Tensor]) -> tuple[State, ...]:
    field = watch(Rule(function), Inputs((image(),))).receptive_field
    assert field is not None
    return field


def image() -> Tensor:
    return torch.arange(1.0, 2 * HEIGHT * WIDTH + 1, dtype=torch.double).view(1, 2, HEIGHT, WIDTH) / 100


@pytest.mark.parametrize("name", TOLD)
def test_every_unit_sees_what_its_gradient_reaches(interval, name: str) -> None:
    field = told(TOLD[name])
    assert UNKNOWN not in field
    assert not any(isinstance(state, Spread) for state in field)
    x = image().requires_grad_()
    y = TOLD[name](x)
    for index in itertools.product(*map(range, y.shape)):
        (gradient,) = torch.autograd.grad(y[index] if y.dim() else y, x, retain_graph=True)
        reached = gradient[0].abs().sum(0) > 1e-14
        if not reached.any():  # all of it lies in the padding
            seen = [interval(state, index) for state in field if state is not None]
            assert any(high < 0 or low >= size for (low, high), size in zip(seen, (HEIGHT, WIDTH), strict=True))
            continue
        for state, rows, size in zip(field, (reached.any(1), reached.any(0)), (HEIGHT, WIDTH), strict=True):
            low, high = interval(state, index)
            inside = low >= 0 and high < size
            places = rows.nonzero().flatten().tolist()
            if inside or name not in AT_THE_EDGE:
                assert (places[0], places[-1]) == (max(low, 0), min(high, size - 1)), index


@pytest.mark.parametrize("name", ["blocks put together again", "tokens cut again", "permuted and back"])
def test_what_comes_back_is_told_as_it_was(name: str) -> None:
    back = {"permuted and back": lambda x: x.permute(3, 2, 1, 0).permute(3, 2, 1, 0)}
    assert told({**TOLD, **back}[name]) == (identity(2), identity(3))


@pytest.mark.parametrize("name", UNTOLD)
def test_what_no_rule_tells_is_not_known(name: str) -> None:
    function, axes = UNTOLD[name]
    field = told(function)
    assert [axis for axis, state in enumerate(field) if isinstance(state, type(UNKNOWN) | Spread)] == list(axes)
