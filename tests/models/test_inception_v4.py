"""Inception v4 and Inception-ResNet: the figures' maps, published counts, scaled residuals."""

import pytest
import timm
import torch

from striate.errors import UsageError
from striate.layers import ConvNormAct
from striate.layers.branches import Conv
from striate.models import create_model, get_card
from striate.models.inception_resnet import InceptionResidual

pytestmark = pytest.mark.sampled

META = torch.device("meta")


def weightless(name, **arguments):
    with META:
        return create_model(name, **arguments)


def count(model):
    return sum(p.numel() for p in model.parameters())


#: The maps that the paper's figures 9 and 15 print beside each stage; for v2 of Inception-ResNet what follows from
#: its figures, which misprint 1154 for 1152 and 2048 for 2144.
MAPS = {
    "inception_v4": ((384, 35), (1024, 17), (1536, 8)),
    "inception_resnet_v1": ((256, 35), (896, 17), (1792, 8)),
    "inception_resnet_v2": ((384, 35), (1152, 17), (2144, 8)),
    "inception_resnet_v2_released": ((320, 35), (1088, 17), (2080, 8)),
}


@pytest.mark.parametrize("name", MAPS)
def test_maps_of_the_figures(name):
    model = weightless(name)
    x = torch.empty(1, 3, 299, 299, device=META)
    (width, side), *_ = MAPS[name]
    assert model.stem(x).shape == (1, width, side, side)
    maps = model.feature_maps(x)
    for letter, (width, side) in zip("abc", MAPS[name], strict=True):
        assert maps[f"inception_{letter}"].shape == (1, width, side, side)


def test_stem_of_figure_3():
    stem = weightless("inception_v4").stem
    x = torch.empty(1, 3, 299, 299, device=META)
    shapes = []
    for layer in stem:
        x = layer(x)
        shapes.append(tuple(x.shape[1:3]))
    assert shapes == [(32, 149), (32, 147), (64, 147), (160, 73), (192, 71), (384, 35)]


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("inception_v4", (4, 7, 3)),
        ("inception_resnet_v1", (5, 10, 5)),
        ("inception_resnet_v2", (5, 10, 5)),
        ("inception_resnet_v2_released", (10, 20, 10)),
    ],
)
def test_numbers_of_modules(name, numbers):
    stages = weightless(name).stages
    assert tuple(len(stages.get_submodule(f"inception_{letter}")) for letter in "abc") == numbers


def test_v1_of_the_face_recognisers_has_one_module_more():
    """facenet-pytorch's Inception-ResNet v1: a sixth 8x8 module, 512 features under batch norm, 8,631 people.

    It prints 27,910,327 parameters; without what it adds they are the paper's.
    """
    module = 2 * (1792 * 192 + 2 * 192) + 2 * (192 * 192 * 3 + 2 * 192) + 384 * 1792 + 1792
    features, people = 1792 * 512 + 2 * 512, 512 * 8631 + 8631
    ours = weightless("inception_resnet_v1")
    assert count(ours.stem) + count(ours.stages) == 27_910_327 - module - features - people


@pytest.mark.parametrize("name", ["inception_v4", "inception_resnet_v2_released"])
def test_counts_are_timms(name):
    with META:
        peer = timm.create_model(get_card(name).peers["timm"])
    assert count(peer) == get_card(name).parameters


def test_residual_is_scaled_and_added():
    torch.manual_seed(0)
    table = {"one": (Conv(2),), "three": (Conv(2), Conv(3, 3))}
    block = InceptionResidual(4, table, ConvNormAct, 0.25, "relu").eval()
    x = torch.randn(2, 4, 5, 5)
    with torch.no_grad():
        wanted = torch.relu(x + 0.25 * block.linear(block.branches(x)))
        assert torch.equal(block(x), wanted)
        assert block.linear.bias is not None
        bare = InceptionResidual(4, table, ConvNormAct, 1.0, None).eval()
        assert torch.equal(bare(x), x + bare.linear(bare.branches(x)))


def test_last_residual_of_the_release_is_plain():
    blocks = weightless("inception_resnet_v2_released").stages.inception_c
    assert [block.scale for block in blocks] == [0.2] * 9 + [1.0]
    assert [block.act is None for block in blocks] == [False] * 9 + [True]


def test_a_released_file_brings_its_form(tmp_path):
    """Weights of timm's keys on the paper's name build the released network."""
    from safetensors.torch import save_file

    peer = timm.create_model("inception_resnet_v2", num_classes=4).eval()
    path = tmp_path / "released.safetensors"
    save_file(peer.state_dict(), path)
    model = create_model("inception_resnet_v2", weights=path)
    assert model.spec.arguments["form"] == "released"
    assert model.num_classes == 4


@pytest.mark.parametrize("name", MAPS)
def test_small_stem_keeps_a_small_images_rows(name):
    model = weightless(name, input_size=32, num_classes=10)
    maps = model.feature_maps(torch.empty(1, 3, 32, 32, device=META))
    assert maps["inception_a"].shape[2] >= 22
    assert maps["inception_c"].shape[2] >= 4


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("inception_resnet_v1", {"form": "released"}, "never released"),
        ("inception_resnet_v2", {"form": "keras"}, "unknown form"),
        ("inception_v4", {"dropout": 1}, "dropout"),
    ],
)
def test_impossible_options(name, arguments, words):
    with pytest.raises(UsageError, match=words):
        create_model(name, **arguments)


@pytest.mark.parametrize("name", ["inception_resnet_v1", "inception_resnet_v2", "inception_resnet_v2_released"])
def test_residuals_go_along_the_rows_first(name):
    """Figures 10, 11, 13 and 16, 17, 19: 3x3 at 35x35, then 1x7 and 7x1, then 1x3 and 3x1."""
    stages = weightless(name).stages
    kernels = {
        letter: [
            [unit.conv.kernel_size for unit in branch]
            for branch in stages.get_submodule(f"inception_{letter}")[0].branches.children()
        ]
        for letter in "abc"
    }
    one, three = (1, 1), (3, 3)
    assert kernels == {
        "a": [[one], [one, three], [one, three, three]],
        "b": [[one], [one, (1, 7), (7, 1)]],
        "c": [[one], [one, (1, 3), (3, 1)]],
    }
