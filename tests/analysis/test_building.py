"""Building networks without memory, even those that read values while they are built."""

import pytest
import torch
from torch import nn

from striate.analysis import summary
from striate.analysis.building import build_weightless
from striate.errors import UsageError


def is_weightless(model: nn.Module) -> bool:
    return all(tensor.is_meta for tensor in model.parameters())


def plain() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


def computes_widths() -> nn.Module:
    """As RegNet: widths from arithmetic on tensors."""
    widths = (torch.round(torch.arange(1, 4) * 2.6 / 2) * 2).int().tolist()
    return nn.Sequential(*(nn.Conv2d(3, width, 3) for width in widths))


def draws_rates() -> nn.Module:
    """As many transformers: rates of dropping from a line of numbers."""
    return nn.Sequential(nn.Conv2d(3, 4, 3), *(nn.Dropout(rate.item()) for rate in torch.linspace(0, 0.2, 3)))


def reads_weights() -> nn.Module:
    layer = nn.Conv2d(3, 4, 3)
    return layer if float(layer.weight.abs().max()) < 1e9 else nn.Conv2d(3, 5, 3)


@pytest.mark.parametrize("make", [plain, computes_widths, draws_rates])
def test_weights_take_no_memory_where_only_sizes_are_computed(make) -> None:
    model = build_weightless(make)
    assert is_weightless(model)
    assert [tuple(p.shape) for p in model.parameters()] == [tuple(p.shape) for p in make().parameters()]


def test_a_network_that_reads_its_weights_while_it_is_built_is_built_for_real() -> None:
    model = build_weightless(reads_weights)
    assert not is_weightless(model)
    assert summary(model, (3, 8, 8)).multiply_adds == 36 * 4 * 27


def test_what_is_wrong_with_it_is_what_is_wrong_with_the_real_one() -> None:
    calls = []

    def fails() -> nn.Module:
        calls.append(torch.empty(1).device.type)
        raise ValueError(f"on {calls[-1]}")

    with pytest.raises(ValueError, match="on cpu"):
        build_weightless(fails)
    assert calls == ["meta", "meta", "cpu"]


def test_wrong_usage_is_said_at_once() -> None:
    calls = []

    def refuses() -> nn.Module:
        calls.append(1)
        raise UsageError("no such network")

    with pytest.raises(UsageError):
        build_weightless(refuses)
    assert len(calls) == 1


def test_devices_that_are_named_are_kept() -> None:
    assert not build_weightless(lambda: nn.Conv2d(3, int(torch.tensor(4).item()), 3, device="cpu")).weight.is_meta


MAKERS = {
    "empty": lambda: torch.empty(2, 3),
    "zeros": lambda: torch.zeros(2, 3),
    "ones": lambda: torch.ones(2, 3),
    "full": lambda: torch.full((2, 3), 0.5),
    "rand": lambda: torch.rand(2, 3),
    "randn": lambda: torch.randn(2, 3),
    "with strides": lambda: torch.empty_strided((2, 3), (1, 2)),
    "normal": lambda: torch.normal(0.0, 1.0, (2, 3)),
}


@pytest.mark.parametrize("name", MAKERS)
def test_weights_of_every_make_are_weightless_where_sizes_are_read(name: str) -> None:
    def make() -> nn.Module:
        width = int(torch.arange(4).sum()) + int(torch.linspace(0, 1, 2)[1]) + int(torch.tensor([5])[0])
        layer = nn.Linear(width, 1)
        layer.extra = nn.Parameter(MAKERS[name]())
        layer.named = torch.zeros(2, device="cpu")  # type: ignore[assignment]
        return layer

    layer = build_weightless(make)
    assert is_weightless(layer)
    assert (layer.in_features, tuple(layer.extra.shape)) == (12, (2, 3))
    assert not layer.named.is_meta
