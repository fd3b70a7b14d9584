"""Which stem images of a size get, and that what is asked for comes before that."""

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.layers import SamePool2d
from striate.models import create_model
from striate.models.stem import stem_for


@pytest.mark.parametrize(
    ("size", "stem"),
    [
        (None, "paper"),
        ((64, 64), "small"),
        ((65, 65), "paper"),
        ((64, 65), "small"),
        ((65, 64), "small"),
        ((1, 1), "small"),
        ((224, 224), "paper"),
    ],
)
def test_the_shorter_side_decides_up_to_64_pixels(size, stem):
    assert stem_for(size) == stem


@pytest.mark.parametrize("size", [None, (32, 32), (224, 224)])
@pytest.mark.parametrize("stem", ["paper", "small"])
def test_what_is_asked_for_is_had(size, stem):
    assert stem_for(size, stem) == stem


def test_other_stems_are_refused():
    with pytest.raises(UsageError, match=r"unknown stem 'smal'.*'small'"):
        stem_for(None, "smal")


#: What the small stem changes, layer by layer: kernel/stride+padding in the paper's and in the small one, "-" where it
#: has no such layer.
CHANGED = """
alexnet: stem.conv 11/4+0 5/1+2
alexnet_one_column: stem.conv 11/4+2 5/1+2
zfnet: stem.conv 7/2+1 5/1+2, stages.stage2.conv 5/2+0 5/1+2
nin: stem.conv 11/4+0 5/1+2
nin_cifar:
resnet18: stem.conv 7/2+3 3/1+1, stem.pool 3/2+1 -
resnet50_v2_keras: stem.conv 7/2+3 3/1+1, stem.pad 1 -, stem.pool 3/2+0 -
mobilenet_v1_0.25: stem.conv 3/2+1 3/1+1, stages.stage2.0.depthwise.conv 3/2+1 3/1+1
mobilenet_v1_full: stem.conv 3/2+1 3/1+1, stages.stage2.0.conv 3/2+1 3/1+1
mobilenet_v2_0.35: stem.conv 3/2+1 3/1+1, stages.stage2.0.depthwise.conv 3/2+1 3/1+1
mixnet_s: stem.conv 3/2+1 3/1+1, stages.stage2.0.depthwise.conv 3/2+1 3/1+1
shufflenet_v1_0.25: stem.conv 3/2+1 3/1+1, stem.pool 3/2+1 -
shufflenet_v2_x0_5: stem.conv 3/2+1 3/1+1, stem.pool 3/2+1 -
googlenet: stem.conv1.conv 7/2+3 3/1+1, stem.pool1 3/2+0 -, stem.pool2 3/2+0 -
bn_inception: stem.conv1.conv 7/2+3 7/1+3, stem.pool1 3/2+1 -, stem.pool2 3/2+1 -
inception_v2: stem.conv1.conv 3/2+0 3/1+0, stem.pool1 3/2+0 -, stem.conv5.conv 3/2+0 3/1+0
inception_v3: stem.conv1.conv 3/2+0 3/1+0, stem.pool1 3/2+0 -, stem.pool2 3/2+0 -
inception_v4: stem.conv1.conv 3/2+0 3/1+0, stem.mixed1.pool.0 3/2+0 3/1+0, stem.mixed1.conv3x3.0.conv 3/2+0 3/1+0, \
stem.mixed3.conv3x3.0.conv 3/2+0 3/1+0, stem.mixed3.pool.0 3/2+0 3/1+0
inception_resnet_v1: stem.conv1.conv 3/2+0 3/1+0, stem.pool1 3/2+0 -, stem.conv6.conv 3/2+0 3/1+0
inception_resnet_v2_released: stem.conv1.conv 3/2+0 3/1+0, stem.pool1 3/2+0 -, stem.pool2 3/2+0 -
xception: stem.conv1.conv 3/2+0 3/1+0, stages.entry1.residual.pool 3/2+1 -, stages.entry1.shortcut.conv 1/2+0 1/1+0
nasnet_cifar:
vit_ti_16: stem.patches 16/16+0 4/4+0
vit_b_32: stem.patches 32/32+0 8/8+0
squeezenet1_0: stem.conv 7/2+0 3/1+1
squeezenet1_1: stem.conv 3/2+0 3/1+1
"""


def windows(model: nn.Module) -> dict[str, str]:
    """Kernel, stride and padding of every layer with a window, the padding of every layer that only pads."""

    def one(number) -> int:
        return number if isinstance(number, int) else number[0]

    kinds = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, SamePool2d)
    found = {
        key: f"{one(layer.kernel_size)}/{one(layer.stride)}+{one(getattr(layer, 'padding', 0))}"
        for key, layer in model.named_modules()
        if isinstance(layer, kinds)
    }
    return found | {
        key: str(one(layer.padding)) for key, layer in model.named_modules() if isinstance(layer, nn.ZeroPad2d)
    }


@pytest.mark.parametrize("line", CHANGED.strip().splitlines(), ids=lambda line: line.partition(":")[0])
def test_a_small_stem_differs_in_these_layers_and_no_other(line):
    name, _, changes = line.partition(":")
    wanted = dict(change.split(maxsplit=1) for change in changes.split(",")) if changes else {}
    with torch.device("meta"):
        paper, small = (windows(create_model(name, stem=stem, input_size=96)) for stem in ("paper", "small"))
    found = {key: f"{paper[key]} {small.get(key, '-')}" for key in paper if paper[key] != small.get(key)}
    assert found == wanted
    assert set(small) <= set(paper)
