"""striate compare: every word arrives, a network has its title and its accuracy, and progress is for terminals."""

import json
from pathlib import Path

import pytest

from striate import analysis
from striate.cli import compare


@pytest.fixture
def looked(monkeypatch) -> list[tuple]:
    """How each network is looked for and measured."""
    calls = []
    locate, measure = compare.locate, analysis.summary

    def located(network, **options):
        calls.append(("locate", network, options))
        return locate(network, **options)

    def measured(model, shape, **options):
        calls.append(("summary", shape, options))
        return measure(model, shape, **options)

    monkeypatch.setattr(compare, "locate", located)
    monkeypatch.setattr(analysis, "summary", measured)
    return calls


@pytest.mark.parametrize(
    ("words", "size", "device", "side"),
    [((), None, "meta", 28), (("--size", 40), 40, "meta", 40), (("--device", "cpu"), None, "cpu", 28)],
)
def test_size_and_device_arrive_where_networks_are_found_and_where_they_run(words, size, device, side, cli, looked):
    outcome = cli("compare", "lenet5", *words, "--json")
    assert outcome.code == 0
    assert looked == [
        ("locate", "lenet5", {"size": size, "device": device, "trust": None, "options": {}}),
        ("summary", (1, side, side), {"device": device}),
    ]
    assert json.loads(outcome.out)["networks"][0]["input_shape"] == [1, 1, side, side]


def test_a_network_is_called_as_it_was_asked_for_and_has_its_published_accuracy(cli):
    names = ("squeezenet", "SqueezeNet1-1", "torchvision:squeezenet1_1")
    found = json.loads(cli("compare", *names, "--json").out)["networks"]
    assert [one["network"] for one in found] == ["squeezenet", "squeezenet1_1", "torchvision:squeezenet1_1"]
    assert [one["parameters"] for one in found] == [1_248_424, 1_235_496, 1_235_496]
    assert [one["top1"] is None for one in found] == [False, False, True]


@pytest.mark.parametrize("words", [(), ("--all",), ("lenet5", "--all"), ("All-CNN-C", "keras_mnist", "--all")])
def test_all_stands_behind_what_is_named_and_something_must_be(words, cli, monkeypatch):
    monkeypatch.setattr("striate.models.comparison.published", lambda: ["all_cnn_c", "resnet20_cifar"])
    outcome = cli("compare", *words, "--json")
    if not words:
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.line().endswith("striate compare alexnet vgg16 (or --all)")
        return
    named = {"lenet5": ["lenet5"], "All-CNN-C": ["all_cnn_c", "keras_mnist"]}.get(words[0], [])
    expected = list(dict.fromkeys([*named, "all_cnn_c", "resnet20_cifar"]))
    assert [one["network"] for one in json.loads(outcome.out)["networks"]] == expected


def test_progress_is_shown_on_a_terminal_and_wiped_away(cli, on_terminal):
    words = ("compare", "lenet5", "keras_mnist", "--format", "csv")
    assert cli(*words).err == ""
    shown = on_terminal(*words)
    assert shown.err == "\r\x1b[Klenet5\r\x1b[Kkeras_mnist\r\x1b[K"
    assert shown.out == cli(*words).out
    assert on_terminal(*words, "--quiet").err == ""


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("--plot", "a.doc"), "cannot draw to 'a.doc': its name must end in .svg, .png, .pdf", 2),
        (("--bubbles", "a.doc"), "cannot draw to 'a.doc': its name must end in .svg, .png, .pdf", 2),
        (("--plot", "a.svg", "--bubbles", "no/b.svg"), "no/b.svg: there is no folder no", 1),
        (("--out", "a.doc"), "--out a.doc: its name must end in .txt, .md", 2),
        (("--format", "csv", "--json"), "csv and json at once", 2),
        (("--format", "json", "--out", "a.md"), "json and markdown at once", 2),
    ],
)
def test_where_nothing_can_be_written_nothing_is_measured(words, said, code, cli, looked):
    outcome = cli("compare", "no_such_network", *words)
    assert outcome.code == code
    assert said in outcome.line()
    assert not looked
    assert not list(Path.cwd().iterdir())


def test_pictures_are_drawn_beside_the_table_each_to_its_own_path(cli, monkeypatch):
    drawn = []
    monkeypatch.setattr(analysis.Comparison, "plot", lambda one, *said: drawn.append(("bars", len(one.entries), *said)))
    monkeypatch.setattr(
        analysis.Comparison, "plot_accuracy", lambda one, *said: drawn.append(("bubbles", len(one.entries), *said))
    )
    words = ("compare", "lenet5", "keras_mnist", "--format", "csv")
    table = cli(*words).out
    assert drawn == []
    assert cli(*words, "--plot", "a.svg").out == table
    assert cli(*words, "--bubbles", "b.png").out == table
    assert cli(*words, "--plot", "a.svg", "--bubbles", "b.png", "--depth", 3).out == table
    assert cli("compare", "lenet5", "keras_mnist", "--out", "c.pdf", "--depth", 1).out == "c.pdf\n"
    assert drawn == [
        ("bars", 2, Path("a.svg"), None),
        ("bubbles", 2, Path("b.png")),
        ("bars", 2, Path("a.svg"), 3),
        ("bubbles", 2, Path("b.png")),
        ("bars", 2, Path("c.pdf"), 1),
    ]
