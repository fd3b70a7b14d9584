"""Fabric computes in the precision it is told, is given the devices and keeps its words to itself."""

import logging

import pytest
import torch

from striate.errors import StriateError
from striate.training.fabric import create_fabric


def test_fabric_trains_in_bfloat16_and_answers_in_float32():
    fabric = create_fabric("cpu", 1, "bf16-mixed")
    inside: list[torch.dtype] = []
    layer = torch.nn.Linear(4, 2)
    layer.register_forward_hook(lambda module, args, output: inside.append(output.dtype))
    model = fabric.setup(layer)
    assert model(torch.ones(3, 4)).dtype == torch.float32
    assert inside == [torch.bfloat16]


@pytest.mark.parametrize(
    ("precision", "inside", "scaled"),
    [("32-true", torch.float32, False), ("16-mixed", torch.float16, True), ("64-true", torch.float64, False)],
)
def test_fabric_computes_as_it_is_told(precision, inside, scaled):
    fabric = create_fabric("cpu", 1, precision)
    seen: list[torch.dtype] = []
    layer = torch.nn.Linear(4, 2)
    layer.register_forward_hook(lambda module, args, output: seen.append(output.dtype))
    fabric.setup(layer)(torch.ones(3, 4, dtype=torch.float64 if precision == "64-true" else torch.float32))
    assert seen == [inside]
    assert (getattr(fabric.strategy.precision, "scaler", None) is not None) == scaled


def test_fabric_is_given_devices_and_is_launched(monkeypatch):
    asked, launched = [], []

    class Recorder:
        def __init__(self, **options) -> None:
            asked.append(options)
            if options["devices"] == 99:
                raise ValueError("too many")

        def launch(self) -> None:
            launched.append(self)

    monkeypatch.setattr("lightning_fabric.Fabric", Recorder)
    fabric = create_fabric("cuda", 3, "16-mixed")
    assert asked == [{"accelerator": "cuda", "devices": 3, "precision": "16-mixed"}]
    assert launched == [fabric]
    with pytest.raises(StriateError, match=r"^99 cuda devices with precision 32-true: too many$"):
        create_fabric("cuda", 99, "32-true")


def test_fabric_says_nothing_of_its_own(capfd, monkeypatch):
    said = []
    monkeypatch.setattr(logging.Logger, "callHandlers", lambda self, record: said.append(record))
    create_fabric("cpu", 1, "bf16-mixed")
    assert (capfd.readouterr(), said) == (("", ""), [])
