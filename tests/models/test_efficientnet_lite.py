"""EfficientNet-Lite: what its authors print, ends that do not scale, real weights on real images."""

import importlib.util
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file

from striate.errors import UsageError
from striate.layers import SameConv2d, SqueezeExcite
from striate.models import create_model, get_card, list_models

pytestmark = pytest.mark.sampled

_spec = importlib.util.spec_from_file_location("sample", Path(__file__).with_name("imagenet_sample.py"))
sample = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sample)


def weightless(name="efficientnet_lite0", **arguments):
    with torch.device("meta"):
        return create_model(name, **arguments)


def test_only_what_lies_between_the_ends_is_scaled():
    small, large = weightless(), weightless("efficientnet_lite4")
    for model in (small, large):
        assert model.stem.conv.out_channels == 32
        assert model.num_features == 1280
    depths = [[len(getattr(model.stages, f"stage{number}")) for number in range(1, 8)] for model in (small, large)]
    assert depths == [[1, 2, 2, 3, 3, 4, 1], [1, 4, 4, 6, 6, 8, 1]]
    wide = [model.stages.stage7[-1].project.conv.out_channels for model in (small, large)]
    assert wide == [320, 448]


@pytest.mark.parametrize("name", list_models("efficientnet_lite*"))
def test_the_card_has_what_builds_it_and_nothing_weighs_channels(name):
    card, model = get_card(name), weightless(name)
    assert sum(p.numel() for p in model.parameters()) == card.parameters
    assert not [layer for layer in model.modules() if isinstance(layer, SqueezeExcite)]
    assert {figure.input_size for figure in card.published} == {None, card.input_size}
    timms = timm.create_model(f"tf_{name}", pretrained=False).default_cfg["input_size"][1]
    assert card.input_size == {300: 280, 380: 300}.get(timms, timms)  # timm's last two are larger than the authors'


def test_real_weights_on_real_images_answer_as_timms_network(shared_weights, shared_data):
    path = shared_weights / "efficientnet_lite0_imagenet.safetensors"
    theirs = timm.create_model("tf_efficientnet_lite0").eval()
    theirs.load_state_dict(load_file(path), strict=False)
    ours = create_model("efficientnet_lite0", weights=path).eval()
    assert isinstance(ours.stem.conv, SameConv2d)
    x = sample.pictures(sample.table(shared_data).slice(0, 8), ours.weights_source)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "right"), [("lite0", 87.5), ("lite2", 87.0)])
def test_accuracy_on_the_first_two_hundred_of_the_imagenet_sample(shared_weights, shared_data, name, right):
    """By the files' own descriptions: bicubic, antialiased, size, mean and crop of each.

    That of Lite2 has 85.0 %, which bilinear resizing gives; timm's network with these weights has 87.0 %, too.
    """
    path = shared_weights / f"efficientnet_{name}_imagenet.safetensors"
    model = create_model(f"efficientnet_{name}", weights=path).eval()
    source = model.weights_source
    assert source.interpolation == "bicubic"
    assert source.mean == pytest.approx((127 / 255,) * 3)
    assert sample.accuracy(model, source, sample.table(shared_data).slice(0, 200)) == pytest.approx(right, abs=0.51)


def test_small_images_keep_their_rows_longer():
    model = weightless(input_size=32)
    assert model.features(torch.empty(1, 3, 32, 32, device="meta")).shape == (1, 1280, 4, 4)


@pytest.mark.parametrize("option", [{"width": 0}, {"depth": -1}, {"dropout": 1}, {"drop_path": 2}])
def test_impossible_options_are_named(option):
    with pytest.raises(UsageError, match=next(iter(option))):
        weightless(**option)
