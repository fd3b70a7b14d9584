"""A grown network says what the shallow one said; what was copied is copied, what is new is new."""

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.models import create_model
from striate.transfer import RULES, grow

NARROW = {"width": 0.1}
#: Pairs of every family that has any, small enough to run, with the options that make them so.
PAIRS = [
    ("vgg_a", "vgg_b", NARROW),
    ("vgg_a", "vgg_c", NARROW),
    ("vgg_a", "vgg_d", NARROW),
    ("vgg_b", "vgg_e", NARROW),
    ("vgg11_bn", "vgg16_bn", NARROW),
    ("cnn_c", "convpool_cnn_c", {}),
    ("strided_cnn_c", "all_cnn_c", {}),
    ("resnet18", "resnet34", {}),
    ("plain18", "plain34", {}),
    ("resnet50", "resnet101", {}),
    ("resnet20_cifar", "resnet56_cifar", {}),
    ("resnet20_cifar", "resnet32_cifar", {"placement": "full_preactivation"}),
    ("plain20_cifar", "plain56_cifar", {}),
    ("resnet50_v2_keras", "resnet101_v2_keras", {}),
    ("resnext50_32x4d", "resnext101_32x4d", {}),
    ("efficientnet_b0", "efficientnet_b1", {}),
    ("efficientnet_lite0", "efficientnet_lite1", {}),
]


@pytest.mark.sampled
@pytest.mark.parametrize(("shallow", "deep", "options"), PAIRS, ids=[f"{one}-{other}" for one, other, _ in PAIRS])
def test_a_network_grown_as_identity_puts_out_what_the_shallow_one_does(shallow, deep, options, lived):
    given = lived(shallow, **options)
    own = create_model(deep, num_classes=5, input_size=32, **options)
    x = torch.rand(2, given.in_channels, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        wanted, before = given(x), own.eval()(x)
        grown = grow(given, own)
        found = own(x)
    scale = float(wanted.abs().max())
    assert float((before - wanted).abs().max()) > 0.01 * scale
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5 * scale)
    assert (grown.network, grown.shallow, grown.rule, grown.fresh) == (own, shallow, "identity", ())
    assert set(grown.copied) | set(grown.new) == {
        name for name, layer in own.named_modules() if layer._parameters or layer._buffers
    }


def test_d_takes_all_of_a_by_hand_and_the_rest_is_diracs(lived):
    shallow, deep = lived("vgg_a", **NARROW), create_model("vgg_d", num_classes=5, input_size=32, **NARROW)
    kept = {key: value.clone() for key, value in shallow.state_dict().items()}
    grown = grow(shallow, deep)
    after = deep.state_dict()
    assert {key for key in after if key in kept and after[key].equal(kept[key])} == set(kept)
    new = [f"stages.stage{stage}.conv3" for stage in (3, 4, 5)]
    assert grown.new == ("stem.conv2", "stages.stage2.conv2", *new)
    for name in grown.new:
        weight = after[f"{name}.weight"]
        by_hand = torch.zeros_like(weight)
        for channel in range(len(weight)):
            by_hand[channel, channel, 1, 1] = 1
        assert weight.equal(by_hand)
        assert not after[f"{name}.bias"].any()
    assert all(value.equal(kept[key]) for key, value in shallow.state_dict().items())
    assert deep.copied == grown.copied
    assert [name for name in grown.copied if "head" in name] == ["head.dense1", "head.dense2", "head.classifier"]
    assert sum(p.numel() for name in grown.copied for p in deep.get_submodule(name).parameters()) == sum(
        p.numel() for p in shallow.parameters()
    )


def test_at_random_the_new_layers_stay_as_they_are(lived):
    shallow, deep = lived("vgg_a", **NARROW), create_model("vgg_d", num_classes=5, input_size=32, **NARROW)
    before = {key: value.clone() for key, value in deep.state_dict().items()}
    grown = grow(shallow, deep, "random")
    after = deep.state_dict()
    changed = {key.rpartition(".")[0] for key in after if not after[key].equal(before[key])}
    assert changed == set(grown.copied)
    assert grown.words == "8 of 13 convolutions copied, 5 new begin at random"


@pytest.mark.parametrize("name", ["vgg_b", "vgg_c", "vgg_d", "vgg_e"])
def test_the_papers_rule_takes_four_convolutions_and_the_dense_layers(name, lived):
    """The paper's section 3.1: A's first four convolutions are those between 3, 64, 128, 256 and 256 maps."""
    shallow, deep = lived("vgg_a", **NARROW), create_model(name, num_classes=5, input_size=32, **NARROW)
    before = {key: value.clone() for key, value in deep.state_dict().items()}
    grown = grow(shallow, deep, "paper")
    after, given = deep.state_dict(), shallow.state_dict()
    first = [layer for layer, module in shallow.named_modules() if isinstance(module, nn.Conv2d)][:4]
    dense = [layer for layer, module in shallow.named_modules() if isinstance(module, nn.Linear)]
    assert set(grown.copied) == {*first, *dense}
    changed = {key.rpartition(".")[0] for key in after if not after[key].equal(before[key])}
    assert changed == set(grown.copied)
    assert all(after[f"{layer}.weight"].equal(given[f"{layer}.weight"]) for layer in changed)
    convolutions = sum(isinstance(module, nn.Conv2d) for module in deep.modules())
    assert grown.words == f"4 of {convolutions} convolutions copied, {convolutions - 4} new begin at random"


def test_the_papers_rule_takes_the_norms_of_its_convolutions_with_them(lived):
    shallow, deep = lived("vgg11_bn", **NARROW), create_model("vgg16_bn", num_classes=5, input_size=32, **NARROW)
    grow(shallow, deep, "paper")
    assert deep.stages.stage3.norm2.running_mean.equal(shallow.stages.stage3.norm2.running_mean)
    assert not deep.stages.stage4.norm1.running_mean.any()


def test_a_head_for_other_classes_is_fresh_and_said(lived):
    shallow, deep = lived("resnet20_cifar"), create_model("resnet32_cifar", num_classes=3)
    before = deep.head.classifier.weight.clone()
    grown = grow(shallow, deep)
    assert deep.head.classifier.weight.equal(before)
    assert (grown.fresh, deep.fresh) == (("head.classifier",), ("head.classifier",))
    assert grown.words == (
        "19 of 31 convolutions copied, 12 new begin as identity; head.classifier at random, for other outputs or images"
    )
    x = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(deep.eval().embed(x), shallow.embed(x), rtol=1e-5, atol=1e-5)


def test_a_grown_network_with_batch_norms_says_about_the_same_in_training(lived):
    """The means and variances that the new norms put back are those that they meet, for a normal signal."""
    shallow = lived("vgg11_bn", dropout=0.0, **NARROW)
    deep = create_model("vgg16_bn", num_classes=5, input_size=32, dropout=0.0, **NARROW)
    grow(shallow, deep)
    x = torch.randn(16, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        wanted, found = shallow.train()(x), deep.train()(x)
    assert float((found - wanted).norm() / wanted.norm()) < 0.2


def test_only_the_new_layers_train_where_the_copied_ones_are_frozen(lived):
    deep = create_model("vgg16_bn", num_classes=5, input_size=32, **NARROW)
    grown = grow(lived("vgg11_bn", **NARROW), deep, "random")
    deep.train().freeze("copied")
    assert deep.frozen == ("copied",)
    training = {name.rpartition(".")[0] for name, weight in deep.named_parameters() if weight.requires_grad}
    assert training == set(grown.new)
    before = deep.stem.norm1.running_mean.clone(), deep.stem.norm2.running_mean.clone()
    deep(torch.rand(4, 3, 32, 32))
    assert deep.stem.norm1.running_mean.equal(before[0])
    assert not deep.stem.norm2.running_mean.equal(before[1])
    deep.freeze("stem")
    assert all(weight.requires_grad == (not name.startswith("stem.")) for name, weight in deep.named_parameters())
    assert all(weight.requires_grad for weight in deep.freeze("copied").unfreeze().parameters())


def test_nothing_copied_cannot_be_frozen():
    with pytest.raises(UsageError, match="no layer of vgg_a is copied from a shallower network"):
        create_model("vgg_a", input_size=32, **NARROW).freeze("copied")


def test_rules_that_there_are_not_or_that_do_not_fit_are_refused(lived):
    shallow, deep = lived("resnet20_cifar"), create_model("resnet32_cifar", num_classes=5)
    with pytest.raises(UsageError, match="unknown rule of growing 'identify'"):
        grow(shallow, deep, "identify")
    with pytest.raises(UsageError, match=r"the rule 'paper' is for VGGs grown from column A .* resnet20_cifar"):
        grow(shallow, deep, "paper")
    tanh = {"activation": "tanh", **NARROW}
    with pytest.raises(UsageError, match=r"stem.conv2 cannot begin as identity: Tanh"):
        grow(lived("vgg_a", **tanh), create_model("vgg_d", num_classes=5, input_size=32, **tanh))


def test_what_was_grown_is_shown_and_written(lived):
    deep = create_model("vgg_b", num_classes=5, input_size=32, **NARROW)
    grown = grow(lived("vgg_a", **NARROW), deep)
    assert "grown from vgg_a" in repr(grown)
    assert "8 of 10 convolutions copied, 2 new begin as identity" in repr(grown)
    assert grown.to_dict() == {
        "shallow": "vgg_a",
        "network": deep.spec.to_dict(),
        "rule": "identity",
        "copied": list(grown.copied),
        "new": ["stem.conv2", "stages.stage2.conv2"],
        "fresh": [],
    }
    assert RULES == ("identity", "random", "paper")
