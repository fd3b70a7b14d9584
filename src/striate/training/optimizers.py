"""Optimizers by name, with weight decay on the weights that want it, and a rate for each part of a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import nn
from torch.optim import SGD, Optimizer

from striate.errors import unknown
from striate.models import Network

OPTIMIZERS = ("sgd", "adam", "adamw", "rmsprop")


def rate_scales(network: Network, stage_decay: float) -> dict[str, float]:
    """What the schedule's rate is multiplied by for each parameter, by its name; empty where it is 1 for all.

    The part k parts below the head has stage_decay**k, heads have 1 (discriminative fine-tuning: Howard & Ruder,
    2018, arXiv:1801.06146, section 3.1, whose 2.6 between two layers is a stage_decay of 0.385).

    Raises:
        UsageError: other rates than one are asked for, and the parts of the network are not known.
    """
    if stage_decay == 1:
        return {}
    below = {name: depth for depth, name in enumerate(reversed(list(network.parts())), 1)}
    return {name: stage_decay ** below.get(part, 0) for name, part in network.part_of_weights().items()}


def parameter_groups(model: nn.Module, weight_decay: float, scales: Mapping[str, float] | None = None) -> list[dict]:
    """Groups of the parameters that train: matrices and kernels decay; biases and normalisation's scales do not.

    Two for each `scale` on the rate that there is, so two where all are equal.

    Args:
        model: whose parameters they are.
        weight_decay: of those that decay.
        scales: of parameters, by name; 1 where a name is missing.
    """
    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    scale_of = {name: (scales or {}).get(name, 1.0) for name, _ in named}
    groups = []
    for scale in dict.fromkeys(scale_of.values()):
        own = [parameter for name, parameter in named if scale_of[name] == scale]
        decayed = [parameter for parameter in own if parameter.ndim > 1]
        spared = [parameter for parameter in own if parameter.ndim <= 1]
        groups += [
            {"params": decayed, "weight_decay": weight_decay, "scale": scale},
            {"params": spared, "weight_decay": 0.0, "scale": scale},
        ]
    return [group for group in groups if group["params"]]


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Give each group its share of the schedule's rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["scale"]


def regroup(optimizer: Optimizer, groups: Iterable[dict]) -> None:
    """Have an optimizer train other groups, as `create_optimizer` would have built it for them.

    The state of parameters that stay is not touched, that of those that go is dropped, those that come begin without.
    """
    optimizer.param_groups.clear()
    for group in groups:
        optimizer.add_param_group(group)
    trained = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    for parameter in [parameter for parameter in optimizer.state if id(parameter) not in trained]:
        del optimizer.state[parameter]
    start_momenta(optimizer)


def start_momenta(optimizer: Optimizer) -> None:
    """Zero SGD's momenta where there are none yet; the step from a momentum of zero is the first step.

    Fused SGD takes momenta for all parameters of a group or for none, and leaves them uninitialised when its first
    step is left out.
    """
    if not isinstance(optimizer, SGD):
        return
    for group in optimizer.param_groups:
        for parameter in group["params"] if group["momentum"] else ():
            state = optimizer.state[parameter]
            if state.get("momentum_buffer") is None:
                state["momentum_buffer"] = torch.zeros_like(parameter, requires_grad=False)


def create_optimizer(
    name: str, groups: Iterable[dict], learning_rate: float, momentum: float, nesterov: bool
) -> Optimizer:
    """Build an optimizer.

    Args:
        name: "sgd" (momentum, Nesterov's if wanted), "adam" (Kingma & Ba, 2015, arXiv:1412.6980; `momentum` is
            beta 1, and weight decay is L2 in the gradient), "adamw" (Loshchilov & Hutter, 2019, arXiv:1711.05101:
            the same, and weight decay takes its share of the weights beside the gradient) or "rmsprop" (Hinton's
            lecture 6e; `momentum` on top).
        groups: parameter groups.
        learning_rate: the rate that the schedule's factor multiplies.
        momentum: see name.
        nesterov: whether SGD looks ahead.

    Raises:
        UsageError: an unknown name.
    """
    if name == "sgd":
        return torch.optim.SGD(groups, learning_rate, momentum=momentum, nesterov=nesterov and momentum > 0, fused=True)
    if name == "adam":
        return torch.optim.Adam(groups, learning_rate, betas=(momentum, 0.999), fused=True)
    if name == "adamw":
        return torch.optim.AdamW(groups, learning_rate, betas=(momentum, 0.999), fused=True)
    if name == "rmsprop":
        return torch.optim.RMSprop(groups, learning_rate, alpha=0.9, eps=1e-7, momentum=momentum, foreach=True)
    raise unknown("optimizer", name, OPTIMIZERS)
