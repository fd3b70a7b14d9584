"""The rule that chooses precision, and devices that are not there."""

import pytest
import torch

from striate.errors import StriateError, UsageError
from striate.training import hardware
from striate.training.hardware import choose_precision, create_fabric, device_type


@pytest.mark.parametrize(
    ("bfloat16", "multiply_adds", "batch_size", "expected"),
    [
        (True, 1.8e9, 32, "bf16-mixed"),  # ResNet-18
        (True, 0.42e6, 32, "bf16-mixed"),  # LeNet, a batch that pays
        (True, 0.42e6, 16, "32-true"),  # LeNet, one that does not
        (False, 1.8e9, 32, "32-true"),
    ],
)
def test_a_processor_uses_bfloat16_where_it_has_it_and_it_pays(
    bfloat16, multiply_adds, batch_size, expected, monkeypatch
):
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: bfloat16)
    assert choose_precision("auto", "cpu", multiply_adds, batch_size) == expected


@pytest.mark.parametrize(("wanted", "expected"), [("32", "32-true"), ("bf16", "bf16-mixed"), ("64", "64-true")])
def test_a_precision_asked_for_is_taken(wanted, expected):
    assert choose_precision(wanted, "cpu", 1e12, 1024) == expected


def test_an_unknown_precision_names_those_there_are():
    with pytest.raises(UsageError, match="auto, 32, bf16, 16, 64"):
        choose_precision("8", "cpu", 1e9, 32)


def test_an_unknown_device_names_those_there_are():
    with pytest.raises(UsageError, match="auto, cpu, cuda, mps"):
        device_type("tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_device_that_is_not_here_is_one_clear_line():
    assert device_type("auto") in ("cpu", "mps")
    with pytest.raises(StriateError, match="not on this machine"):
        device_type("gpu")


def test_fabric_trains_in_bfloat16_and_answers_in_float32():
    fabric = create_fabric("cpu", 1, "bf16-mixed")
    inside: list[torch.dtype] = []
    layer = torch.nn.Linear(4, 2)
    layer.register_forward_hook(lambda module, args, output: inside.append(output.dtype))
    model = fabric.setup(layer)
    assert model(torch.ones(3, 4)).dtype == torch.float32
    assert inside == [torch.bfloat16]
