"""Key tables: every tensor of a publisher's network gets one of our names, and what else a table brings with it.

Networks whose outputs only the slow tests compare are held here by the names and shapes of all their tensors.
"""

import math

import pytest
import timm
import torch
import torchvision

from striate.models import create_model, get_card
from striate.models.catalogue import families
from striate.weights import key_tables, rename

PAPER = {"stem": "paper"}
TENSORFLOW = {"padding": "tensorflow", "norm_eps": 1e-3, **PAPER}
AUTHORS = {**TENSORFLOW, "activation": "relu6", "full": False}
RESNET = {"stride_in": "3x3", **PAPER}
#: Family: publisher: the options that its networks have, as their sources and papers have it.
OPTIONS = {
    "alexnet": {"torchvision": {**PAPER, "pool": 6, "dropout_on": "inputs"}},
    "vgg": {"torchvision": {}, "timm": {}, "keras": {}},
    "resnet": {
        "torchvision": RESNET,
        "timm": RESNET,
        "keras": {"stride_in": "1x1", "conv_bias": True, "norm_eps": 1.001e-5, **PAPER},
    },
    "resnet_cifar": {"source": {}},
    "resnet_v2": {"timm": {"form": "timm", **PAPER}, "keras": {"form": "keras", **PAPER}},
    "resnext": {"torchvision": RESNET, "timm": RESNET},
    "wide_resnet": {"torchvision": RESNET, "timm": RESNET},
    "densenet": {"torchvision": PAPER, "timm": PAPER, "keras": {**PAPER, "norm_eps": 1.001e-5}},
    "mobilenet_v1": {"v1": AUTHORS, "timm": {**PAPER, "activation": "relu6", "full": False}, "keras": AUTHORS},
    "mobilenet_v2": {"torchvision": PAPER, "timm": PAPER, "keras": TENSORFLOW},
    "efficientnet": {"torchvision": PAPER, "timm": PAPER, "keras": TENSORFLOW},
    "efficientnet_lite": {"timm": PAPER},
    "mixnet": {"timm": PAPER},
    "shufflenet_v2": {"torchvision": PAPER},
    "googlenet": {"torchvision": {"form": "torchvision", **PAPER}},
    "inception_v3": {
        "torchvision": {"count_padding": True, **PAPER},
        "timm": {"count_padding": True, **PAPER},
        "keras": {"count_padding": False, **PAPER},
    },
    "inception_v4": {"timm": PAPER},
    "inception_resnet": {"timm": {"form": "released", **PAPER}, "keras": {"form": "released", **PAPER}},
    "xception": {"timm": {"padding": "symmetric", "norm_eps": 1e-5, **PAPER}, "keras": TENSORFLOW},
    "nasnet": {
        "keras": {"pool_padding": "zeros", "norm_eps": 1e-3, **PAPER},
        "timm": {"pool_padding": "averaged", "norm_eps": 1e-3, **PAPER},
    },
    "vit": {"torchvision": {**PAPER, "norm_eps": 1e-6}, "timm": {**PAPER, "norm_eps": 1e-6}},
    "squeezenet": {"torchvision": PAPER},
}


@pytest.mark.parametrize("family", families())
def test_a_table_brings_the_options_of_its_publishers_networks(family):
    tables = key_tables(family)
    assert {style: dict(table.options) for style, table in tables.items()} == OPTIONS.get(family, {})
    neutral = {"pool": 7} if family == "vgg" else {}
    for style, table in tables.items():
        assert dict(table.neutral) == neutral
        assert table.brings == {**OPTIONS[family][style], **neutral}


def shapes(model: torch.nn.Module) -> dict[str, torch.Size]:
    return {key: value.shape for key, value in model.state_dict().items()}


def with_the_options_of(name: str, style: str) -> torch.nn.Module:
    with torch.device("meta"):
        return create_model(name, **key_tables(get_card(name).family)[style].brings)


@pytest.mark.parametrize(
    ("name", "style", "spelled"),
    [
        ("vgg_e", "torchvision", "vgg19"),
        ("vgg_e", "timm", "vgg19"),
        ("vgg11_bn", "torchvision", "vgg11_bn"),
        ("vgg19_bn", "timm", "vgg19_bn"),
        ("resnet50", "torchvision", "resnet50"),
        ("vit_b_32", "torchvision", "vit_b_32"),
    ],
)
def test_every_tensor_of_a_deep_network_gets_a_name_of_ours(name, style, spelled):
    """timm keeps some dense layers as convolutions: there the numbers of values are compared."""
    with torch.device("meta"):
        build = timm.create_model if style == "timm" else torchvision.models.get_model
        theirs = build(spelled)
    found = rename(shapes(theirs), key_tables(get_card(name).family)[style])
    wanted = shapes(with_the_options_of(name, style))
    assert {key: math.prod(shape) for key, shape in found.items()} == {k: math.prod(v) for k, v in wanted.items()}
    assert all(found[key] == wanted[key] for key in wanted if not key.startswith("head."))


def test_every_name_of_kerass_vgg_is_one_of_ours():
    layers = [f"block{block}_conv{n}" for block, count in enumerate((2, 2, 4, 4, 4), 1) for n in range(1, count + 1)]
    keys = [f"{layer}.{leaf}" for layer in (*layers, "fc1", "fc2", "predictions") for leaf in ("weight", "bias")]
    given = rename(dict.fromkeys(keys), key_tables("vgg")["keras"])
    assert list(given) == list(with_the_options_of("vgg_e", "keras").state_dict())


@pytest.mark.parametrize(
    ("family", "style", "theirs", "ours"),
    [
        ("resnet", "keras", "probs.weight", "head.classifier.weight"),
        ("resnet", "keras", "fc1000.bias", "head.classifier.bias"),
        ("resnet_v2", "keras", "probs.bias", "head.classifier.bias"),
        ("densenet", "keras", "fc1000.weight", "head.classifier.weight"),
        ("densenet", "torchvision", "features.denseblock4.denselayer64.norm.2.bias",
         "stages.stage4.block.63.norm2.bias"),
        ("resnet", "keras", "conv4_block36_3_bn.bias", "stages.stage3.35.residual.norm3.bias"),
        ("resnet", "keras", "conv5_block1_0_bn.bias", "stages.stage4.0.shortcut.norm.bias"),
        ("resnet_v2", "keras", "conv4_block36_preact_bn.bias", "stages.stage3.35.before.norm.bias"),
        ("resnet_v2", "keras", "conv4_block36_2_conv.weight", "stages.stage3.35.residual.conv2.weight"),
        ("resnet_v2", "timm", "stages.3.blocks.22.norm3.bias", "stages.stage4.22.residual.norm2.bias"),
        ("densenet", "keras", "conv4_block48_1_bn.bias", "stages.stage3.block.47.norm2.bias"),
        ("densenet", "keras", "conv4_block48_2_conv.weight", "stages.stage3.block.47.conv2.weight"),
        ("densenet", "keras", "pool4_conv.weight", "stages.stage4.transition.conv.weight"),
        ("efficientnet", "keras", "block6m_se_expand.bias", "stages.stage6.12.excite.expand.bias"),
        ("vit", "torchvision", "encoder.layers.encoder_layer_11.mlp.linear_1.bias", "stages.block11.mlp.dense1.bias"),
        ("vit", "torchvision", "encoder.layers.encoder_layer_3.mlp.linear_2.weight", "stages.block3.mlp.dense2.weight"),
        ("vit", "torchvision", "encoder.layers.encoder_layer_3.mlp.3.weight", "stages.block3.mlp.dense2.weight"),
        ("vit", "torchvision", "encoder.layers.encoder_layer_3.mlp.0.weight", "stages.block3.mlp.dense1.weight"),
        ("resnet_cifar", "source", "module.conv1.weight", "stem.conv.weight"),
        ("resnet_cifar", "source", "layer2.0.shortcut.1.bias", "stages.stage2.0.shortcut.norm.bias"),
        ("resnet_cifar", "source", "module.linear.bias", "head.classifier.bias"),
        ("resnet_cifar", "source", "layer3.4.bn2.running_var", "stages.stage3.4.residual.norm2.running_var"),
        ("mobilenet_v1", "v1", "blocks.12.pointwise.bn.bias", "stages.stage5.1.pointwise.norm.bias"),
        ("mobilenet_v1", "v1", "blocks.1.depthwise.conv.weight", "stages.stage2.0.depthwise.conv.weight"),
        ("mobilenet_v1", "v1", "stem.bn.weight", "stem.norm.weight"),
        ("mobilenet_v1", "v1", "classifier.weight", "head.classifier.weight"),
        ("inception_v3", "torchvision", "AuxLogits.conv0.bn.bias", "auxiliary.inception_b.conv1.norm.bias"),
        ("inception_v3", "torchvision", "AuxLogits.fc.bias", "auxiliary.inception_b.classifier.bias"),
        ("googlenet", "torchvision", "aux1.conv.conv.weight", "auxiliary.inception4a.conv.conv.weight"),
        ("googlenet", "torchvision", "aux2.fc1.weight", "auxiliary.inception4d.dense.weight"),
        ("googlenet", "torchvision", "aux2.fc2.bias", "auxiliary.inception4d.classifier.bias"),
        ("nasnet", "keras", "normal_conv_1_17.weight", "stages.cell17.squeeze.convs.0.weight"),
        ("nasnet", "keras", "adjust_conv_2_reduce_12.weight", "stages.reduction2.adjust.convs.1.weight"),
        ("nasnet", "keras", "reduction_bn_1_reduce_6.bias", "stages.reduction1.squeeze.norm.bias"),
        ("nasnet", "keras", "separable_conv_2_reduction_left4_stem_1.pointwise.weight",
         "stages.stem1.left5.conv2.pointwise.weight"),
        ("nasnet", "timm", "conv0.bn.bias", "stem.norm.bias"),
        ("nasnet", "timm", "conv0.conv.weight", "stem.conv.weight"),
        ("nasnet", "timm", "last_linear.bias", "head.classifier.bias"),
        ("nasnet", "timm", "cell_stem_0.conv_1x1.conv.weight", "stages.stem1.squeeze.convs.0.weight"),
        ("nasnet", "timm", "cell_stem_1.path_1.conv.weight", "stages.stem2.adjust.convs.0.weight"),
        ("nasnet", "timm", "cell_stem_1.path_2.conv.weight", "stages.stem2.adjust.convs.1.weight"),
        ("nasnet", "timm", "cell_stem_1.final_path_bn.bias", "stages.stem2.adjust.norm.bias"),
        ("nasnet", "timm", "cell_5.conv_prev_1x1.conv.weight", "stages.cell5.adjust.convs.0.weight"),
        ("nasnet", "timm", "cell_6.conv_prev_1x1.bn.bias", "stages.cell7.adjust.norm.bias"),
        ("nasnet", "timm", "cell_17.conv_1x1.bn.bias", "stages.cell18.squeeze.norm.bias"),
        ("nasnet", "timm", "reduction_cell_0.comb_iter_0_right.separable_1.pointwise_conv2d.weight",
         "stages.reduction1.right1.conv1.pointwise.weight"),
        ("nasnet", "timm", "reduction_cell_1.comb_iter_0_left.separable_2.depthwise_conv2d.weight",
         "stages.reduction2.left1.conv2.depthwise.weight"),
        ("nasnet", "timm", "cell_0.comb_iter_1_left.bn_sep_1.bias", "stages.cell0.left2.norm1.bias"),
        ("nasnet", "timm", "cell_0.comb_iter_1_right.bn_sep_2.bias", "stages.cell0.right2.norm2.bias"),
        ("nasnet", "timm", "reduction_cell_0.comb_iter_2_right.bn_sep_2.bias", "stages.reduction1.right3.norm2.bias"),
        ("nasnet", "timm", "cell_0.comb_iter_4_left.bn_sep_2.bias", "stages.cell0.left5.norm2.bias"),
    ],
)  # fmt: skip
def test_other_spellings_have_names_too(family, style, theirs, ours):
    assert rename({theirs: 1}, key_tables(family)[style]) == {ours: 1}
