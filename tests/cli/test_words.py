"""What `scale` and `recommend` say to people is what they say to programs."""

import json

from striate.models import create_model
from striate.units import count, decimal_size


def test_scale_tells_the_call_the_factors_and_the_cost(cli):
    command = ("scale", "mobilenet_v1", "--macs", "20M", "--params", "1M", "--latency", "60s")
    plain, words = json.loads(cli(*command, "--json").out), cli(*command).out.splitlines()
    assert plain["limits"] == {"multiply_adds": 20e6, "parameters": 1e6, "latency": 60_000.0}  # milliseconds
    arguments = ", ".join(f"{key}={value!r}" for key, value in plain["spec"]["arguments"].items())
    assert words[:-1] == [
        f"create_model('mobilenet_v1', {arguments})",
        "",
        f"phi            {plain['phi']:.2f}",
        *(f"{axis:13}  x {factor:.3f}" for axis, factor in plain["factors"].items()),
        f"multiply-adds  {count(plain['cost']['multiply_adds'])}",
        f"parameters     {plain['cost']['parameters']:,}",
        f"memory         {decimal_size(plain['cost']['memory'])} of weights and activations, float32",
    ]
    assert words[-1].startswith("latency        ")
    model = create_model("mobilenet_v1", **plain["spec"]["arguments"])
    assert sum(parameter.numel() for parameter in model.parameters()) == plain["cost"]["parameters"]


def test_the_growth_of_each_axis_and_the_axes_arrive(cli):
    growth = ("--alpha", 1.0, "--beta", 2.0, "--gamma", 1.0, "--axes", "width")
    plain = json.loads(cli("scale", "mobilenet_v1", "--macs", "1e9", *growth, "--json").out)
    assert plain["factors"].keys() == {"width"}
    assert plain["factors"]["width"] == 2.0 ** plain["phi"]
    assert plain["input_size"] == 224
    outcome = cli("scale", "mobilenet_v1", "--macs", "1e9", "--axes", "colour")
    assert outcome.code == 2
    assert "colour" in outcome.line()


def test_recommend_tells_the_advice_and_how_to_train(cli):
    command = ("recommend", "--images", 300, "--size", 64, "--params", "1M", "--top", 2, "--different")
    plain, words = json.loads(cli(*command, "--json").out), cli(*command).out.splitlines()
    assert plain["images"] == 300
    assert plain["size"] == 64
    assert len(plain["networks"]) == 2
    told = [f"{one['when']}: {one['advice']}" for one in plain["advice"]]
    told.append("")
    for number, one in enumerate(plain["networks"], 1):
        flags = f"--model {one['name']}"
        flags += f" --weights {one['weights']}" if one["weights"] else ""
        flags += f" --size {one['input_size']}" + (f" --freeze {one['freeze']}" if one["freeze"] else "")
        told.append(f"{number}. {one['name']}   striate train FOLDER {flags}")
        told += [f"   - {reason}" for reason in one["reasons"]]
    assert words == told
