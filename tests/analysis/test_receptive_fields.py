"""Receptive fields against published figures and against where the gradient of one unit reaches."""

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from striate.analysis import summary

PUBLISHED = {
    "alexnet": (227, 195),
    "vgg16": (224, 212),
    "resnet18": (224, 435),
    "resnet34": (224, 899),
    "resnet50": (224, 427),
    "resnet152": (224, 1451),
    "inception_v3": (299, 1311),
}


def torchvision_network(name: str) -> nn.Module:
    options = {"init_weights": False} if name in ("inception_v3", "googlenet") else {}
    with torch.device("meta"):
        return getattr(torchvision.models, name)(**options)


@pytest.mark.parametrize(("name", "expected"), PUBLISHED.items())
def test_published_receptive_fields_of_whole_networks(name: str, expected: tuple[int, int]) -> None:
    size, field = expected
    assert summary(torchvision_network(name), (3, size, size)).receptive_field == (field, field)


def test_mobilenet_v1_sees_315() -> None:
    strides = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
    blocks = [nn.Conv2d(3, 4, 3, 2, 1)]
    for stride in strides:
        blocks += [nn.Conv2d(4, 4, 3, stride, 1, groups=4), nn.Conv2d(4, 4, 1)]
    model = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10))
    assert summary(model, (3, 224, 224)).receptive_field == (315, 315)


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("layers", [1, 2, 5])
def test_stacked_convolutions_see_one_plus_layers_times_kernel_less_one(kernel: int, layers: int) -> None:
    model = nn.Sequential(*(nn.Conv2d(1, 1, kernel) for _ in range(layers)))
    assert summary(model, (1, 64, 64)).receptive_field == (1 + layers * (kernel - 1),) * 2


def test_conv_conv_pool_conv_table() -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3), nn.MaxPool2d(2), nn.Conv2d(1, 1, 5), nn.MaxPool2d(2))
    rows = summary(model, (1, 40, 40)).rows
    assert [row.receptive_field for row in rows] == [(3, 3), (5, 5), (6, 6), (14, 14), (16, 16)]
    assert [row.stride for row in rows] == [(1, 1), (1, 1), (2, 2), (2, 2), (4, 4)]
    assert [row.offset for row in rows] == [(1, 1), (2, 2), (2.5, 2.5), (6.5, 6.5), (7.5, 7.5)]


@st.composite
def layers(draw: st.DrawFn) -> nn.Module:
    kernel = (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    stride = draw(st.sampled_from([(1, 1), (2, 2), (1, 2), (2, 1)]))
    padding = (draw(st.integers(0, kernel[0] // 2)), draw(st.integers(0, kernel[1] // 2)))
    kind = draw(st.sampled_from(["conv", "average", "pad", "relu", "dilated", "grouped"]))
    if kind == "conv":
        return nn.Conv2d(2, 2, kernel, stride, padding)
    if kind == "dilated":
        return nn.Conv2d(2, 2, kernel, 1, padding, dilation=(2, 3))
    if kind == "grouped":
        return nn.Conv2d(2, 2, kernel, stride, padding, groups=2)
    if kind == "average":
        return nn.AvgPool2d(kernel, stride, padding)
    if kind == "pad":
        return nn.ZeroPad2d((1, 0, 0, 2))
    return nn.ReLU()


@settings(max_examples=20, deadline=None, derandomize=True)
@given(chain=st.lists(layers(), min_size=1, max_size=4))
def test_random_chains_agree_with_the_gradient(agrees_with_gradient, chain: list[nn.Module]) -> None:
    agrees_with_gradient(nn.Sequential(*chain), 127, channels=2)


class Branches(nn.Module):
    """Unequal branches, added and concatenated, with a strided slice as shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(1, 2, 7, stride=2, padding=1)
        self.narrow = nn.Conv2d(1, 2, 3, stride=2, padding=3)
        self.pool = nn.AvgPool2d(3, stride=2, padding=1)
        self.last = nn.Conv2d(4, 1, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = self.wide(x)
        size = wide.shape[-2:]
        added = wide + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, 1))[:, :, : size[0], : size[1]]
        added = added + self.narrow(x)[:, :, : size[0], : size[1]]
        return self.last(torch.cat([added, self.pool(x)[:, :, : size[0], : size[1]], added[:, :1]], dim=1))


def test_branches_of_unequal_reach_agree_with_the_gradient(agrees_with_gradient) -> None:
    agrees_with_gradient(Branches(), 65)


class Scaled(nn.Module):
    """Up-sampling in several ways, then a convolution."""

    def __init__(self, up: nn.Module) -> None:
        super().__init__()
        self.down = nn.Conv2d(1, 1, 5, stride=4)
        self.up = up
        self.conv = nn.Conv2d(1, 1, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(self.up(self.down(x)))


@pytest.mark.parametrize(
    "up",
    [
        nn.Upsample(scale_factor=2, mode="nearest"),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.Upsample(scale_factor=2, mode="bicubic"),
        nn.Upsample(scale_factor=3, mode="bilinear"),
        nn.ConvTranspose2d(1, 1, 2, stride=2),
        nn.ConvTranspose2d(1, 1, 4, stride=2, padding=1),
        nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1, output_padding=1),
        nn.ConvTranspose2d(1, 1, 3, stride=1),
    ],
    ids=str,
)
def test_up_sampling_gives_the_widest_extent_of_neighbouring_units(extents_by_gradient, up: nn.Module) -> None:
    model, size = Scaled(up), 129
    result = summary(model, (1, size, size))
    assert result.root.receptive_field is not None
    wide = max(high - low + 1 for low, high in extents_by_gradient(model, size)[0])
    if isinstance(up, nn.Upsample) and up.scale_factor == 3:  # three kinds of unit, of which two are probed
        assert wide <= result.root.receptive_field[0] <= wide + 4
    else:
        assert wide == result.root.receptive_field[0]
    scale = 1 if getattr(up, "stride", None) == (1, 1) else int(getattr(up, "scale_factor", 2))
    assert result.root.stride == pytest.approx((4 / scale, 4 / scale))


def test_seeing_one_axis_whole_is_not_seeing_all() -> None:
    model = nn.Sequential(nn.AdaptiveAvgPool2d((1, None)), nn.Conv2d(1, 1, (1, 5), padding=(0, 2)))
    root = summary(model, (1, 4, 5)).root
    assert (root.receptive_field, root.sees_all) == ((4, 5), False)


def test_global_pooling_and_dense_layers_see_the_whole_input() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 5))
    result = summary(model, (1, 20, 30))
    assert [row.sees_all for row in result.rows] == [False, True, True, True]
    assert result.rows[-1].receptive_field == (20, 30)
    assert result.receptive_field == (3, 3)


def test_units_of_a_flattened_map_differ_so_no_field_is_claimed() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.ReLU(), nn.Linear(2 * 36, 5))
    rows = summary(model, (1, 8, 8)).rows
    assert [row.receptive_field for row in rows] == [(3, 3), None, None, (8, 8)]


def test_channels_last_linear_layers_keep_the_field() -> None:
    class Mixer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.linear, self.after = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 16), nn.Conv2d(16, 1, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.after(self.linear(self.conv(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2))

    for batch in (1, 3):
        rows = summary(Mixer(), (batch, 3, 32, 32)).rows
        assert [row.receptive_field for row in rows] == [(4, 4), (4, 4), (12, 12)]


def test_a_token_sees_its_patch_until_attention_shows_it_the_whole() -> None:
    result = summary(torchvision_network("vit_b_16"), (2, 3, 224, 224))
    assert result.rows[0].receptive_field == (16, 16)
    after = [row for row in result.rows if row.type == "MultiheadAttention"]
    assert all(row.sees_all for row in after)
    assert result.receptive_field == (224, 224)


def test_squeeze_and_excitation_lets_every_unit_see_the_whole() -> None:
    assert summary(torchvision_network("efficientnet_b0"), (3, 224, 224)).receptive_field == (224, 224)


class Spread(nn.Module):
    """One unit of a corner, or of a padded whole, given to every place by arithmetic."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x) + torch.zeros_like(x)


@pytest.mark.parametrize(
    ("conv", "size", "whole"), [(nn.Conv2d(1, 1, 3, stride=9), 3, False), (nn.Conv2d(1, 1, 11, padding=1), 9, True)]
)
def test_what_one_unit_sees_is_seen_wherever_it_is_spread(conv: nn.Module, size: int, whole: bool) -> None:
    root = summary(Spread(conv), (1, 9, 9)).root
    assert root.output_shape == (1, 1, 9, 9)
    assert (root.receptive_field, root.sees_all) == ((size, size), whole)


def test_group_norm_sees_the_whole_and_batch_norm_does_not() -> None:
    result = summary(nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.GroupNorm(2, 4)), (1, 9, 9))
    assert [row.receptive_field for row in result.rows] == [(3, 3), (3, 3), (9, 9)]


class Pyramid(nn.Module):
    """A dilated branch that reaches far into the padding beside a globally pooled one, as in DeepLab."""

    def __init__(self) -> None:
        super().__init__()
        self.far = nn.Conv2d(1, 1, 3, padding=29, dilation=30)
        self.pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(1, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        far = self.far(x)
        return torch.cat([far, self.pooled(x).expand_as(far)], dim=1)


def test_a_globally_pooled_branch_covers_one_that_reaches_into_the_padding() -> None:
    assert summary(Pyramid(), (1, 24, 24)).root.sees_all


@pytest.mark.parametrize("dims", [(2, 3), (1,)])
def test_a_norm_over_some_dimensions_blends_just_those(dims: tuple[int, ...]) -> None:
    class Normalised(nn.Conv2d):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = super().forward(x)
            return x / x.norm(p=2, dim=dims, keepdim=True)

    root = summary(Normalised(1, 4, 3), (1, 9, 9)).root
    assert root.receptive_field == ((3, 3) if dims == (1,) else (9, 9))


class Odd(nn.Module):
    """Something whose reach no rule tells."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.conv, self.how = nn.Conv2d(1, 1, 3, padding=1), how

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        if self.how == "sort":
            return x.sort(dim=2).values
        if self.how == "roll":
            return x.roll(1, dims=2)
        if self.how == "fold":
            return x.reshape(1, 1, 4, 4, 16).transpose(2, 3).reshape(1, 1, 16, 16)
        if self.how == "gather":
            return x[:, :, torch.tensor([3, 1, 2])]
        if self.how == "join":
            return torch.cat([x, x], dim=2)
        if self.how == "fft":
            return torch.fft.fft2(x).real
        y = torch.zeros_like(x)  # "write"
        y[:, :, 2:] = x[:, :, :-2]
        return y


@pytest.mark.parametrize("how", ["sort", "roll", "fold", "gather", "join", "fft", "write"])
def test_unknown_operations_give_no_number_rather_than_a_wrong_one(how: str) -> None:
    root = summary(Odd(how), (1, 16, 16)).root
    assert root.receptive_field is None
    assert root.stride is None


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("factor", [0.5, 1.5, 0.4])
def test_a_factor_tells_the_stride_also_where_it_leaves_a_rest(mode: str, factor: float) -> None:
    class Resized(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.interpolate(x, scale_factor=factor, mode=mode)

    assert summary(Resized(), (1, 57, 59)).root.stride == pytest.approx((1 / factor,) * 2)
    sized = summary(nn.Upsample(size=(19, 118), mode=mode), (1, 57, 59)).root
    assert sized.stride == (3, 0.5)
    unequal = nn.Upsample(scale_factor=(factor, 1.25), mode=mode)
    assert summary(unequal, (1, 57, 59)).root.stride == pytest.approx((1 / factor, 0.8))


def test_what_a_strided_shrinking_sees_at_an_odd_size(agrees_with_gradient) -> None:
    class Shrunk(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = F.interpolate(x, scale_factor=0.5, mode="bilinear")
            return x + F.avg_pool2d(x, 3, 1, 1)

    assert agrees_with_gradient(Shrunk(), 57).root.receptive_field == (6, 6)
