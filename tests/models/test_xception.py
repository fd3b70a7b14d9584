"""Xception: the paper's figure 5, its counts, Keras's padding."""

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.layers import SamePool2d, SeparableConv2d
from striate.models import create_model

META = torch.device("meta")


def weightless(**arguments):
    with META:
        return create_model("xception", **arguments)


def test_36_convolutions_in_14_modules():
    """Section 4 of the paper: a separable convolution counts once, shortcuts do not, and all but two are separable."""
    model = weightless()
    separable = [module for module in model.modules() if isinstance(module, SeparableConv2d)]
    assert len(separable) + len(model.stem) == 36
    blocks = [*model.stages.middle, *(child for name, child in model.stages.named_children() if name != "middle")]
    assert len(blocks) + 1 == 14  # and the stem
    assert sum(block.shortcut is not None for block in blocks if hasattr(block, "shortcut")) == 4


def test_maps_of_figure_5():
    maps = weightless().feature_maps(torch.empty(1, 3, 299, 299, device=META))
    assert {name: tuple(y.shape[1:]) for name, y in maps.items()} == {
        "entry1": (128, 74, 74),
        "entry2": (256, 37, 37),
        "entry3": (728, 19, 19),
        "middle": (728, 19, 19),
        "exit": (1024, 10, 10),
        "last": (2048, 10, 10),
    }


def test_counts_with_and_without_running_statistics():
    model = weightless()
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    trainable = sum(p.numel() for p in model.parameters())
    assert trainable == 22_855_952
    assert trainable + sum(2 * norm.num_features for norm in norms) == 22_910_480  # Keras's total


def test_tensorflow_padding_shifts_even_maps_only():
    """299 pixels give maps of 147, where both paddings are the same; 75 gives 35, 18, where they are not."""
    torch.manual_seed(0)
    symmetric = create_model("xception", num_classes=2)
    tensorflow = create_model("xception", num_classes=2, padding="tensorflow")
    tensorflow.load_state_dict(symmetric.state_dict())
    assert any(isinstance(module, SamePool2d) for module in tensorflow.modules())
    x = torch.randn(1, 3, 75, 75)
    with torch.no_grad():
        first, second = (model.feature_maps(x) for model in (symmetric, tensorflow))
    torch.testing.assert_close(first["entry1"], second["entry1"])
    assert not torch.allclose(first["entry2"], second["entry2"], atol=0.1 * first["entry2"].std().item())


def test_small_stem_keeps_a_small_images_rows():
    maps = weightless(input_size=32).feature_maps(torch.empty(1, 3, 32, 32, device=META))
    assert [y.shape[2] for y in maps.values()] == [28, 14, 7, 7, 4, 4]


@pytest.mark.parametrize("arguments", [{"dropout": 1}, {"padding": "keras"}, {"activation": "rleu"}])
def test_impossible_options(arguments):
    with pytest.raises(UsageError):
        create_model("xception", **arguments)
