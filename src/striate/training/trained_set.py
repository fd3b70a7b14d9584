"""The trained set: the weights of a network that move, and all that goes with another part of it being trained."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.optim import Optimizer

from striate.models import Network
from striate.training.averaging import WeightAverage
from striate.training.optimizers import parameter_groups, rate_scales, regroup
from striate.training.recipes import Recipe
from striate.training.sealed import check_seal, frozen_tensors, seal
from striate.training.unfreezing import NOTHING, check_thaws, span, thaw_of, thaws_in
from striate.units import plural


class TrainedSet:
    """Which parts of a network train, at which rates, and since when.

    What is frozen is the network's own business (`Network.freeze`): its parameters get no gradient, its batch norms
    and dropout stay in evaluation mode. Here the rest follows: the optimizer's groups, its state, the average.

    Args:
        network: frozen as its training begins.
        recipe: decay, rates and `unfreeze`.

    Attributes:
        since: optimizer steps that had been done when the set last changed.
        sealed: a checksum of each frozen tensor, once `seal` was called.
    """

    def __init__(self, network: Network, recipe: Recipe) -> None:
        self.network, self.weight_decay = network, recipe.weight_decay
        self.scales = rate_scales(network, recipe.stage_decay)
        self.thaws = thaws_in(recipe.unfreeze)
        self.since = 0
        self.sealed: dict[str, int] = {}

    def seal(self) -> None:
        """Note what the frozen tensors are, in the precision and on the device of training."""
        self.sealed = seal(self.network)

    def groups(self) -> list[dict]:
        """The groups of parameters that train now."""
        return parameter_groups(self.network, self.weight_decay, self.scales)

    @property
    def frozen(self) -> str:
        """The part up to and with which the network is frozen now; "none" where it is not."""
        return self.network.frozen[-1] if self.network.frozen else NOTHING

    def due(self, epoch: int) -> str | None:
        """The part up to which the network is to be frozen in `epoch`, counted from 1; None where it is so already."""
        thaw = thaw_of(self.thaws, epoch)
        return None if thaw is None or thaw.until == self.frozen else thaw.until

    def change(self, until: str, step: int, optimizer: Optimizer, average: WeightAverage | None) -> str:
        """Freeze the network up to and with `until` ("none": not at all) and train the rest.

        Args:
            until: a part of the network, or "none".
            step: optimizer steps done.
            optimizer: goes on with what it knew of parameters that were trained already.
            average: of the weights; goes on.

        Returns:
            What trains from here on, in words.

        Raises:
            UsageError: there is no such part.
        """
        before = self.network.frozen
        freeze(self.network, until)
        kept = frozen_tensors(self.network)
        self.sealed = {name: known for name, known in self.sealed.items() if name in kept}
        for parameter in self.network.parameters():
            if not parameter.requires_grad:
                parameter.grad = None  # what is left of one would be clipped with the others
        regroup(optimizer, self.groups())
        if average is not None:
            average.follow(self.network)
        self.since = step
        return in_words(before, self.network.frozen)

    def check(self, result: nn.Module) -> str:
        """What was found out about the frozen tensors of what is to be saved, in words; empty where there are none.

        Raises:
            StriateError: one of them has changed.
        """
        check_seal(self.sealed, result.state_dict())
        if not self.sealed:
            return ""
        return f"checked: the {plural(len(self.sealed), 'frozen tensor')} are bit for bit as they were"

    def state(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"frozen": self.frozen, "since": self.since, "sealed": self.sealed}


def check_parts(network: Network, until: str | None, recipe: Recipe) -> None:
    """Freeze a network up to and with `until`, and refuse what the recipe asks of parts that it does not have.

    Raises:
        UsageError: see above; `unfreeze` that does not go with what is frozen at first.
    """
    if until:
        network.freeze(until)
    check_thaws(network, until, thaws_in(recipe.unfreeze))
    rate_scales(network, recipe.stage_decay)


def freeze(network: Network, until: str) -> None:
    """Freeze a network as far as one step of `unfreeze` says.

    Raises:
        UsageError: there is no such part.
    """
    if until == NOTHING:
        network.unfreeze()
    else:
        network.freeze(until)


def in_words(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    """What trains from now on where `before` was frozen, and `after` is."""
    freed = [name for name in before if name not in after]
    rest = f"{span(after)} still frozen" if after else "nothing is frozen any more"
    return f"{span(freed)} trained from here on; {rest}" if freed else rest
