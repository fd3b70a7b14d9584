"""The rule that chooses precision, and devices that are not there."""

import pytest
import torch

from striate.errors import StriateError, UsageError
from striate.training import hardware
from striate.training.hardware import choose_precision, device_type


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


@pytest.fixture
def machine(monkeypatch):
    """machine("cuda", "mps"): these accelerators are there; `bfloat16` says what a GPU does by itself."""

    def have(*devices: str, bfloat16: bool = False) -> None:
        def supported(including_emulation: bool = True) -> bool:
            return including_emulation or bfloat16

        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in devices)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in devices)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)

    return have


@pytest.mark.parametrize(
    ("there", "best"), [((), "cpu"), (("mps",), "mps"), (("cuda",), "cuda"), (("mps", "cuda"), "cuda")]
)
def test_auto_is_the_fastest_device_there_is(machine, there, best):
    machine(*there)
    assert device_type("auto") == best
    for name, kind in {"cpu": "cpu", "cuda": "cuda", "gpu": "cuda", "mps": "mps"}.items():
        if kind in ("cpu", *there):
            assert device_type(name) == kind
        else:
            with pytest.raises(StriateError, match=f"^device '{name}' is not on this machine; leave device") as error:
                device_type(name)
            assert not isinstance(error.value, UsageError)


@pytest.mark.parametrize("bfloat16", [True, False])
@pytest.mark.parametrize("processor", [True, False])
def test_a_gpu_uses_bfloat16_where_it_need_not_emulate_it(machine, monkeypatch, bfloat16, processor):
    machine("cuda", bfloat16=bfloat16)
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: processor)
    for work in (1.0, 1e9):
        assert choose_precision("auto", "cuda", work, 1) == ("bf16-mixed" if bfloat16 else "32-true")
        assert choose_precision("auto", "mps", work, 1) == "32-true"
    assert choose_precision("auto", "cpu", 1e9, 1) == ("bf16-mixed" if processor else "32-true")


def test_casting_pays_from_ten_million_multiply_adds_a_batch(monkeypatch):
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: True)
    assert [choose_precision("auto", "cpu", 1e6, images) for images in (9, 10)] == ["32-true", "bf16-mixed"]


@pytest.mark.parametrize(("avx", "amx"), [(True, False), (False, True), (False, False)])
def test_a_processor_has_bfloat16_by_either_way(monkeypatch, avx, amx):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert hardware.cpu_has_bfloat16() is (avx or amx)


@pytest.mark.parametrize(("wanted", "words"), [("16", "16-mixed"), ("auto", None), ("", None), ("32-true", None)])
def test_precisions_have_short_names(wanted, words):
    if words:
        assert choose_precision(wanted, "cuda", 0, 1) == words
    elif wanted == "auto":
        assert choose_precision(wanted, "cpu", 0, 1) == "32-true"
    else:
        with pytest.raises(UsageError, match=f"^precision '{wanted}' is unknown; it is one of auto, 32, bf16, 16, 64"):
            choose_precision(wanted, "cuda", 0, 1)
