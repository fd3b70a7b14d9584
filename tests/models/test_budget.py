"""Limits as people write them, and what a network costs."""

import re

import pytest

from striate.analysis import summary
from striate.errors import UsageError
from striate.models import budget, create_model
from striate.models.budget import LIMITS, Cost, cost_of, latency_of, limit_written, parse, written


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("multiply_adds", "1e9", 1e9),
        ("multiply_adds", "300M", 3e8),
        ("multiply_adds", "0.3G", 3e8),
        ("multiply_adds", " 300 m ", 3e8),
        ("multiply_adds", "1.5e+2k", 1.5e5),
        ("parameters", "25k", 25_000),
        ("parameters", "7", 7),
        ("memory", "50MB", 5e7),
        ("memory", "50M", 5e7),
        ("memory", "2gb", 2e9),
        ("memory", "800 B", 800),
        ("memory", "3kB", 3000),
        ("memory", "12", 12),
        ("memory", "1.5 GB", 1.5e9),
        ("parameters", "3K", 3000),
        ("latency", "20ms", 20),
        ("latency", "0.02s", 20),
        ("latency", "20", 20),
        ("latency", "2E-1 S", 200),
    ],
)
def test_a_limit_is_read_in_its_units(kind, text, value):
    assert parse(kind, text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((kind, text) for kind in LIMITS for text in ("", "x", "0", "-1", "1e999", "1.2.3")),
        *((kind, text) for kind in LIMITS for text in ("3 apples", "M", "inf", "nan")),
        ("multiply_adds", "300MB"),
        ("parameters", "5s"),
        ("parameters", "20ms"),
        ("latency", "20M"),
        ("latency", "20k"),
        ("memory", "20ms"),
    ],
)  # fmt: skip
def test_what_is_no_limit_is_said_with_an_example(kind, text):
    words, example = {
        "multiply_adds": ("multiply-adds", "300M"),
        "parameters": ("parameters", "300M"),
        "memory": ("memory of weights and activations", "50MB"),
        "latency": ("latency", "20ms"),
    }[kind]
    with pytest.raises(UsageError, match=f"^{re.escape(f'{text!r}')} is no {words}; write it like {example}$"):
        parse(kind, text)


def test_each_limit_is_written_in_its_unit():
    assert {kind: written(kind, 1500) for kind in LIMITS} == {
        "multiply_adds": "1.50 k",
        "parameters": "1.50 k",
        "memory": "1.50 kB",
        "latency": "1500 ms",
    }
    assert [limit_written(kind, 5e7) for kind in ("parameters", "memory")] == ["50 M", "50 MB"]
    assert limit_written("latency", 0.05) == "0.05 ms"


def test_the_cost_of_a_network_is_what_its_summary_counts():
    real = summary(create_model("resnet20_cifar", input_size=(40, 36)), (3, 40, 36))
    assert cost_of("resnet20_cifar", (40, 36)) == Cost(
        real.multiply_adds, real.parameters, 4 * real.parameters + real.activation_bytes
    )
    wide = cost_of("resnet20_cifar", (40, 36), shortcut="B", num_classes=3)
    assert wide.parameters == sum(
        p.numel() for p in create_model("resnet20_cifar", shortcut="B", num_classes=3).parameters()
    )
    assert [Cost(1, 2, 3).get(kind) for kind in ("multiply_adds", "parameters", "memory")] == [1, 2, 3]


def test_latency_is_of_one_image_of_the_size(monkeypatch):
    asked = []

    def measure(model, shape, *, time_limit):
        asked.append((model.spec.arguments["num_classes"], model.input_size, shape, time_limit))
        return type("Latency", (), {"milliseconds": 7.5})

    monkeypatch.setattr("striate.analysis.measure_latency", measure)
    assert latency_of("lenet5", (28, 36)) == 7.5
    assert budget.latency_of("lenet5", (32, 32), 2.0, num_classes=3) == 7.5
    assert asked == [(10, (28, 36), (1, 28, 36), 0.6), (3, (32, 32), (1, 32, 32), 2.0)]
