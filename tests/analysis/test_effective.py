"""Effective receptive fields against what is known of them: uniform kernels, Gaussians, the closed field."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from striate.analysis import EffectiveField, effective_receptive_field
from striate.errors import StriateError, UsageError
from striate.models import create_model


def chain(layers: int, kernel: int = 3, padding: int = 0) -> nn.Sequential:
    """Convolutions whose weights are all equal, so that nothing is random."""
    model = nn.Sequential(*(nn.Conv2d(1, 1, kernel, padding=padding, bias=False) for _ in range(layers)))
    for parameter in model.parameters():
        nn.init.constant_(parameter, 1.0)
    return model


def test_one_uniform_kernel_is_moved_by_each_of_its_pixels_alike() -> None:
    field = effective_receptive_field(chain(1, kernel=5), (1, 21, 21), samples=1)
    assert field.theoretical == (5, 5)
    assert field.centre == (10, 10)
    assert field.area(0.95) == 24  # of 25 equal pixels, 23.75
    assert field.side(0.95) == 5
    assert field.side(0.3) == 3  # nine of 25 are 0.36
    assert field.luo_side == 5
    assert field.sigma == pytest.approx((math.sqrt(2), math.sqrt(2)))  # of the uniform -2 to 2
    assert field.fraction == pytest.approx(24 / 25)


@pytest.mark.parametrize("layers", [4, 9, 16])
def test_stacked_uniform_kernels_give_the_gaussian_of_the_paper(layers: int) -> None:
    size = 2 * layers + 21
    field = effective_receptive_field(chain(layers), (1, size, size), samples=1)
    assert field.theoretical == (2 * layers + 1,) * 2
    # a sum of `layers` independent steps of variance 2/3 (Luo et al., section 2.1): it grows with the root
    assert field.sigma == pytest.approx((math.sqrt(2 * layers / 3),) * 2)
    assert field.side(0.95) < 2 * layers + 1


def test_numbers_and_map_do_not_reach_beyond_the_closed_field() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 5, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3))
    field = effective_receptive_field(model, (3, 64, 48), samples=4)
    rows, columns = field.map.sum(1).nonzero().flatten(), field.map.sum(0).nonzero().flatten()
    assert field.theoretical is not None
    for places, centre, extent in zip((rows, columns), field.centre, field.theoretical, strict=True):
        assert centre - (extent - 1) / 2 <= places[0]
        assert places[-1] <= centre + (extent - 1) / 2
    assert float(field.map.sum()) == pytest.approx(1)
    assert field.area(0.68) < field.area(0.95) <= field.theoretical[0] * field.theoretical[1]


def test_the_model_and_its_mode_are_left_alone_and_a_seed_repeats() -> None:
    model = create_model("resnet20_cifar")
    model.train()
    first, second = (effective_receptive_field(model, (3, 32, 32), samples=2, seed=3) for _ in range(2))
    assert torch.equal(first.map, second.map)
    assert model.training
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    other = effective_receptive_field(model, (3, 32, 32), samples=2, seed=4)
    assert not torch.equal(first.map, other.map)


def test_any_layer_and_own_images() -> None:
    model = create_model("resnet20_cifar")
    early = effective_receptive_field(model, (3, 32, 32), layer="stem", images=torch.rand(3, 3, 32, 32))
    assert early.theoretical == (3, 3)
    assert early.unit == (16, 16)
    assert early.samples == 3
    assert early.side(0.99) <= 3
    whole = effective_receptive_field(model, (3, 32, 32), samples=1)
    assert whole.layer == "stages"


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_picture_and_numbers(suffix: str, tmp_path: Path) -> None:
    field = effective_receptive_field(chain(3), (1, 20, 20), samples=1)
    head = field.plot(tmp_path / f"field.{suffix}").read_bytes()[:200]
    assert (b"<?xml" if suffix == "svg" else b"\x89PNG") in head
    numbers = field.to_dict()
    assert json.loads(json.dumps(numbers)) == numbers
    assert numbers["theoretical"] == [7, 7]
    share = numbers["fraction_95"]
    assert str(field).splitlines() == [
        f"unit          {field.unit} of {field.layer}; 1 images of 20×20",
        "theoretical   7×7 pixels",
        f"sigma         {field.sigma[0]:.1f} pixels along rows, {field.sigma[1]:.1f} along columns",
        f"68 %          in a square of {numbers['side_68']} pixels; at best in {numbers['area_68']} pixels",
        f"95 %          in a square of {numbers['side_95']} pixels; at best in {numbers['area_95']} pixels, "
        f"{share:.1%} of the theoretical field in the image",
        f"Luo et al.    {numbers['luo_side']:.1f} pixels (root of the area above 4.55 % of the peak)",
    ]
    assert share == pytest.approx(numbers["area_95"] / 49)


def test_what_cannot_be_is_refused() -> None:
    model = chain(2)
    with pytest.raises(UsageError, match="no layer 'nowhere'"):
        effective_receptive_field(model, (1, 20, 20), layer="nowhere")
    with pytest.raises(UsageError, match=r"\(C, H, W\)"):
        effective_receptive_field(model, (20,))
    with pytest.raises(UsageError, match="samples"):
        effective_receptive_field(model, (1, 20, 20), samples=0)
    with pytest.raises(UsageError, match=r"\(2, 1, 8, 8\)"):
        effective_receptive_field(model, (1, 20, 20), images=torch.rand(2, 1, 8, 8))
    with pytest.raises(UsageError, match="no feature map"):
        effective_receptive_field(nn.Sequential(nn.Flatten(), nn.Linear(16, 2)), (1, 4, 4))
    with pytest.raises(StriateError, match="real weights"):
        effective_receptive_field(chain(2).to("meta"), (1, 20, 20))
    nn.init.constant_(model[0].weight, 0.0)
    with pytest.raises(StriateError, match="no gradient"):
        effective_receptive_field(model, (1, 20, 20))
    with pytest.raises(UsageError, match="between 0 and 1"):
        effective_receptive_field(chain(1), (1, 20, 20)).side(95)


def test_a_field_of_a_signal_and_of_a_volume() -> None:
    signal = nn.Sequential(nn.Conv1d(2, 1, 5, bias=False))
    volume = nn.Conv3d(1, 1, (1, 3, 5), bias=False)
    for model in (signal, volume):
        for parameter in model.parameters():
            nn.init.constant_(parameter, 1.0)
    field = effective_receptive_field(signal, (2, 30), samples=1)
    assert (field.layer, field.unit, field.theoretical, field.centre) == ("0", (13,), (5,), (15,))
    assert (field.area(0.95), field.side(0.95), field.luo_side) == (5, 5, 5)
    assert field.sigma == pytest.approx((math.sqrt(2),))
    assert field.fraction == 1
    assert str(field).splitlines()[0].endswith("1 images of 30")
    assert str(field).splitlines()[3] == "68 %          in a stretch of 5 places; at best in 4 places"
    field = effective_receptive_field(volume, (1, 5, 9, 11), samples=1)
    assert (field.layer, field.unit, field.theoretical) == ("Conv3d", (2, 3, 3), (1, 3, 5))
    assert (field.area(0.95), field.side(0.95)) == (15, 5)
    assert field.luo_side == pytest.approx(15 ** (1 / 3))
    assert field.sigma == pytest.approx((0, math.sqrt(2 / 3), math.sqrt(2)))
    assert "in a cube of 5 voxels; at best in 15 voxels, 100.0%" in str(field)
    with pytest.raises(UsageError, match="only those of images"):
        field.plot("field.png")


def test_images_of_a_signal_have_its_shape() -> None:
    model = nn.Conv1d(2, 1, 5)
    assert effective_receptive_field(model, (2, 30), images=torch.rand(3, 2, 30)).samples == 3
    with pytest.raises(UsageError, match=r"\(N, 2, 30\)"):
        effective_receptive_field(model, (2, 30), images=torch.rand(3, 2, 31))


class Functional(nn.Module):
    """A network without layers."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(2, 1, 3, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.conv2d(x, self.weight)


def compiled() -> nn.Module:
    wrapper = nn.Identity()
    wrapper._orig_mod = nn.Sequential(nn.Conv2d(1, 2, 3))
    return wrapper


KINDS = {
    "no layers": (Functional, "Functional"),
    "scripted": (lambda: torch.jit.script(nn.Sequential(nn.Conv2d(1, 2, 3))), "Sequential"),
    "compiled": (compiled, "0"),
    "lazy": (lambda: nn.Sequential(nn.LazyConv2d(2, 3), nn.LazyBatchNorm2d()), "1"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_fields_of_networks_of_every_kind(kind: str) -> None:
    make, layer = KINDS[kind]
    field = effective_receptive_field(make(), (1, 12, 12), samples=1)
    assert (field.layer, field.theoretical, field.side(0.999)) == (layer, (3, 3), 3)


class Reads(nn.Conv2d):
    """Reads its values, and may forget where they came from."""

    def __init__(self, how: str) -> None:
        super().__init__(1, 2, 3)
        self.how = how

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.how == "item":
            return super().forward(x) * (2 if float(x.sum()) else 1)
        if self.how == "numpy":
            return super().forward(torch.from_numpy(x.numpy()))
        return super().forward(x.detach())


def test_a_network_that_reads_its_values_has_a_field_too() -> None:
    assert effective_receptive_field(Reads("item"), (1, 12, 12), samples=1).theoretical == (3, 3)


@pytest.mark.parametrize(
    ("how", "words"), [("numpy", "Reads fails with gradients"), ("detached", "computed without gradients")]
)
def test_a_network_that_loses_the_gradient_is_told_in_one_line(how: str, words: str) -> None:
    with pytest.raises(StriateError, match=words):
        effective_receptive_field(Reads(how), (1, 12, 12), samples=1)


class Rolled(nn.Conv2d):
    """Its field has no closed form."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.sort(dim=2).values)


def test_an_unknown_field_lies_around_the_middle_of_the_image():
    field = effective_receptive_field(Rolled(1, 1, 3), (1, 8, 9), samples=1)
    assert (field.theoretical, field.centre) == (None, (3.5, 4))


def some_field(seed: int, *sides: int) -> EffectiveField:
    generator = torch.Generator().manual_seed(seed)
    shares = torch.rand(sides, generator=generator, dtype=torch.float64) ** 3
    centre = tuple(side // 2 - (seed % 2) / 2 for side in sides)
    theoretical = tuple(2 * number + 3 + seed % 2 for number, _ in enumerate(sides, seed))
    return EffectiveField("layer", tuple(2 for _ in sides), shares / shares.sum(), theoretical, centre, 3)


@pytest.mark.parametrize("sides", [(17,), (9, 12), (5, 6, 7)])
def test_plain_types_are_the_figures(sides: tuple[int, ...]) -> None:
    field = some_field(1, *sides)
    assert field.to_dict() == {
        "layer": "layer",
        "unit": [2] * len(sides),
        "image": list(sides),
        "theoretical": list(field.theoretical or ()),
        "sigma": list(field.sigma),
        "side_68": field.side(0.68),
        "side_95": field.side(0.95),
        "area_68": field.area(0.68),
        "area_95": field.area(0.95),
        "fraction_95": field.fraction,
        "luo_side": field.luo_side,
        "samples": 3,
    }


def test_a_field_nobody_knows_has_no_fraction() -> None:
    field = replace(some_field(0, 5, 6), theoretical=None)
    assert field.fraction is None
    assert (field.to_dict()["theoretical"], field.to_dict()["fraction_95"]) == (None, None)
    assert str(field).splitlines()[1] == "theoretical   not known"
    assert "theoretical field" not in str(field)


def test_words_for_signals_and_volumes() -> None:
    signal, volume = str(some_field(1, 17)).splitlines(), str(some_field(1, 5, 6, 7)).splitlines()
    assert signal[1:3] == ["theoretical   6 places", f"sigma         {some_field(1, 17).sigma[0]:.1f} places"]
    assert signal[-1].endswith(" places (places above 4.55 % of the peak)")
    sigmas = [f"{value:.1f}" for value in some_field(1, 5, 6, 7).sigma]
    assert volume[1:3] == ["theoretical   6×8×10 voxels", f"sigma         {sigmas[0]} voxels, {sigmas[1]}, {sigmas[2]}"]
    assert volume[-1].endswith(" voxels (third root of the volume above 4.55 % of the peak)")


class Squares(nn.Conv2d):
    """A gradient that is the image's own, with a weight for each channel, over a window of nine."""

    def __init__(self) -> None:
        super().__init__(2, 1, 3, padding=1, bias=False)
        self.weight.data[0] = torch.tensor([1.0, 3.0])[:, None, None]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x * x)


def expected_map(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Of `Squares`: each image's length over the channels, by the weight that its one output is summed with."""
    images = images.double()
    lengths = (images[:, 0] ** 2 + (3 * images[:, 1]) ** 2).sqrt()
    weights = torch.stack([torch.randn(1, generator=generator).abs() for _ in images])
    total = (lengths * weights[:, :, None]).sum(0)
    window = torch.zeros(7, 9)
    window[2:5, 3:6] = 1  # of the middle unit
    return total * window / (total * window).sum()


def test_the_map_is_the_mean_over_images_of_the_gradients_length_over_channels() -> None:
    images = torch.rand(3, 2, 7, 9, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for seed in (0, 5):
        field = effective_receptive_field(Squares(), (2, 7, 9), images=images, samples=1, seed=seed)
        expected = expected_map(images, torch.Generator().manual_seed(seed))
        torch.testing.assert_close(field.map, expected, rtol=1e-4, atol=1e-9, check_dtype=False)
    assert (field.unit, field.centre, field.samples) == ((3, 4), (3, 4), 3)


def test_sixteen_images_of_noise_by_the_first_seed_unless_others_are_asked_for() -> None:
    field = effective_receptive_field(Squares(), (2, 7, 9))
    generator = torch.Generator().manual_seed(0)
    expected = expected_map(torch.randn((16, 2, 7, 9), generator=generator), generator)
    torch.testing.assert_close(field.map, expected, rtol=1e-4, atol=1e-9, check_dtype=False)
    assert field.samples == 16
    with pytest.raises(UsageError, match=r"\(N, 2, 7, 9\)"):
        effective_receptive_field(Squares(), (2, 7, 9), images=torch.rand(0, 2, 7, 9))
    assert effective_receptive_field(Squares(), (2, 7, 9), samples=1).samples == 1


def test_the_last_map_of_the_layers_is_measured_and_one_pixel_is_none() -> None:
    pooled = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.Conv2d(2, 2, 3), nn.Tanh()), nn.AdaptiveAvgPool2d(1))
    assert effective_receptive_field(pooled, (1, 12, 12), samples=1).layer == "1"
    assert effective_receptive_field(pooled, (1, 12, 12), samples=1, layer="1.0").theoretical == (5, 5)
    with pytest.raises(UsageError, match="2 gives no feature map"):
        effective_receptive_field(pooled, (1, 12, 12), samples=1, layer="2")
    row = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d((1, None)))
    assert effective_receptive_field(row, (1, 12, 12), samples=1).layer == "0"
