"""A network that ends early: its first stages and a classifier of what the last of them sees.

Later stages know more of what a network was trained on, earlier ones of pictures at large; where few pictures are far
from those of the pretraining, a classifier of an earlier stage may tell them better (Yosinski et al., 2014,
arXiv:1411.1792).
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from itertools import takewhile

import torch
from torch import nn

from striate.errors import unknown
from striate.models.card import ModelSpec
from striate.models.convnet import ConvNet
from striate.models.heads import pooled

#: What `create_model` calls it.
UNTIL = "until"


def cut_after(model: ConvNet, stage: str) -> ConvNet:
    """Take away what comes after a stage: the mean of its map over the image goes to a fresh classifier.

    Args:
        model: is changed.
        stage: the name of one of its stages, the last of which may be it: then only the head is another.

    Returns:
        The same network.

    Raises:
        UsageError: it has no such stage.
    """
    names = list(model.stages._modules)
    if stage not in names:
        raise unknown(f"stage of {model.spec.name}", stage, names)
    outputs, kept = model.num_classes, _up_to(names, stage)
    model.stages = nn.Sequential(OrderedDict((name, model.stages.get_submodule(name)) for name in kept))
    kept = kept[:-1]  # a head on the last stage would be its main one
    model.auxiliary = nn.ModuleDict({name: head for name, head in model.auxiliary.items() if name in kept})
    model.is_cut = True
    weight = next(model.parameters())
    head = pooled(_channels(model), outputs)
    model.head = nn.Sequential(OrderedDict(head)).to(weight.device, weight.dtype).train(model.training)
    model.spec = ModelSpec(model.spec.name, {**model.spec.arguments, UNTIL: stage})
    return model


def _up_to(names: list[str], stage: str) -> list[str]:
    return [*takewhile(lambda name: name != stage, names), stage]


def _channels(model: ConvNet) -> int:
    """Of the last stage's map, without reckoning it."""
    twin, size = copy.deepcopy(model).to("meta").eval(), model.input_size
    assert size is not None
    kind = next(model.parameters()).dtype
    maps = twin.feature_maps(torch.empty(1, model.in_channels, *size, dtype=kind, device="meta"))
    return int(next(reversed(maps.values())).shape[1])
