"""Units that begin as identity: each kind by itself, with batch norms in both modes; and those that cannot."""

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.layers import ConvAct, ConvNormAct, basic, bottleneck, inverted_residual
from striate.transfer.identity import Spread, start_as_identity

X = torch.rand(4, 8, 9, 9, generator=torch.Generator().manual_seed(0))

UNITS = {
    "convolution": lambda: [nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()],
    "1x1": lambda: [nn.Conv2d(8, 8, 1), nn.ReLU()],
    "dilated": lambda: [nn.Conv2d(8, 8, 3, padding=2, dilation=2), nn.ReLU6()],
    "norm": lambda: [nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()],
    "depthwise": lambda: [nn.Sequential(ConvNormAct(8, 8, 3, groups=8), ConvNormAct(8, 8, 1))],
    "without norm": lambda: [ConvAct(8, 8)],
    "plain": lambda: [basic(8, 8, shortcut="none")],
    "basic": lambda: [basic(8, 8)],
    "bottleneck": lambda: [bottleneck(8, 2)],
    "before addition": lambda: [basic(8, 8, placement="relu_before_addition")],
    "preactivation": lambda: [basic(8, 8, placement="full_preactivation")],
    "inverted": lambda: [inverted_residual(8, 8, stride=1, expansion=2, reduced=2, activation="silu")],
}


@pytest.mark.parametrize("kind", UNITS)
def test_a_unit_hands_on_what_it_is_fed(kind):
    torch.manual_seed(1)
    unit = nn.Sequential(*UNITS[kind]())
    for layer in unit.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean)
            nn.init.normal_(layer.bias)
    assert not torch.allclose(unit.eval()(X), X, atol=1e-2)
    start_as_identity("it", list(unit), None)
    torch.testing.assert_close(unit(X), X, rtol=1e-6, atol=1e-6)


def test_a_norm_takes_away_and_puts_back_what_the_one_before_it_leads_to():
    """Means and variances behind a ReLU by drawing: training passes the signal on as well, about so."""
    torch.manual_seed(2)
    before = nn.BatchNorm2d(3)
    with torch.no_grad():
        before.weight.copy_(torch.tensor([1.0, 0.5, 2.0]))
        before.bias.copy_(torch.tensor([0.0, 1.0, -1.0]))
    drawn = (torch.randn(200_000, 3) * before.weight + before.bias).relu().detach()
    spread = Spread.behind(before, nn.ReLU())
    torch.testing.assert_close(spread.mean.float(), drawn.mean(0), rtol=0.02, atol=0.01)
    torch.testing.assert_close(spread.variance.float(), drawn.var(0), rtol=0.03, atol=0.01)

    unit = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU())
    start_as_identity("it", list(unit), spread)
    fed = before.train()(torch.randn(64, 3, 16, 16)).relu()
    torch.testing.assert_close(unit.eval()(fed), fed, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(unit.train()(fed), fed, rtol=0.05, atol=0.05)


IMPOSSIBLE = {
    "stride": ([nn.Conv2d(8, 8, 3, stride=2, padding=1)], r"Conv2d\(8, 8, .*\) changes the shape"),
    "valid": ([nn.Conv2d(8, 8, 3)], "changes the shape"),
    "wider": ([nn.Conv2d(8, 9, 3, padding=1)], "changes the shape"),
    "tanh": ([nn.Conv2d(8, 8, 3, padding=1), nn.Tanh()], "Tanh is not one that leaves its own output alone"),
    "projection": ([basic(8, 8, shortcut="C")], "its shortcut is no plain identity"),
    "scaled": ([basic(8, 8, shortcut="scaled")], "its shortcut is no plain identity"),
    "behind the addition": ([basic(8, 8, placement="bn_after_addition")], "its shortcut is no plain identity"),
    "activated for both": ([basic(8, 8, placement="full_preactivation", preactivation="shared")], "no plain identity"),
    "plain bottleneck": ([bottleneck(8, 2, shortcut="none")], "changes the shape"),
    "no shortcut": ([inverted_residual(8, 8, stride=2, expansion=2)], "InvertedResidual is not one"),
}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_what_cannot_be_the_identity_says_why_and_what_to_do(kind):
    unit, why = IMPOSSIBLE[kind]
    with pytest.raises(UsageError, match=rf"^stages\.one\.2 cannot begin as identity: .*{why}.*rule 'random'\.$"):
        start_as_identity("stages.one.2", unit, None)
