"""Scaling under a budget, budgets as people write them, and recommendations."""

import json
from dataclasses import replace

import pytest
import torch

from striate.analysis import summary
from striate.errors import StriateError, UsageError
from striate.models import create_model, get_card, scaling
from striate.models import recommendation as recommending
from striate.models.budget import LIMITS, cost_of, parse
from striate.models.recommendation import imagenet_accuracy, recommend
from striate.models.scaling import Coefficients, coefficient_grid, scale


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("multiply_adds", "1e9", 1e9),
        ("multiply_adds", "300M", 3e8),
        ("parameters", "0.5 m", 5e5),
        ("memory", "50MB", 5e7),
        ("memory", "2048", 2048),
        ("latency", "20ms", 20),
        ("latency", "0.02s", 20),
        ("latency", "20", 20),
    ],
)
def test_budgets_are_read_as_people_write_them(kind, text, value):
    assert parse(kind, text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("multiply_adds", "many"),
        ("multiply_adds", "-3"),
        ("latency", "20MB"),
        ("memory", "5ms"),
        ("parameters", "1e999"),
        ("parameters", "0"),
        ("parameters", "1.2.3"),
        ("parameters", ""),
    ],
)
def test_what_is_no_budget_is_said(kind, text):
    with pytest.raises(UsageError, match="write it like"):
        parse(kind, text)


def test_cost_is_the_summarys():
    with torch.device("meta"):
        model = create_model("resnet18")
    told = summary(model, (3, 96, 96))
    cost = cost_of("resnet18", (96, 96))
    assert (cost.multiply_adds, cost.parameters) == (told.multiply_adds, told.parameters)
    assert cost.memory == 4 * told.parameters + told.activation_bytes


@pytest.mark.parametrize(
    "limits", [{"multiply_adds": 1e8}, {"parameters": 3e6}, {"memory": 4e7}, {"multiply_adds": 2e8, "parameters": 3e6}]
)
def test_the_result_fits_and_a_little_more_would_not(limits):
    scaled = scale("mobilenet_v2", limits)
    model = scaled.build(num_classes=1000)
    told = summary(model, (3, scaled.input_size, scaled.input_size))
    assert told.multiply_adds == scaled.cost.multiply_adds
    assert all(scaled.cost.get(kind) <= limit for kind, limit in limits.items())
    larger = {axis: factor * 1.1 for axis, factor in scaled.factors.items()}
    side = round(224 * larger["resolution"] / 8) * 8
    beyond = cost_of("mobilenet_v2", (side, side), width=larger["width"], stem="paper")
    assert any(beyond.get(kind) > limit for kind, limit in limits.items())


def test_width_and_resolution_grow_with_one_coefficient():
    scaled = scale("mobilenet_v2", {"multiply_adds": 1.2e9})
    assert scaled.phi > 0
    assert scaled.factors["width"] == pytest.approx(1.1**scaled.phi)
    assert scaled.factors["resolution"] == pytest.approx(1.15**scaled.phi)
    assert scaled.spec.arguments["input_size"] == [scaled.input_size] * 2


def test_a_single_axis():
    scaled = scale("mobilenet_v2", {"multiply_adds": 1e8}, axes=["resolution"])
    assert scaled.cost.parameters == get_card("mobilenet_v2").parameters
    assert scaled.input_size == 128  # the paper's 300 M at 224 fall with the square of the side


def test_latency_is_asked_of_this_machine(monkeypatch):
    """A machine whose time is known, so that the search can be checked."""
    monkeypatch.setattr(scaling, "latency_of", lambda name, size, **arguments: size[0] / 10)
    scaled = scale("mobilenet_v2", {"latency": 12.85}, axes=["resolution"])
    assert scaled.input_size == 128
    assert scaled.latency == pytest.approx(12.8)


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("mobilenet_v2", {"limits": {}}, "needs a budget"),
        ("mobilenet_v2", {"limits": {"macs": 1e9}}, "unknown budget 'macs'"),
        ("mobilenet_v2", {"limits": {"parameters": -1}}, "must be positive"),
        ("mobilenet_v2", {"limits": {"parameters": 1e6}, "axes": ["depth"]}, "has no option 'depth'"),
        ("mobilenet_v2", {"limits": {"parameters": 1e6}, "axes": ["widht"]}, "unknown axis 'widht'"),
        ("resnet18", {"limits": {"parameters": 1e6}}, "neither width nor depth"),
        ("resnet19", {"limits": {"parameters": 1e6}}, "unknown network"),
    ],
)
def test_impossible_demands_are_one_line(name, arguments, words):
    with pytest.raises(UsageError, match=words):
        scale(name, **arguments)


def test_a_budget_below_the_smallest_form_names_what_that_costs():
    with pytest.raises(StriateError, match=r"cannot be made so small; its smallest form costs .*multiply-adds"):
        scale("mobilenet_v2", {"multiply_adds": 1000})


def test_coefficients_must_grow_something():
    with pytest.raises(UsageError):
        Coefficients(1, 1, 1)
    with pytest.raises(UsageError):
        Coefficients(0.5, 1, 1)


def test_the_papers_coefficients_are_on_the_grid_and_double_the_cost():
    assert Coefficients().growth == pytest.approx(1.92, abs=0.01)
    grid = list(coefficient_grid())
    assert Coefficients(1.2, 1.1, 1.15) in grid
    assert all(1.9 <= point.growth <= 2.1 for point in grid)


def test_few_images_get_networks_with_weights_ranked_by_accuracy():
    found = recommend(2000, 224, limits={"multiply_adds": 2e9})
    accuracies = [one.accuracy for one in found]
    assert accuracies == sorted(accuracies, reverse=True)
    for one in found:
        assert one.weights in {source.name for source in get_card(one.name).weights}
        assert one.cost.multiply_adds <= 2e9
        assert any("2,000 images are too few" in reason for reason in one.reasons)
        assert create_model(one.name, input_size=224, **one.arguments).num_classes == 1000
    best = max(
        imagenet_accuracy(get_card(name)) or 0
        for name in ("resnet18", "mobilenet_v2")  # both fit
    )
    assert found[0].accuracy >= best


def test_small_images_get_networks_for_small_images():
    found = recommend(2000, 32)
    assert all(get_card(one.name).input_size <= 64 and one.measured_on == "CIFAR-10" for one in found)
    assert found[0].weights == "cifar10"


def test_latency_rules_out_what_is_too_slow(monkeypatch):
    slow = {"mobilenet_v2": 5.0}
    monkeypatch.setattr(recommending, "latency_of", lambda name, size, **arguments: slow.get(name, 30.0))
    found = recommend(2000, 224, limits={"latency": 20})
    assert [one.name for one in found] == ["mobilenet_v2"]
    assert found[0].latency == 5.0


def test_nothing_fits():
    with pytest.raises(StriateError, match=r"no network fits images of 224x224 within .*multiply-adds"):
        recommend(2000, 224, limits={"multiply_adds": 10})


@pytest.mark.parametrize("arguments", [(0, 224), (5, 224, {"speed": 3.0})])
def test_wrong_questions(arguments):
    images, size, *limits = arguments
    with pytest.raises(UsageError):
        recommend(images, size, limits=limits[0] if limits else None)


def test_an_error_that_names_another_data_set_is_not_imagenets():
    card = replace(get_card("resnet18"), weights=(), published={"top1_error": "5.2 (CIFAR-10)"})
    assert imagenet_accuracy(card) is None
    assert recommending.cifar_accuracy(card) == pytest.approx(0.948)
    card = replace(card, published={"top1_error": "30.2"})
    assert imagenet_accuracy(card) == pytest.approx(0.698)


def test_the_commands(capsys, monkeypatch):
    from striate.cli import main

    def run(*words):
        monkeypatch.setattr("sys.argv", ["striate", *words])
        with pytest.raises(SystemExit) as leaving:
            main()
        return leaving.value.code, *capsys.readouterr()

    code, out, _ = run("scale", "mobilenet_v2", "--macs", "100M", "--axes", "resolution")
    assert code == 0
    assert "create_model('mobilenet_v2', input_size=[128, 128]" in out
    record = json.loads(run("scale", "mobilenet_v2", "--params", "3M", "--json")[1])
    assert record["cost"]["parameters"] <= 3e6
    assert create_model(record["spec"]["name"], **record["spec"]["arguments"]).num_classes == 1000
    code, out, err = run("scale", "mobilenet_v2")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    code, out, _ = run("recommend", "--images", "2000", "--size", "32", "--top", "1")
    assert code == 0
    assert out.startswith("1. ")
    record = json.loads(run("recommend", "--images", "2000", "--size", "32", "--params", "0.5M", "--json")[1])
    assert all(one["cost"]["parameters"] <= 5e5 for one in record["networks"])
    assert set(record["limits"]) <= set(LIMITS)
