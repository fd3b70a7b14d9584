"""What changes the state of a network, and what does not."""

import pytest
import torch
from frozen_network import small
from torch import nn

from striate.engines import state_of


def test_using_a_network_changes_nothing():
    network = small()
    before = state_of(network)
    network(torch.rand(2, 3, 40, 32))
    assert state_of(network) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda n: nn.init.normal_(n[0].weight),
        lambda n: n[0].weight.data.mul_(1.01),
        lambda n: setattr(n[5].bias, "data", n[5].bias.data.clone()),
        lambda n: n.load_state_dict({name: value + 1 for name, value in n.state_dict().items()}),
        lambda n: n[1].running_mean.add_(1),
        lambda n: n.__setitem__(5, nn.Linear(8, 5)),
        lambda n: n.train(),
        lambda n: n[2].register_forward_hook(lambda *_: None),
        lambda n: n.double(),
    ],
    ids=["in place", "data", "data set", "loaded", "statistics", "new layer", "mode", "hook", "type"],
)
def test_every_change_of_a_network_shows(change):
    network = small()
    before = state_of(network)
    change(network)
    assert state_of(network) != before
