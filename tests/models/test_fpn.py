"""Feature pyramids against torchvision's, and on a network of every family."""

import pytest
import torch
from torch import nn
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

from striate.errors import UsageError
from striate.models import ConvNet, FeaturePyramid, InputError, create_model, get_card
from striate.models.catalogue import families

pytestmark = pytest.mark.sampled

SMALLEST = [min(family.cards, key=lambda card: card.parameters).name for family in families().values()]


def weightless(name, **arguments):
    with torch.device("meta"):
        return create_model(name, **arguments)


@pytest.mark.parametrize("extra", [None, "pool", "p6p7"])
@pytest.mark.parametrize("channels", [16, 512])
def test_maps_are_torchvisions(extra, channels):
    """512 channels are as many as the last map has, where torchvision takes P6 from the pyramid."""
    torch.manual_seed(0)
    ours = FeaturePyramid(create_model("resnet18", stem="paper").eval(), channels, extra=extra).double()
    blocks = {None: None, "pool": LastLevelMaxPool(), "p6p7": LastLevelP6P7(512, channels)}[extra]
    theirs = FeaturePyramidNetwork([64, 128, 256, 512], channels, blocks).double()
    state = {}
    for number, level in enumerate(ours.levels):
        for leaf in ("weight", "bias"):
            state[f"inner_blocks.{number}.0.{leaf}"] = ours.lateral[level].get_parameter(leaf)
            state[f"layer_blocks.{number}.0.{leaf}"] = ours.smooth[level].get_parameter(leaf)
            if extra == "p6p7":
                state[f"extra_blocks.p6.{leaf}"] = ours.p6.get_parameter(leaf)
                state[f"extra_blocks.p7.{leaf}"] = ours.p7.get_parameter(leaf)
    theirs.load_state_dict({key: torch.randn_like(value).mul(0.05) for key, value in state.items()})
    with torch.no_grad():
        for key, value in state.items():
            value.copy_(theirs.state_dict()[key])
        x = torch.randn(2, 3, 97, 75, dtype=torch.float64)
        found = ours(x)
        wanted = theirs(ours.backbone.feature_maps(x))
    assert len(found) == len(wanted) == 4 + {None: 0, "pool": 1, "p6p7": 2}[extra]
    for name, other in zip(found, wanted.values(), strict=True):
        torch.testing.assert_close(found[name], other, rtol=0, atol=1e-10)


def watched(model):
    """Each stage's map as it comes by, which costs no further pass."""
    maps = {}
    for level, stage in model.stages.named_children():
        stage.register_forward_hook(lambda _, __, y, level=level: maps.update({level: model.map_of(y)}))
    return maps


@pytest.mark.parametrize("name", SMALLEST)
def test_any_network_bears_a_pyramid(name):
    """From the smallest size up, odd ones too: levels as wide as asked, each as large as its stage's map."""
    card = get_card(name)
    for size in (card.min_size, max(33, card.min_size + 7)):
        model = weightless(name, input_size=size) if card.fixed_size else weightless(name)
        pyramid = FeaturePyramid(model.eval(), 8, extra="p6p7", input_size=size)
        backbone = watched(model)
        maps = pyramid(torch.empty(2, model.in_channels, size, size, device="meta"))
        assert list(maps) == [*pyramid.levels, "p6", "p7"] == list(pyramid.strides)
        for level in pyramid.levels:
            assert maps[level].shape == (2, 8, *backbone[level].shape[2:])
        last = maps[pyramid.levels[-1]].shape[2:]
        assert maps["p6"].shape[2:] == tuple((side + 1) // 2 for side in last)


@pytest.mark.parametrize(
    ("name", "strides"),
    [
        ("resnet50", {"stage1": 4, "stage2": 8, "stage3": 16, "stage4": 32}),
        ("mobilenet_v2", {"stage1": 2, "stage2": 4, "stage3": 8, "stage5": 16, "stage8": 32}),
        ("nasnet_mobile", {"stem1": 4, "cell3": 8, "cell8": 16, "cell12": 32}),
        ("vit_b_16", {"block11": 16}),
        ("resnet20_cifar", {"stage1": 1, "stage2": 2, "stage3": 4}),
    ],
)
def test_levels_are_the_last_maps_of_each_stride(name, strides):
    assert FeaturePyramid(weightless(name)).strides == strides


@pytest.mark.parametrize("extra", [None, "pool", "p6p7"])
def test_strides_are_those_of_the_maps_the_extra_levels_included(extra):
    pyramid = FeaturePyramid(weightless("resnet50", stem="paper"), 8, extra=extra).eval()
    maps = pyramid(torch.empty(1, 3, 256, 512, device="meta"))
    assert {name: (256 // y.shape[2], 512 // y.shape[3]) for name, y in maps.items()} == {
        name: (stride, stride) for name, stride in pyramid.strides.items()
    }
    assert list(pyramid.strides.values()) == [4, 8, 16, 32, 64, 128][: len(maps)]


def test_first_weights_have_a_variance_of_one_over_what_comes_in():
    torch.manual_seed(0)
    pyramid = FeaturePyramid(create_model("resnet20_cifar"), 256, extra="p6p7")
    for layer in (*pyramid.lateral.values(), *pyramid.smooth.values(), pyramid.p6, pyramid.p7):
        assert layer.weight.var().item() == pytest.approx(1 / layer.weight[0].numel(), rel=0.05)
        assert layer.weight.abs().max() <= (3 / layer.weight[0].numel()) ** 0.5
        assert not layer.bias.any()


def test_parameters_are_the_papers_convolutions():
    """1x1 from 256, 512, 1024 and 2048 channels, and four 3x3, all to 256 with biases."""
    backbone = weightless("resnet50")
    pyramid = FeaturePyramid(backbone)
    added = sum(p.numel() for p in pyramid.parameters()) - sum(p.numel() for p in backbone.parameters())
    assert added == 256 * (256 + 512 + 1024 + 2048 + 4) + 4 * (9 * 256 * 256 + 256)


def test_freezing_holds_the_backbone_and_lets_the_pyramid_learn():
    pyramid = FeaturePyramid(create_model("resnet20_cifar"), 4).freeze("stage2").train()
    before = {key: value.clone() for key, value in pyramid.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in pyramid.parameters() if p.requires_grad], lr=0.1)
    sum(y.square().mean() for y in pyramid(torch.randn(4, 3, 32, 32)).values()).backward()
    optimizer.step()
    changed = {key for key, value in pyramid.state_dict().items() if not value.equal(before[key])}
    frozen = ("backbone.stem.", "backbone.stages.stage1.", "backbone.stages.stage2.")
    assert not [key for key in changed if key.startswith(frozen)]
    assert {key for key in before if key.startswith(("lateral.", "smooth."))} <= changed
    assert any(key.startswith("backbone.stages.stage3.") and "running" in key for key in changed)
    pyramid.unfreeze()
    assert all(p.requires_grad for p in pyramid.parameters())


def test_levels_may_be_chosen():
    pyramid = FeaturePyramid(weightless("resnet18"), 32, levels=["stage2", "stage4"])
    maps = pyramid(torch.empty(1, 3, 64, 64, device="meta"))
    assert {name: tuple(y.shape) for name, y in maps.items()} == {"stage2": (1, 32, 8, 8), "stage4": (1, 32, 2, 2)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"levels": ["stage9"]}, r"stage of resnet18 'stage9'.*'stage"),
        ({"levels": ["stage3", "stage2"]}, "the finest first"),
        ({"levels": ["stage2", "stage2"]}, "each stage once"),
        ({"levels": []}, "at least one"),
        ({"extra": "p8"}, "extra level 'p8'"),
        ({"channels": 0}, "channels is 0"),
    ],
)
def test_impossible_arguments_are_usage_errors(arguments, message):
    with pytest.raises(UsageError, match=message):
        FeaturePyramid(weightless("resnet18"), **arguments)


@pytest.mark.parametrize(
    ("built", "asked", "size"),
    [
        ({}, None, (32, 32)),  # the card's
        ({"input_size": (40, 24)}, None, (40, 24)),
        ({"input_size": (40, 24)}, 48, (48, 48)),
        ({"input_size": (40, 24)}, (16, 56), (16, 56)),
    ],
)
def test_strides_are_measured_at_the_size_that_is_said_first(built, asked, size, monkeypatch):
    seen = []
    model = weightless("resnet20_cifar", **built)
    monkeypatch.setattr(type(model), "check_input", lambda self, x: seen.append(tuple(x.shape)))
    assert list(FeaturePyramid(model, 4, input_size=asked).strides.values()) == [1, 2, 4]
    assert seen == [(1, 3, *size)]
    seen.clear()
    tied = weightless("lenet5", input_size=(32, 36))
    FeaturePyramid(tied, 4)
    assert seen == [(1, 1, 32, 36)]


def own_network(*strides):
    """A network put together by hand, each stage of which has a stride of its own."""
    stages = {f"part{n}": nn.Conv2d(4, 4, 3, stride, 1) for n, stride in enumerate(strides)}
    head = {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "classifier": nn.Linear(4, 2)}
    return ConvNet(nn.Conv2d(3, 4, 1), stages, head, in_channels=3)


def test_a_network_of_ones_own_says_its_size():
    with pytest.raises(UsageError, match=r"not of the catalogue; say which size of image it is for: input_size=224$"):
        FeaturePyramid(own_network(2, 2), 4)
    pyramid = FeaturePyramid(own_network(2, 1, 2), 4, input_size=48)
    assert pyramid.strides == {"part1": 2, "part2": 4}
    # the longer side tells: of 96x3 pixels the shorter one is soon a single pixel
    thin = FeaturePyramid(own_network(2, 2, 2, 2), 4, input_size=(3, 96))
    assert thin.strides == {"part0": 2, "part1": 4, "part2": 8, "part3": 16}
    assert FeaturePyramid(own_network(2, 2, 2, 2), 4, input_size=(96, 3)).strides == thin.strides


@pytest.mark.parametrize(("lost", "stride"), [(0, 1), (28, 1), (29, 2), (62, 2), (63, 4)])
def test_strides_are_to_the_nearest_power_of_two(lost, stride):
    """A map that only lost its border stays on the image's level while it has more than 1 / sqrt 2 of its side."""
    model = own_network(1)
    model.stages.part0 = nn.Conv2d(4, 4, lost + 1)
    assert FeaturePyramid(model, 4, input_size=96).strides == {"part0": stride}


def test_too_small_images_are_refused_by_the_backbone():
    pyramid = FeaturePyramid(weightless("vgg_a"), 8)
    with pytest.raises(InputError, match="smallest it takes"):
        pyramid(torch.empty(1, 3, 8, 8, device="meta"))
