"""striate gradients: networks and options side by side."""

import json
from pathlib import Path

import pytest


def test_plain_against_residual(cli):
    outcome = cli("gradients", "plain20_cifar", "resnet20_cifar", "--batch-size", 2)
    assert outcome.code == 0
    header = outcome.out.splitlines()[2].split()
    assert header == ["layer", "plain20_cifar", "resnet20_cifar"]
    assert "stages.stage3.2.residual.conv2" in outcome.out


def test_activations_and_norms_side_by_side(cli):
    arguments = ["--activation", "sigmoid", "--activation", "relu", "--norm", "both", "--batch-size", 2]
    said = json.loads(cli("gradients", "resnet20_cifar", *arguments, "--json").out)
    runs = {run["network"]: run for run in said["runs"]}
    assert list(runs) == [f"resnet20_cifar, {name}{norm}" for name in ("sigmoid", "relu") for norm in ("", ", no norm")]
    first = {name: run["first_to_last"] for name, run in runs.items()}
    assert first["resnet20_cifar, sigmoid, no norm"] < 1e-3 * first["resnet20_cifar, relu"]
    again = json.loads(cli("gradients", "resnet20_cifar", *arguments, "--json").out)
    assert again == said
    other = json.loads(cli("gradients", "resnet20_cifar", *arguments, "--json", "--seed", 1).out)
    assert other["runs"] != said["runs"]


def test_auxiliary_heads_a_file_and_a_picture(cli):
    outcome = cli("gradients", "googlenet", "--size", 32, "--auxiliary", "both", "--batch-size", 2, "--plot", "g.svg",
                  "--out", "g.csv")  # fmt: skip
    assert outcome.code == 0
    assert "googlenet, auxiliary" in Path("g.svg").read_text()
    assert '"googlenet, auxiliary",auxiliary.' in Path("g.csv").read_text()


def test_real_images(cli, colours):
    said = json.loads(cli("gradients", "lenet5", "--data", colours, "--json").out)
    (run,) = said["runs"]
    assert run["layers"][-1]["weights"] == 3 * 84  # its three classes
    assert run["layers"][0]["weights"] == 6 * 3 * 25  # their three channels


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["resnet20_cifr"], "'resnet20_cifar'"),
        (["lenet5", "--activation", "rellu"], "'relu'"),
        (["lenet5", "--norm", "non"], "'none'"),
        (["lenet5", "--norm", "none"], "no normalisation"),
        (["lenet5", "--auxiliary", "used"], "no auxiliary heads"),
        (["lenet5", "--batch-size", "1"], "--batch-size is 1"),
        (["lenet5", "--plot", "g.txt"], ".svg"),
        (["lenet5", "--size", "0"], "--size is 0"),
        (["torchvision:lraspp_mobilenet_v3_large", "--size", "32"], "is no classifier"),
    ],
)
def test_mistakes_are_one_line(arguments, said, cli):
    outcome = cli("gradients", *arguments)
    assert outcome.code == 2
    assert said in outcome.line()
    assert not list(Path.cwd().iterdir())


@pytest.fixture
def calls(monkeypatch):
    """What each pass is asked for, in place of the passes."""
    from striate.analysis import gradients

    recorded = []

    def gradient_norms(model, images, labels, **options):
        recorded.append((model, images, labels, options))
        layer = gradients.LayerGradient("a", "Linear", 4, 1.0, 2.0)
        return gradients.Gradients(options["label"], 1.5, (layer,))

    monkeypatch.setattr(gradients, "gradient_norms", gradient_norms)
    return recorded


@pytest.mark.parametrize("options", [[], ["--activation", "tanh"]])
def test_size_batch_and_seed_arrive(cli, calls, options):
    for seed in (3, 3, 4):
        assert cli("gradients", "lenet5", "--size", 40, "--batch-size", 5, "--seed", seed, *options).code == 0
    (first, again, other) = calls
    assert first[1].shape == (5, 1, 40, 40)
    assert set(first[2].tolist()) <= set(range(10))
    assert max(label for call in calls for label in call[2].tolist()) > 1  # of all ten classes
    assert [call[3]["seed"] for call in calls] == [3, 3, 4]
    for index in (1, 2):
        assert first[index].equal(again[index])
        assert not first[index].equal(other[index])
    weights = [next(call[0].parameters()) for call in calls]
    assert weights[0].equal(weights[1])
    assert not weights[0].equal(weights[2])


def test_ways_are_run_in_order(cli, calls):
    arguments = ("gradients", "resnet20_cifar", "--norm", "both", "--batch-size", 2)
    table = json.loads(cli(*arguments, "--json").out)
    assert [run["network"] for run in table["runs"]] == ["resnet20_cifar", "resnet20_cifar, no norm"]
    assert (table["seed"], table["batch_size"], table["data"]) == (0, 2, None)
    assert [any("BatchNorm" in type(part).__name__ for part in call[0].modules()) for call in calls] == [True, False]
    assert [call[3]["auxiliary"] for call in calls] == [False, False]


def test_as_many_training_images_as_asked_for(cli, calls, colours):
    assert cli("gradients", "lenet5", "--data", colours, "--batch-size", 3).code == 0
    assert len(calls[0][1]) == len(calls[0][2]) == 3
