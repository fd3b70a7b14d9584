"""Every layer of each kind of network with its settings, counted and written down in layer_counts.txt, to be read.

A network of a line has: how many layers of each kind, in the order in which they first come. Of a convolution kernel,
stride, padding and groups, of a pool those and whether it counts an incomplete window or the padding, of a norm its
epsilon where it is not PyTorch's 1e-5. Networks of a family that have the same kinds of layers stand for each other.
Behind an empty line: the parameters of those with a small stem when they have it, and which layers then go and come.
"""

from collections import Counter
from pathlib import Path

import pytest
import torch
from torch import nn

from striate.layers import DropPath
from striate.layers.activation import ACTIVATIONS
from striate.models import ConvNet, create_model, get_card
from striate.models.catalogue import families
from striate.models.options import options_of

pytestmark = pytest.mark.sampled

TABLES = Path(__file__).with_name("layer_counts.txt").read_text(encoding="utf-8").split("\n\n")
WANTED, SMALL = (dict(line.split(": ", 1) for line in table.splitlines()) for table in TABLES)
SILENT = (nn.Flatten, nn.Identity, nn.ModuleDict)
#: MixNets have another activation function in their first stages, whatever is asked for. The smallest of each family
#: is looked at among the options.
LEFT_OUT = {name for name in WANTED if get_card(name).family == "mixnet"} | {
    min(family.cards, key=lambda card: card.parameters).name for family in families().values()
}


def geometry(layer: nn.Module) -> str:
    """Kernel, stride and padding: "3x3/2 pad 1"."""

    kernel, stride, padding = (
        (value, value) if isinstance(value, int) else value
        for value in (layer.kernel_size, layer.stride, layer.padding)
    )
    assert stride[0] == stride[1]
    words = f"{kernel[0]}x{kernel[1]}" + (f"/{stride[0]}" if stride[0] > 1 else "")
    if not any(padding):
        return words
    return f"{words} pad {padding[0]}" + ("" if padding[0] == padding[1] else f"x{padding[1]}")


def words_of(layer: nn.Module) -> str:
    name = type(layer).__name__.removesuffix("2d")
    if isinstance(layer, nn.Conv2d):
        depthwise = layer.groups == layer.in_channels > 1
        groups = " depthwise" if depthwise else f" in {layer.groups} groups" if layer.groups > 1 else ""
        assert layer.dilation == (1, 1)
        return f"{name} {geometry(layer)}{groups}"
    if isinstance(layer, nn.MaxPool2d | nn.AvgPool2d):
        counted = " counted" if isinstance(layer, nn.AvgPool2d) and layer.padding and layer.count_include_pad else ""
        return f"{name} {geometry(layer)}{' up' if layer.ceil_mode else ''}{counted}"
    if isinstance(layer, nn.BatchNorm2d | nn.LayerNorm):
        return name if layer.eps == 1e-5 else f"{name} {layer.eps:g}"
    if isinstance(layer, nn.Linear | nn.Dropout | DropPath):
        return name
    said = layer.extra_repr()
    return f"{name}({said})" if said else name


def counted(model: ConvNet) -> Counter[str]:
    leaves = [layer for layer in model.modules() if not list(layer.children())]
    return Counter(words_of(layer) for layer in leaves if not isinstance(layer, SILENT))


def written(name: str) -> Counter[str]:
    parts = (part.split(" ", 1) for part in WANTED[name].split("; "))
    return Counter({words: int(count) for count, words in parts})


def weightless(name: str, **options: object) -> ConvNet:
    auxiliary = {"auxiliary": True} if get_card(name).auxiliary_weight else {}
    with torch.device("meta"):
        return create_model(name, **auxiliary, **options)


def test_every_family_has_a_line():
    assert {get_card(name).family for name in WANTED} == set(families())


@pytest.mark.parametrize("name", WANTED)
def test_layers_are_those_written_down(name):
    found = counted(weightless(name))
    assert "; ".join(f"{count} {words}" for words, count in found.items()) == WANTED[name]


PLAIN = {words_of(make()) for kind, make in ACTIVATIONS.items() if kind not in ("sigmoid", "identity")}


@pytest.mark.parametrize("name", [name for name in WANTED if name not in LEFT_OUT])
def test_an_activation_and_an_epsilon_reach_every_layer_of_each_form(name):
    """Gates stay sigmoids, and layers that neither activate nor normalise stay as they are."""
    known = options_of(families()[get_card(name).family])
    options = {"activation": "elu"} | ({"norm_eps": 0.0123} if "norm_eps" in known else {})
    wanted: Counter[str] = Counter()
    for words, count in written(name).items():
        if words in PLAIN:
            words = words_of(nn.ELU())
        elif words.startswith(("BatchNorm", "LayerNorm")) and "norm_eps" in known:
            words = f"{words.split()[0]} 0.0123"
        wanted[words] += count
    assert counted(weightless(name, **options)) == wanted


def exchanged(name: str, model: ConvNet) -> str:
    found, paper = counted(model), written(name)
    parameters = sum(p.numel() for p in model.parameters()) - sum(p.numel() for p in model.auxiliary.parameters())
    moves = [f"{sign} {n} {words}" for sign, some in (("-", paper - found), ("+", found - paper))
             for words, n in some.items()]  # fmt: skip
    return f"{parameters:,}" + "".join(f"; {move}" for move in moves)


def has_a_small_stem(name: str) -> bool:
    return "stem" in options_of(families()[get_card(name).family])


def test_every_network_with_a_small_stem_has_a_line():
    assert list(SMALL) == list(filter(has_a_small_stem, WANTED))


@pytest.mark.parametrize("name", SMALL)
def test_the_small_stem_exchanges_the_layers_written_down(name):
    card = get_card(name)
    model = weightless(name, stem="small", **({"input_size": 64} if card.fixed_size else {}))
    assert exchanged(name, model) == SMALL[name]
