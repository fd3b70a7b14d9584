"""Scaling under a budget."""

import json

import pytest

from striate.analysis import summary
from striate.errors import StriateError, UsageError
from striate.models import create_model, get_card, scaling
from striate.models.budget import cost_of
from striate.models.scaling import Coefficients, coefficient_grid, scale


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
    with pytest.raises(StriateError, match=r"costs [0-9.]+ [KM]B memory of weights and activations, .* parameters$"):
        scale("mobilenet_v2", {"memory": 10, "parameters": 1e6})


def test_no_form_is_smaller_than_the_network_takes():
    """63 pixels, which is 64 as a multiple of eight; a search for less would go on to 42."""
    least = cost_of("alexnet_one_column", (64, 64), stem="paper").multiply_adds
    scaled = scale("alexnet_one_column", {"multiply_adds": least}, axes=["resolution"])
    assert (scaled.input_size, scaled.cost.multiply_adds) == (64, least)
    with pytest.raises(StriateError, match="smallest form costs"):
        scale("alexnet_one_column", {"multiply_adds": least - 1}, axes=["resolution"])


def test_coefficients_must_grow_something():
    assert Coefficients(1, 1, 4).growth == 16
    for beyond in ((4.01, 1, 1), (1, 4.01, 1), (1, 1, 4.01), (1, 0.99, 2), (2, 1, float("nan"))):
        with pytest.raises(UsageError):
            Coefficients(*beyond)
    with pytest.raises(UsageError):
        Coefficients(1, 1, 1)
    with pytest.raises(UsageError):
        Coefficients(0.5, 1, 1)


def test_the_papers_coefficients_are_on_the_grid_and_double_the_cost():
    assert Coefficients().growth == pytest.approx(1.92, abs=0.01)
    grid = list(coefficient_grid())
    assert Coefficients(1.2, 1.1, 1.15) in grid
    assert all(1.9 <= point.growth <= 2.1 for point in grid)


def test_every_option_of_the_command_arrives(monkeypatch):
    from striate.cli import main

    asked = []

    def scale(*arguments, **options):
        asked.append((arguments, options))
        raise StriateError("enough")

    monkeypatch.setattr(scaling, "scale", scale)
    words = "mobilenet_v2 --macs 1G --params 2M --memory 3MB --latency 4ms --alpha 1.3 --beta 1.2 --gamma 1.4"
    monkeypatch.setattr("sys.argv", ["striate", "scale", *words.split(), "--axes", "width, resolution"])
    with pytest.raises(SystemExit):
        main()
    limits = {"multiply_adds": 1e9, "parameters": 2e6, "memory": 3e6, "latency": 4}
    chosen = {"coefficients": Coefficients(alpha=1.3, beta=1.2, gamma=1.4), "axes": ["width", "resolution"]}
    assert asked == [(("mobilenet_v2", limits), chosen)]


def test_the_command(capsys, monkeypatch):
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
    assert set(record) == {"spec", "phi", "factors", "input_size", "cost", "latency", "limits"}
    assert set(record["cost"]) == {"multiply_adds", "parameters", "memory"}
    assert record["cost"]["parameters"] <= 3e6
    assert record["limits"] == {"parameters": 3e6}
    assert record["latency"] is None
    assert set(record["factors"]) == {"width", "resolution"}
    assert create_model(record["spec"]["name"], **record["spec"]["arguments"]).num_classes == 1000
    code, out, err = run("scale", "mobilenet_v2")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
