"""Which layers correspond: VGG's columns by hand, residual stages in order, and pairs that are none."""

import pytest
import torch

from striate.models import create_model
from striate.transfer.pairing import Misfit, pair, unlike


def paired(shallow, deep, **options):
    with torch.device("meta"):
        return pair(create_model(shallow, **options), create_model(deep, **options))


def test_column_a_lies_in_d_as_in_the_papers_table():
    """Table 1 by hand: A has the first of each pair of the wide maps, and the first two of each later stage."""
    found = paired("vgg_a", "vgg_d")
    convolutions = {ours: theirs for ours, theirs in found.copied.items() if "conv" in ours}
    later = {f"stages.stage{stage}.conv{number}" for stage in (3, 4, 5) for number in (1, 2)}
    wanted = {"stem.conv1", "stages.stage2.conv1", *later}
    assert convolutions == {name: name for name in wanted}
    assert found.new == (
        ("stem.conv2", "stem.act2"),
        ("stages.stage2.conv2", "stages.stage2.act2"),
        *((f"stages.stage{stage}.conv3", f"stages.stage{stage}.act3") for stage in (3, 4, 5)),
    )
    assert found.fresh == ()


def test_blocks_are_the_first_of_their_stage_and_the_new_ones_stand_behind_them():
    found = paired("resnet18", "resnet34")
    depths = {1: (2, 3), 2: (2, 4), 3: (2, 6), 4: (2, 3)}
    for stage, (few, many) in depths.items():
        name = f"stages.stage{stage}"
        assert [found.copied.get(f"{name}.{block}") for block in range(many)] == [
            f"{name}.{block}" if block < few else None for block in range(many)
        ]
    assert found.new == tuple(
        (f"stages.stage{stage}.{block}",) for stage, span in depths.items() for block in range(*span)
    )


def test_a_block_that_ends_its_stage_with_a_stride_is_found_behind_the_new_ones():
    """Keras's ResNets v2 stride in the last block of a stage: 3 blocks of 50, the last is the 4th of 101's 4."""
    found = paired("resnet50_v2_keras", "resnet101_v2_keras")
    assert found.copied["stages.stage3.22"] == "stages.stage3.5"
    assert found.copied["stages.stage3.4"] == "stages.stage3.4"
    assert found.new == tuple((f"stages.stage3.{block}",) for block in range(5, 22))


def test_every_layer_of_both_networks_is_accounted_for():
    for shallow, deep in (("vgg11_bn", "vgg19_bn"), ("resnet20_cifar", "resnet32_cifar"), ("plain18", "plain34")):
        with torch.device("meta"):
            given, own = create_model(shallow), create_model(deep)
        found = pair(given, own)
        told = [*found.copied, *(name for unit in found.new for name in unit), *found.fresh]
        assert all(any(key.startswith(f"{name}.") for name in told) for key in own.state_dict())
        taken = found.copied.values()
        assert all(any(key.startswith(f"{name}.") for name in taken) for key in given.state_dict())


def test_heads_for_other_classes_or_sizes_are_fresh_from_the_first_layer_that_differs():
    with torch.device("meta"):
        shallow = create_model("vgg_a", num_classes=5, input_size=64)
        classes = pair(shallow, create_model("vgg_b", num_classes=4, input_size=64))
        sizes = pair(shallow, create_model("vgg_b", num_classes=5, input_size=32))
    assert classes.fresh == ("head.classifier",)
    assert classes.copied["head.dense2"] == "head.dense2"
    assert sizes.fresh == ("head.dense1", "head.dense2", "head.classifier")


@pytest.mark.parametrize(
    ("shallow", "deep", "where"),
    [
        ("vgg_d", "vgg_a", "it has no stem.conv2"),
        ("vgg_d", "vgg_d", "it has no layer that the other has not"),
        ("vgg_a", "vgg16_bn", "stem.conv1 is conv1, act1 in vgg_a and conv1, norm1, act1 in vgg16_bn"),
        ("vgg_a", "vgg_a_lrn", "stem.norm is not in vgg_a"),
        ("vgg_c", "vgg_e", r"stages.stage3.conv3 is Conv2d\(256, 256, kernel_size=\(1, 1\)"),
        ("resnet18", "resnet50", r"stages.stage1.0 is residual.conv1 Conv2d\(64, 64, kernel_size=\(3, 3\)"),
        ("resnet50", "resnet101_v1_5", r"stages.stage2.0 is residual.conv1 Conv2d\(256, 128, .* stride=\(2, 2\)"),
        ("resnet18", "plain34", "stages.stage1.0 is shortcut Identity.* and no shortcut in plain34"),
        ("densenet121", "densenet169", "stages.stage3.block is"),
        ("lenet5", "vgg_d", "its parts is"),
    ],
)
def test_pairs_that_are_none_say_where_they_part(shallow, deep, where):
    with pytest.raises(Misfit, match=f"^{deep} is not {shallow} made deeper: {where}"):
        paired(shallow, deep)


def test_what_only_training_uses_may_differ_and_settings_may_not():
    one, other = torch.nn.Sequential(torch.nn.Dropout(0.1)), torch.nn.Sequential(torch.nn.Dropout(0.5))
    assert unlike(one, other) is None
    convolution = torch.nn.Conv2d(2, 2, 3, padding=1)
    assert unlike(convolution, torch.nn.Conv2d(2, 2, 3, padding=1)) is None
    assert unlike(convolution, torch.nn.Conv2d(2, 2, 3, padding=1, bias=False)) is not None
    assert unlike(torch.nn.BatchNorm2d(2), torch.nn.BatchNorm2d(2, eps=1e-3)) is not None
