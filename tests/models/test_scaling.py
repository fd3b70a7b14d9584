"""Scaling under a budget."""

import json

import pytest

from striate.analysis import summary
from striate.errors import StriateError, UsageError
from striate.models import create_model, forms, get_card, scaling
from striate.models.budget import Cost, cost_of
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


@pytest.fixture
def costs(monkeypatch):
    """A network's parameters are a million times its width, its multiply-adds and its memory go by side and depth."""

    def cost(name, size, width=1.0, depth=1.0, **others):
        assert size[0] == size[1]
        return Cost(int(1000 * size[0]), int(1e6 * width), int(1e6 * depth))

    monkeypatch.setattr(forms, "cost_of", cost)


@pytest.mark.usefixtures("costs")
@pytest.mark.parametrize(
    ("limits", "phi"),
    [
        ({"parameters": 1.21e6}, 2),  # 1.1^2
        ({"memory": 1.44e6}, 2),  # 1.2^2
        ({"parameters": 1 / 1.21 * 1e6}, -2),
        ({"parameters": 1.21e6, "memory": 1.2e6}, 1),
        ({"multiply_adds": 1e9, "parameters": 1e9}, 12),
        ({"parameters": 1.1**-11 * 1e6}, -11),
    ],
)
def test_all_axes_of_a_family_grow_by_the_largest_coefficient_that_fits(limits, phi):
    scaled = scale("efficientnet_b0", limits)
    assert phi - 1 / 64 - 1e-3 <= scaled.phi <= phi
    assert scaled.factors == pytest.approx({axis: base**scaled.phi for axis, base in GROWTH.items()})
    assert list(scaled.factors) == ["depth", "width", "resolution"]
    side = round(224 * 1.15**scaled.phi / 8) * 8
    assert scaled.input_size == side
    assert dict(scaled.spec.arguments) == {
        "input_size": [side, side],
        "depth": pytest.approx(1.2**scaled.phi, abs=6e-5),
        "width": pytest.approx(1.1**scaled.phi, abs=6e-5),
        "stem": "paper",
    }
    assert scaled.cost.parameters == int(1e6 * scaled.spec.arguments["width"])
    assert scaled.latency is None


GROWTH = {"depth": 1.2, "width": 1.1, "resolution": 1.15}


@pytest.mark.usefixtures("costs")
def test_only_the_axes_asked_for_grow_and_by_coefficients_of_ones_own():
    own = Coefficients(alpha=1.0, beta=1.5, gamma=2.0)
    scaled = scale("efficientnet_b0", {"parameters": 2.25e6}, coefficients=own)
    assert scaled.phi == pytest.approx(2, abs=1 / 64)
    assert scaled.factors == pytest.approx({"depth": 1, "width": 1.5**scaled.phi, "resolution": 2**scaled.phi})
    assert scaled.spec.arguments["depth"] == 1
    wide = scale("efficientnet_b0", {"parameters": 2.25e6}, coefficients=own, axes=["width"])
    assert (wide.input_size, set(wide.factors), "depth" in wide.spec.arguments) == (224, {"width"}, False)
    with pytest.raises(UsageError, match=r"^depth of efficientnet_b0 do not grow with Coefficients\(alpha=1\.0"):
        scale("efficientnet_b0", {"parameters": 1e6}, coefficients=own, axes=["depth"])


@pytest.mark.usefixtures("costs")
def test_a_network_starts_from_the_options_of_its_card():
    """Half the width; the stem of its card's size whatever the size becomes."""
    scaled = scale("mobilenet_v1_0.5", {"parameters": 0.605e6})
    assert scaled.phi == pytest.approx(2, abs=1 / 64)
    assert scaled.spec.arguments["width"] == pytest.approx(0.5 * 1.1**scaled.phi, abs=6e-5)
    cifar = scale("densenet40_k12_cifar", {"multiply_adds": 96_000}, axes=["resolution"])
    assert (cifar.input_size, cifar.spec.arguments["stem"]) == (96, "small")


@pytest.mark.usefixtures("costs")
def test_sides_are_multiples_of_eight_unless_told():
    for multiple in (8, 5, 32):
        options = {} if multiple == 8 else {"multiple_of": multiple}
        for side in (205, 219, 333):
            scaled = scale("mobilenet_v2", {"multiply_adds": 1000 * side}, axes=["resolution"], **options)
            assert scaled.input_size == side // multiple * multiple


def test_a_form_that_cannot_be_built_does_not_fit(monkeypatch):
    def cost(name, size, width, **others):
        if width > 1.3:
            raise UsageError("too wide")
        return Cost(1, 1, 1)

    monkeypatch.setattr(forms, "cost_of", cost)
    assert 1.29 < scale("mobilenet_v2", {"parameters": 5}).factors["width"] <= 1.3


@pytest.mark.usefixtures("costs")
def test_time_is_measured_only_where_it_is_limited_and_all_else_fits(monkeypatch):
    timed = []
    monkeypatch.setattr(scaling, "latency_of", lambda name, size, **options: timed.append((size, options)) or size[0])
    limits = {"latency": 300.0, "parameters": 1.1e6}
    scaled = scale("mobilenet_v2", limits)
    assert scaled.phi == pytest.approx(1, abs=1 / 64)
    assert scaled.latency == scaled.input_size
    assert all(options["width"] <= 1.1 and options["stem"] == "paper" for _, options in timed)
    assert len(timed) == len({(size, *sorted(options.items())) for size, options in timed})  # each form once
    with pytest.raises(StriateError, match=r"smallest form costs more time$"):
        scale("mobilenet_v2", {"latency": 1.0})


@pytest.mark.parametrize(
    ("name", "axes", "able"),
    [
        (
            "mobilenet_v2",
            ["width", "depth"],
            "has no option 'depth'; families that have: efficientnet, efficientnet_lite",
        ),
        (
            "resnet18",
            ["width"],
            "has no option 'width'; families that have: efficientnet, efficientnet_lite, mixnet, mobilenet_v1, "
            "mobilenet_v2, shufflenet_v1, vgg",
        ),
        (
            "resnet18",
            None,
            "has neither width nor depth to scale; families that have: efficientnet, efficientnet_lite, mixnet, "
            "mobilenet_v1, mobilenet_v2, shufflenet_v1, vgg. Its resolution alone is scaled where the axes are "
            "'resolution'",
        ),
    ],
)
def test_families_that_can_be_scaled_are_named(name, axes, able):
    with pytest.raises(UsageError) as raised:
        scale(name, {"parameters": 1e6}, axes=axes)
    assert str(raised.value) == f"{name} {able}"


@pytest.mark.parametrize("limit", [0, -1.0, float("nan")])
def test_every_budget_is_positive(limit):
    with pytest.raises(UsageError, match=r"memory of weights and activations; it must be positive"):
        scale("mobilenet_v2", {"parameters": 1e6, "memory": limit})
    with pytest.raises(UsageError, match="unknown budget 'speed'"):
        scale("mobilenet_v2", {"parameters": 1e6, "speed": 1.0})


def test_the_grid_holds_every_point_near_the_budget_and_no_other():
    """In steps of a half, up to the budget itself; a point where nothing grows is none."""
    points = {(p.alpha, p.beta, p.gamma) for p in coefficient_grid(3.0, 0.5, 0.1)}
    sides = (1.0, 1.5, 2.0, 2.5, 3.0)
    wanted = {(a, b, c) for a in sides for b in sides for c in sides if 2.7 <= a * b * b * c * c <= 3.3}
    assert points == wanted == {(3.0, 1.0, 1.0)}
    wide = {(p.alpha, p.beta, p.gamma) for p in coefficient_grid(2.0, 0.5, 0.5)}
    assert (1.0, 1.0, 1.0) not in wide
    assert {(1.0, 1.5, 1.0), (1.0, 1.0, 1.5), (2.0, 1.0, 1.0), (1.5, 1.0, 1.0)} == wide
