"""striate gradients: networks and options side by side."""

import itertools
import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from striate.analysis import gradients


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


@pytest.fixture
def nets(tmp_path) -> Path:
    """Classifiers with one, two and four outputs, of colour pictures and of grey ones."""
    path = tmp_path / "nets.py"
    path.write_text(
        "from torch import nn\n"
        "def made(channels, classes):\n"
        "    pool = nn.AdaptiveAvgPool2d(1)\n"
        "    return nn.Sequential(nn.Conv2d(channels, 4, 3), pool, nn.Flatten(), nn.Linear(4, classes))\n"
        "def four(): return made(3, 4)\n"
        "def two(): return made(3, 2)\n"
        "def one(): return made(3, 1)\n"
        "def grey(): return made(1, 4)\n"
        "def any(num_classes, in_channels): return made(in_channels, num_classes)\n"
        "def any_channels(in_chans=1): return made(in_chans, 4)\n"
    )
    return path


def test_networks_that_are_given_as_they_are_see_real_images_too(cli, colours, trained, nets):
    for network in (trained, f"{nets}:four"):
        outcome = cli("gradients", network, "--data", colours, "--json")
        assert outcome.code == 0, outcome.err
        assert len(json.loads(outcome.out)["runs"][0]["layers"]) > 1


def test_a_function_that_asks_for_classes_and_channels_is_given_those_of_the_data(cli, colours, nets):
    outcome = cli("gradients", f"{nets}:any", "--data", colours, "--json")
    assert "note" not in outcome.err
    (run,) = json.loads(outcome.out)["runs"]
    assert [layer["weights"] for layer in run["layers"]] == [4 * 3 * 9, 4 * 3]
    outcome = cli("gradients", f"{nets}:any_channels", "--data", colours, "--json")
    assert json.loads(outcome.out)["runs"][0]["layers"][0]["weights"] == 4 * 3 * 9


def test_a_file_is_imported_once_and_what_it_prints_is_not_the_answer(cli, colours, tmp_path):
    (tmp_path / "loud.py").write_text(
        "from torch import nn\n"
        "print('imported')\n"
        "def build(num_classes):\n"
        "    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, num_classes))\n"
    )
    outcome = cli("gradients", f"{tmp_path / 'loud.py'}:build", "--data", colours, "--json")
    assert json.loads(outcome.out)["runs"]
    assert outcome.err.count("imported") == 1


def test_one_output_tells_two_classes(cli, calls, colours, nets, tmp_path):
    for name in ("red", "green"):
        shutil.copytree(colours / name, tmp_path / "two" / name)
    assert cli("gradients", f"{nets}:one", "--data", tmp_path / "two", "--batch-size", 12).code == 0
    _, images, labels, _ = calls[0]
    assert len(images) == 12
    assert set(labels.tolist()) == {0, 1}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("one", "3-channel images of up to 2 classes"),
        ("two", "3-channel images of up to 2 classes"),
        ("grey", "1-channel images of up to 4 classes"),
    ],
)
def test_images_that_such_a_network_is_not_for(cli, colours, nets, name, said):
    outcome = cli("gradients", f"{nets}:{name}", "--data", colours)
    assert outcome.code == 2
    assert outcome.line() == (f"striate: {nets}:{name} takes {said}; {colours} has 3-channel images of 3")


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


#: The value of an option, and what it asks for: whether each way is the first (norms kept; heads unused).
NORMS = {"keep": [True], "none": [False], "both": [True, False]}
HEADS = {"none": [True], "used": [False], "both": [True, False]}


@pytest.mark.parametrize(("norm", "heads"), itertools.product(NORMS, HEADS))
def test_norms_and_heads_are_taken_both_ways_in_order(norm, heads, cli, calls, monkeypatch):
    bare = nn.Identity()
    monkeypatch.setattr("striate.analysis.gradients.without_norms", lambda model: bare)
    assert cli("gradients", "lenet5", "--norm", norm, "--auxiliary", heads, "--batch-size", 2).code == 0
    ways = list(itertools.product(NORMS[norm], HEADS[heads]))
    assert [(call[0] is not bare, not call[3]["auxiliary"]) for call in calls] == ways
    assert [call[3]["label"] for call in calls] == [
        "lenet5" + (", no norm" if not normed else "") + (", auxiliary" if not plain else "") for normed, plain in ways
    ]


def test_networks_and_activations_are_run_in_order(cli, calls):
    words = ("gradients", "lenet5", "keras_mnist", "--activation", "tanh", "--activation", "relu", "--batch-size", 2)
    assert cli(*words).code == 0
    assert [call[3]["label"] for call in calls] == [
        *("lenet5, tanh", "lenet5, relu", "keras_mnist, tanh", "keras_mnist, relu"),
    ]


@pytest.mark.parametrize("network", ["lenet5", "keras_mnist", "resnet20_cifar", "{file}:net"])
def test_an_activation_takes_the_place_of_the_networks_own(network, cli, calls, tmp_path):
    (tmp_path / "net.py").write_text(
        "from torch import nn\ndef net():\n"
        "    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
    )
    name = network.format(file=tmp_path / "net.py")
    for function, kind in (("tanh", nn.Tanh), ("sigmoid", nn.Sigmoid)):
        assert cli("gradients", name, "--activation", function, "--size", 28, "--batch-size", 2).code == 0
        kinds = [type(part) for part in calls[-1][0].modules()]
        assert kind in kinds
        assert nn.ReLU not in kinds


@pytest.mark.parametrize("words", [(), ("--activation", "tanh")])
@pytest.mark.parametrize("size", [28, 40])
def test_a_network_is_built_for_the_classes_channels_and_size_of_the_images(words, size, cli, calls, colours):
    for network in ("lenet5", "keras_mnist"):
        outcome = cli("gradients", network, "--data", colours, "--size", size, "--batch-size", 4, *words, "--json")
        assert outcome.code == 0, outcome.err
        assert json.loads(outcome.out)["data"] == str(colours)
        model, images, *_ = calls[-1]
        assert (model.num_classes, model.in_channels, images.shape) == (3, 3, (4, 3, size, size))


def test_training_images_come_with_their_labels_each_once_and_normalised(cli, calls, colours):
    for count, seed in ((27, 0), (100, 0), (5, 1), (5, 1), (5, 2)):
        assert cli("gradients", "lenet5", "--data", colours, "--batch-size", count, "--seed", seed).code == 0
    (_, images, labels, _), (_, more, _, _), *fives = calls
    assert len(images) == len(more) == 27  # as many as there are
    assert sorted(labels.tolist()) == [0] * 9 + [1] * 9 + [2] * 9
    brightest = images.mean((2, 3)).argmax(1)
    assert brightest.tolist() == [{0: 2, 1: 1, 2: 0}[label] for label in labels.tolist()]  # blue, green, red
    assert len({image.numpy().tobytes() for image in images}) == 27
    assert images.mean((0, 2, 3)).abs().max() < 0.1
    assert (images.std((0, 2, 3)) - 1).abs().max() < 0.1
    assert fives[0][1].equal(fives[1][1])
    assert not fives[0][1].equal(fives[2][1])


def test_noise_is_standard_normal_and_labels_are_of_at_least_two_classes(cli, calls, tmp_path):
    (tmp_path / "net.py").write_text(
        "from torch import nn\ndef net():\n"
        "    return nn.Sequential(nn.Conv2d(3, 1, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
    )
    assert cli("gradients", f"{tmp_path / 'net.py'}:net", "--size", 9, "--batch-size", 64).code == 0
    _, images, labels, _ = calls[0]
    assert images.shape == (64, 3, 9, 9)
    assert abs(float(images.mean())) < 0.05
    assert abs(float(images.std()) - 1) < 0.05
    assert set(labels.tolist()) == {0, 1}


def test_without_words_it_is_eight_images_at_seed_nought_as_the_network_is(cli, calls):
    found = json.loads(cli("gradients", "lenet5", "--json").out)
    assert (found["seed"], found["batch_size"], found["data"]) == (0, 8, None)
    ((_, images, labels, options),) = calls
    assert (images.shape, labels.shape) == ((8, 1, 28, 28), (8,))
    assert options == {"auxiliary": False, "label": "lenet5", "seed": 0}
    generator = torch.Generator().manual_seed(0)
    assert images.equal(torch.randn(8, 1, 28, 28, generator=generator))


@pytest.mark.parametrize("words", [(), ("--activation", "tanh")])
def test_building_leaves_the_callers_random_numbers_alone(words, cli, monkeypatch):
    states = []

    def passed(model, *_, label, **__):
        states.append(torch.get_rng_state())
        return gradients.Gradients(label, 1.5, (gradients.LayerGradient("a", "Linear", 4, 1.0, 2.0),))

    monkeypatch.setattr(gradients, "gradient_norms", passed)
    before = torch.get_rng_state()
    assert cli("gradients", "lenet5", *words, "--seed", 3).code == 0
    assert states[0].equal(before)


NOT_LOGITS = """
from torch import nn
class Number(nn.Conv2d):
    def forward(self, x):
        return super().forward(x).mean()
def number():
    return Number(3, 4, 3)
def fails():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(5, 2))
"""


def test_what_gives_no_logits_or_does_not_run_is_told(cli, tmp_path):
    (tmp_path / "net.py").write_text(NOT_LOGITS)
    outcome = cli("gradients", f"{tmp_path / 'net.py'}:number", "--size", 8)
    assert outcome.code == 2
    assert "net.py:number is no classifier, which gives logits (N, classes); input 3x8x8 was guessed" in outcome.line()
    outcome = cli("gradients", f"{tmp_path / 'net.py'}:fails", "--size", 8)
    assert outcome.code == 1
    assert "net.py:fails cannot be run on images (3, 8, 8): " in outcome.line()


def test_pictures_and_tables_are_of_the_same_runs(cli, calls, monkeypatch):
    from striate.analysis import gradient_plot

    drawn = []
    monkeypatch.setattr(
        gradient_plot, "plot_gradients", lambda runs, path: drawn.append(([run.label for run in runs], path))
    )
    words = ("gradients", "lenet5", "keras_mnist", "--batch-size", 2)
    assert cli(*words, "--plot", "a.svg", "--out", "b.csv").out == "b.csv\n"
    assert cli(*words, "--out", "c.png").out == "c.png\n"
    assert drawn == [(["lenet5", "keras_mnist"], Path("a.svg")), (["lenet5", "keras_mnist"], Path("c.png"))]
    assert Path("b.csv").read_text() == cli(*words, "--format", "csv").out
    assert cli(*words, "--format", "csv").out.splitlines()[0].startswith("network,")
    assert cli(*words, "--format", "markdown").out.startswith("| ")
    outcome = cli("gradients", "no_such_network", "--out", "a.doc")
    assert (outcome.code, "--out a.doc: its name must end in" in outcome.line()) == (2, True)
    assert "cannot draw to 'a.doc'" in cli("gradients", "no_such_network", "--plot", "a.doc").line()


def test_a_picture_tells_the_weights_and_the_images(cli, calls, monkeypatch, colours, trained, nets):
    from striate.analysis import gradient_plot

    drawn = []
    monkeypatch.setattr(gradient_plot, "plot_gradients", lambda runs, path: drawn.extend(runs))
    assert cli("gradients", "lenet5", trained, "--batch-size", 3, "--seed", 7, "--plot", "a.svg").code == 0
    assert cli("gradients", f"{nets}:four", "--data", colours, "--batch-size", 2, "--plot", "a.svg").code == 0
    assert [run.weights for run in drawn] == [
        *("random weights, seed 7", "its trained weights", "weights as its file makes them, seed 0"),
    ]
    assert [run.images for run in drawn] == [
        *("3 images of noise, 1×28×28", "3 images of noise, 3×28×28", f"2 images of {colours}, 3×224×224"),
    ]


def test_heads_are_built_where_they_are_used(cli, calls):
    for heads in ("none", "used"):
        words = ("gradients", "googlenet", "--size", 32, "--auxiliary", heads, "--batch-size", 2)
        assert cli(*words).code == 0
    plain, whole = (sum(weight.numel() for weight in call[0].parameters()) for call in calls)
    assert whole > plain
