"""How large the gradient is that reaches each layer: whether it vanishes or explodes on its way to the first one.

Hochreiter (1991) and Bengio et al. (1994) saw it vanish; Glorot and Bengio (2010) measured it layer by layer, as here.
Residual connections (He et al., 2015, arXiv:1512.03385), batch norm and auxiliary heads are what was done about it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.analysis.running import name_of
from striate.analysis.weightless import duplicate, uncompiled
from striate.errors import StriateError, UsageError

#: What `without_norms` leaves out.
NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.GroupNorm,
    nn.LayerNorm,
)
#: What `with_activation` exchanges. Sigmoid and tanh are not among them: in many networks they are gates.
RECTIFIERS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU, nn.Hardswish)

AUXILIARY_WEIGHT = 0.3  # of each auxiliary loss (Szegedy et al., 2014, arXiv:1409.4842, section 5)


@dataclass(frozen=True)
class LayerGradient:
    """The gradient of the loss with respect to one layer's weights; its bias is left out.

    Attributes:
        name: dotted path of the layer.
        type: its class.
        weights: number of weights.
        weight_norm: L2 norm of the weights.
        gradient_norm: L2 norm of the gradient.
    """

    name: str
    type: str
    weights: int
    weight_norm: float
    gradient_norm: float

    @property
    def gradient_rms(self) -> float:
        """Root mean square of the gradient's values: the norm without the layer's size."""
        return self.gradient_norm / math.sqrt(self.weights)


@dataclass(frozen=True)
class Gradients:
    """The gradient norms of one network in one backward pass.

    Attributes:
        label: what the network is called.
        loss: the loss that was differentiated, auxiliary heads' included.
        layers: those with weights (convolutions, dense layers, embeddings), in the network's order.
        weights: which weights the network had, in words; empty where nobody said.
        images: which images it saw, in words; likewise.
    """

    label: str
    loss: float
    layers: tuple[LayerGradient, ...]
    weights: str = ""
    images: str = ""

    @property
    def first_to_last(self) -> float:
        """Gradient's root mean square in the first layer over that in the last: far below 1 it has vanished."""
        first, last = self.layers[0].gradient_rms, self.layers[-1].gradient_rms
        return first / last if last else math.nan

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "network": self.label,
            "loss": self.loss,
            "first_to_last": self.first_to_last,
            "layers": [{**asdict(layer), "gradient_rms": layer.gradient_rms} for layer in self.layers],
        }


def gradient_norms(
    model: nn.Module, images: Tensor, labels: Tensor, *, auxiliary: bool = False, label: str = "", seed: int = 0
) -> Gradients:
    """One forward and backward pass in training mode; the model and torch's random state are left as they are.

    The loss is the cross-entropy, for a single output the binary one.

    Args:
        model: any classifier.
        images: (N, C, H, W).
        labels: (N,), class numbers.
        auxiliary: add 0.3 times the loss of each auxiliary head; without it they get no gradient and no row.
        label: what to call the network; its class by default.
        seed: of dropout and drop path.

    Raises:
        UsageError: auxiliary heads are asked for where there are none.
        StriateError: the network fails on these images, or nothing in it has weights.
    """
    twin = duplicate(uncompiled(model)).train()
    for parameter in twin.parameters():
        parameter.requires_grad_(True)
        parameter.grad = None
    name = label or name_of(model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            main, others = _outputs(twin, images, auxiliary, name)
            if main.dim() != 2:
                raise ValueError(f"it gives {tuple(main.shape)}, and a classifier logits (N, classes)")
            loss = _loss(main, labels) + AUXILIARY_WEIGHT * sum(_loss(other, labels) for other in others)
            loss.backward()
        except (RuntimeError, ValueError) as error:
            raise StriateError(
                f"{name} cannot be trained on images {tuple(images.shape)}: {str(error).splitlines()[0]}"
            ) from error
    layers = tuple(_layers(twin))
    if not layers:
        raise StriateError(f"{name} has no layer with weights that the loss reaches")
    return Gradients(name, float(loss.detach()), layers)


def _outputs(model: nn.Module, images: Tensor, auxiliary: bool, name: str) -> tuple[Tensor, list[Tensor]]:
    """The logits, and those of the auxiliary heads if they are wanted."""
    ours = isinstance(getattr(model, "auxiliary", None), nn.ModuleDict)
    result = model(images, auxiliary=True) if auxiliary and ours else model(images)
    if isinstance(result, Tensor):
        main, others = result, []
    else:
        main, rest = result[0], result[1:]
        others = [*rest[0].values()] if ours else [part for part in rest if isinstance(part, Tensor)]
    if auxiliary and not others:
        raise UsageError(f"{name}: this network has no auxiliary heads")
    return main, others if auxiliary else []


def _loss(logits: Tensor, labels: Tensor) -> Tensor:
    if logits.shape[1] == 1:
        return F.binary_cross_entropy_with_logits(logits[:, 0], labels.to(logits.dtype))
    return F.cross_entropy(logits, labels)


def _layers(model: nn.Module) -> list[LayerGradient]:
    """One entry for each module with weight matrices or kernels of its own that have a gradient."""
    found, seen = [], set()
    for name, module in model.named_modules():
        weights = [
            parameter
            for parameter in module.parameters(recurse=False)
            if parameter.dim() > 1 and parameter.grad is not None and parameter not in seen
        ]
        seen.update(weights)
        if weights:
            gradients = [weight.grad for weight in weights if weight.grad is not None]
            found.append(
                LayerGradient(
                    name,
                    type(module).__name__,
                    sum(weight.numel() for weight in weights),
                    _norm([weight.detach() for weight in weights]),
                    _norm(gradients),
                )
            )
    return found


def _norm(tensors: list[Tensor]) -> float:
    """L2 norm of them all together, in float64: the squares of a vanished gradient vanish from float32."""
    return math.sqrt(sum(float(tensor.double().square().sum()) for tensor in tensors))


def without_norms(model: nn.Module) -> nn.Module:
    """A copy whose batch, layer, group and instance norms pass on what they get.

    Raises:
        UsageError: it has none.
    """
    return _replaced(model, NORMS, nn.Identity, "normalisation")


def with_activation(model: nn.Module, make: Callable[[], nn.Module]) -> nn.Module:
    """A copy in which a module from `make` stands for each of the `RECTIFIERS`.

    Raises:
        UsageError: it has none, or calls them as functions.
    """
    return _replaced(model, RECTIFIERS, make, "rectifying activation")


def _replaced(model: nn.Module, kinds: tuple[type, ...], make: Callable[[], nn.Module], what: str) -> nn.Module:
    twin = duplicate(model)
    places = [
        (parent, name)
        for parent in twin.modules()
        for name, child in parent.named_children()
        if isinstance(child, kinds)
    ]
    if not places:
        raise UsageError(f"{name_of(model)} has no {what} module to exchange")
    for parent, name in places:
        setattr(parent, name, make())
    return twin
