"""DenseNet: connections by hand, the paper's widths, and the backward pass that keeps less."""

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from striate.errors import UsageError
from striate.layers.dense_block import DenseBlock, DenseLayer
from striate.models import create_model, get_card, list_models
from striate.weights import key_tables, rename

pytestmark = pytest.mark.sampled


def test_each_layer_sees_all_maps_before_it():
    """Equation 2 of the paper with norms that change nothing."""
    block = DenseBlock(*(DenseLayer(5 + 3 * i, 3) for i in range(3))).double().eval()
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_var.fill_(1 - module.eps)
    x = torch.randn(2, 5, 6, 6, dtype=torch.float64)
    maps = [x]
    for layer in block:
        maps.append(F.conv2d(torch.cat(maps, 1).clamp(min=0), layer.conv1.weight, padding=1))
    torch.testing.assert_close(block(x), torch.cat(maps, 1))


def test_bottleneck_layers_reduce_first():
    layer = DenseLayer(30, 4, bottleneck=16)
    assert [name for name, _ in layer.named_children()] == ["norm1", "act1", "conv1", "norm2", "act2", "conv2"]
    assert layer.conv1.weight.shape == (16, 30, 1, 1)
    assert layer.conv2.weight.shape == (4, 16, 3, 3)


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("densenet121", (256, 512, 1024, 1024)),
        ("densenet161", (384, 768, 2112, 2208)),
        ("densenet169", (256, 512, 1280, 1664)),
        ("densenet201", (256, 512, 1792, 1920)),
        ("densenet40_k12_cifar", (160, 304, 448)),
        ("densenet_bc100_k12_cifar", (216, 300, 342)),
    ],
)
def test_widths_are_the_papers(name, widths):
    """k0 + k layers a block, halved by the transitions of DenseNet-C."""
    card = get_card(name)
    with torch.device("meta"):
        maps = create_model(name).feature_maps(torch.empty(1, 3, card.input_size, card.input_size))
    assert tuple(y.shape[1] for y in maps.values()) == widths


@pytest.mark.parametrize("name", list_models("densenet*_cifar"))
def test_layers_of_the_cifar_networks_are_the_names(name):
    with torch.device("meta"):
        model = create_model(name)
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    depth = int("".join(c for c in name.split("_k")[0] if c.isdigit()))
    growth = int(name.split("_k")[1].split("_")[0])
    assert len(layers) == depth
    assert all(
        conv.out_channels == growth
        for conv in layers
        if isinstance(conv, nn.Conv2d) and conv.kernel_size == (3, 3) and conv.in_channels != 3
    )


def test_published_files_spell_their_keys_otherwise():
    """ "norm.1" for "norm1", as torchvision's files of 2017 have them; both end at the same names."""
    with torch.device("meta"):
        theirs = torchvision.models.densenet121().state_dict()
        wanted = create_model("densenet121").state_dict()
    table = key_tables("densenet")["torchvision"]
    old = {
        key.replace("norm1.", "norm.1.")
        .replace("norm2.", "norm.2.")
        .replace("conv1.", "conv.1.")
        .replace("conv2.", "conv.2."): value
        for key, value in theirs.items()
    }
    assert set(old) != set(theirs)
    for state in (theirs, old):
        assert {k: v.shape for k, v in rename(state, table).items()} == {k: v.shape for k, v in wanted.items()}


def step(model: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    model(x).square().sum().backward()
    gradients = {key: p.grad for key, p in model.named_parameters()}
    return gradients | dict(model.named_buffers())


def test_keeping_less_changes_no_gradient_and_no_statistic():
    """Nor is a batch counted twice by the norms that run twice."""
    results = []
    for efficient in (False, True):
        torch.manual_seed(0)
        model = create_model("densenet_bc100_k12_cifar", memory_efficient=efficient, dropout=0.2).double().train()
        torch.manual_seed(1)
        results.append(step(model, torch.randn(2, 3, 8, 8, dtype=torch.float64)))
    assert set(results[0]) == set(results[1])
    for key, value in results[0].items():
        torch.testing.assert_close(results[1][key], value, msg=key)


def kept_bytes(efficient: bool) -> int:
    """Bytes that autograd keeps for the backward pass of a block of 24 layers."""
    block = DenseBlock(*(DenseLayer(16 + 8 * i, 8, bottleneck=32, memory_efficient=efficient) for i in range(24)))
    kept: dict[int, int] = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        y = block(torch.randn(2, 16, 16, 16))
    assert y.requires_grad
    return sum(kept.values())


def test_keeping_less_keeps_less():
    assert kept_bytes(True) < 0.5 * kept_bytes(False)


def test_dropout_is_a_fraction_and_stands_last_in_a_layer():
    model = create_model("densenet40_k12_cifar", dropout=0.2)
    layers = [m for m in model.modules() if isinstance(m, DenseLayer)]
    assert all(list(layer)[-1].p == 0.2 for layer in layers)
    with pytest.raises(UsageError, match="dropout is 1"):
        create_model("densenet40_k12_cifar", dropout=1.0)


@pytest.mark.parametrize(("size", "side"), [(224, 7), (64, 8), (32, 4), (8, 1)])
def test_small_images_get_the_small_stem(size, side):
    with torch.device("meta"):
        model = create_model("densenet121", input_size=size).eval()
        assert model.features(torch.empty(1, 3, size, size)).shape[-1] == side
