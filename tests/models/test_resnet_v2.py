"""ResNet v2: the paper's form, and Keras's and timm's beside it."""

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.models import create_model, get_card
from striate.models.resnet_v2 import FORMS


def on_meta(name: str, **options):
    with torch.device("meta"):
        return create_model(name, **options)


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_paper_form_has_the_original_networks_layers_but_for_norms():
    """Against ResNet-50: no norm on the four projections, the stem's and the last blocks' norms moved."""
    original, moved = count(on_meta("resnet50")), count(on_meta("resnet50_v2"))
    widths, depths = (256, 512, 1024, 2048), (3, 4, 6, 3)
    projections = 2 * sum(widths)
    after = 2 * sum(width * depth for width, depth in zip(widths, depths, strict=True))
    before = 2 * (
        sum(width * (depth - 1) for width, depth in zip(widths, depths, strict=True)) + 256 + 512 + 1024 + 2048
    )
    assert original - moved == projections + after - before


def test_kerass_form_adds_its_biases():
    """First convolution, projections and last convolutions of 16 blocks, against timm's form of the same layers."""
    plain, keras = count(on_meta("resnet50_v2", form="timm")), count(on_meta("resnet50_v2_keras"))
    biases = 64 + sum((256, 512, 1024, 2048)) + 3 * 256 + 4 * 512 + 6 * 1024 + 3 * 2048
    assert keras - plain == biases


@pytest.mark.parametrize(
    ("form", "sides"),
    [("paper", (56, 28, 14, 7)), ("timm", (56, 28, 14, 7)), ("keras", (28, 14, 7, 7))],
)
def test_kerass_stages_end_smaller(form, sides):
    model = on_meta("resnet50_v2", form=form)
    maps = model.feature_maps(torch.empty(1, 3, 224, 224, device="meta"))
    assert tuple(y.shape[-1] for y in maps.values()) == sides


def test_strides_stand_where_each_form_has_them():
    def strided(form):
        model = on_meta("resnet50_v2", form=form)
        return [name for name, m in model.stages.named_modules() if isinstance(m, nn.Conv2d) and m.stride == (2, 2)]

    assert strided("paper") == [f"stage{n}.0.{c}" for n in (2, 3, 4) for c in ("residual.conv1", "shortcut.conv")]
    assert strided("timm") == [f"stage{n}.0.{c}" for n in (2, 3, 4) for c in ("residual.conv2", "shortcut.conv")]
    assert strided("keras") == ["stage1.2.residual.conv2", "stage2.3.residual.conv2", "stage3.5.residual.conv2"]


def test_paper_form_activates_behind_the_first_convolution():
    model = on_meta("resnet50_v2")
    assert [name for name, _ in model.stem.named_children()] == ["conv", "norm", "act", "pool"]
    assert model.stages.stage1[0].before is None
    assert model.stages.stage2[0].shared
    assert not model.stages.stage2[1].shared
    assert [name for name, _ in model.stages.stage4.named_children()][-2:] == ["norm", "act"]


def test_zeros_win_maxima_in_kerass_stem_alone():
    x = -torch.ones(1, 3, 32, 32)
    for form, wanted in (("keras", 0.0), ("timm", -1.0)):
        model = create_model("resnet50_v2", form=form, stem="paper")
        nn.init.constant_(model.stem.conv.weight, 0)
        if form == "keras":
            nn.init.constant_(model.stem.conv.bias, -1)
            assert model.stem(x)[0, 0, 0, 0] == wanted
            assert model.stem(x)[0, 0, 4, 4] == -1
        else:
            with torch.no_grad():
                model.stem.conv.weight[0, 0, 3, 3] = 1
            assert model.stem(x)[0, 0, 0, 0] == wanted


def test_depth_of_the_deepest_is_its_name():
    model = on_meta("resnet200_v2")
    layers = [
        name for name, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.Linear) and "shortcut" not in name
    ]
    assert len(layers) == 200


def test_small_images_keep_their_rows_in_every_form():
    for form in FORMS:
        model = on_meta("resnet50_v2", form=form, input_size=32)
        assert model.features(torch.empty(1, 3, 32, 32, device="meta")).shape[-1] == 4


def test_unknown_form_is_named():
    with pytest.raises(UsageError, match="form 'kears'"):
        create_model("resnet50_v2", form="kears")
    assert get_card("ResNet50V2").name == "resnet50_v2_keras"


@pytest.mark.parametrize(("form", "epsilon"), [("paper", 1e-5), ("timm", 1e-5), ("keras", 1.001e-5)])
def test_every_norm_of_a_form_has_its_epsilon(form, epsilon):
    model = on_meta("resnet50_v2", form=form)
    assert {m.eps for m in model.modules() if isinstance(m, nn.BatchNorm2d)} == {epsilon}


@pytest.mark.parametrize(("form", "biased"), [("paper", 0), ("timm", 0), ("keras", 1 + 4 + 16)])
def test_biases_of_a_form_stand_on_its_first_convolution_projections_and_last_ones(form, biased):
    model = on_meta("resnet50_v2", form=form)
    found = {name for name, m in model.named_modules() if isinstance(m, nn.Conv2d) and m.bias is not None}
    ends = ("stem.conv", "shortcut.conv", "residual.conv3")
    assert len(found) == biased
    assert all(name.endswith(ends) for name in found)
