"""striate models: the catalogue in columns, and as JSON."""

import json

import pytest
from torch import nn

from striate.models import Card, ConvNet, Family, Paper, catalogue, get_card, list_models
from striate.models.accuracy import accuracy_of
from striate.models.figures import recorded_costs


def test_columns_are_name_figures_weights_and_what_is_new(cli):
    outcome = cli("models", "squeezenet*")
    assert (outcome.code, outcome.err) == (0, "")
    new, newer = (get_card(f"squeezenet1_{number}").introduces for number in (0, 1))
    assert outcome.out.splitlines() == [
        "network        parameters  mult-adds  input  top-1 %  year  weights   introduced",
        f"squeezenet1_0   1,248,424      819 M    224     58.1  2016  imagenet  {new}",
        f"squeezenet1_1   1,235,496      349 M    224     58.2  2016  imagenet  {newer}",
    ]


def test_networks_without_a_published_accuracy_or_weights_have_none(cli):
    lines = cli("models", "lenet5*").out.splitlines()
    new, newer = (get_card(name).introduces for name in ("lenet5", "lenet5_1998"))
    assert lines == [
        "network      parameters  mult-adds  input  top-1 %  year  weights  introduced",
        f"lenet5           61,706      417 k     28           1998           {new}",
        f"lenet5_1998      60,000      416 k     32           1998           {newer}",
    ]


def test_part_of_a_name_lists_all_that_contain_it(cli):
    def listed(*arguments):
        return [line.split()[0] for line in cli("models", *arguments).out.splitlines()[1:]]

    assert listed("mobilenet") == [name for name in list_models() if "mobilenet" in name]
    assert len(listed("mobilenet")) > 8
    assert listed("MobileNet-V2") == [name for name in list_models() if "mobilenet_v2" in name]
    assert listed("lenet5") == listed("*lenet5*") == ["lenet5", "lenet5_1998"]
    assert listed("resnet??_cifar") == [f"resnet{depth}_cifar" for depth in (20, 32, 44, 56)]
    assert listed("[vx]it_s*") == ["vit_s_16"]


def test_a_network_found_by_another_spelling_shows_it(cli):
    lines = cli("models", "vgg16").out.splitlines()[1:]
    assert [line.split("  ")[0] for line in lines] == ["vgg16_cats_dogs", "vgg_d (vgg16)", "vgg16_bn"]


def test_several_weights_are_listed_in_the_cards_order(cli):
    sources = [source.name for source in get_card("mobilenet_v2").weights]
    assert len(sources) > 1
    assert f"  {', '.join(sources)}  Inverted" in cli("models", "mobilenet_v2").out.splitlines()[1]


def test_without_a_pattern_it_is_all_of_them(cli):
    found = json.loads(cli("models", "--json").out)["models"]
    assert [record["name"] for record in found] == list_models()
    for record in found:
        card = get_card(record["name"])
        accuracy = accuracy_of(card)
        more = {name: record.pop(name) for name in ("multiply_adds", "top1", "top1_source")}
        assert record == json.loads(json.dumps(card.to_dict()))
        assert more == {
            "multiply_adds": recorded_costs()[card.name],
            "top1": accuracy and accuracy.value,
            "top1_source": accuracy and accuracy.source,
        }
    assert [line.split()[0] for line in cli("models").out.splitlines()[1:]] == list_models()


@pytest.mark.parametrize("width", [56, 64, 80, 120])
def test_on_a_terminal_names_and_costs_are_whole_and_rows_fit(width, cli, monkeypatch):
    whole = cli("models").out.splitlines()
    monkeypatch.setenv("COLUMNS", str(width))
    lines = cli("models").out.splitlines()
    assert max(map(len, lines)) <= width
    for line, full in zip(lines, whole, strict=False):
        assert line.split("  ")[0] == full.split("  ")[0]
        assert set(line.split()[:3]) <= set(full.split())
    said = " ".join(line.strip() for line in lines[len(whole) :])
    assert said.startswith("left out  ")
    assert said.endswith(f"{max(map(len, whole))} columns or a pipe show all")
    assert ("top-1 %" in lines[0], "introduced" in lines[0]) == (width > 60, width > 80)


def test_a_pattern_that_fits_nothing_offers_names_and_aliases_and_the_list(cli):
    for pattern, offered in (("vgg_61", "'vgg_16'"), ("densnet121", "'densenet121'"), ("mobilnet", "'mobilenet'")):
        outcome = cli("models", pattern)
        assert outcome.code == 2
        assert f"unknown network '{pattern}'. Did you mean" in outcome.line()
        assert offered in outcome.line()
        assert outcome.line().endswith("? `striate models` lists them all.")


def test_networks_of_others_are_measured_and_one_that_fails_is_listed_too(cli):
    def build(name, *, num_classes, in_channels, input_size=None):
        if name == "broken":
            raise ValueError("no such layer")
        stages = {"one": nn.Conv2d(4, 4, 3)}
        head = {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "classifier": nn.Linear(4, num_classes)}
        return ConvNet(nn.Conv2d(in_channels, 4, 3), stages, head, in_channels=in_channels, min_size=5)

    paper = Paper("A net", "Somebody", 2026)
    cards = tuple(Card(name, "others", paper, "Nothing.", 32, 5260, min_size=5) for name in ("oddnet", "broken"))
    catalogue.register(Family("others", build, cards))
    try:
        found = json.loads(cli("models", "broken", "--json").out)["models"]
        listed = {name: cli("models", name).out.splitlines()[1].split() for name in ("oddnet", "broken")}
    finally:
        catalogue._registered.clear()
        for cached in (catalogue.families, catalogue.cards, catalogue.aliases):
            cached.cache_clear()
    # 30x30 values of 4 maps from 27 each, 28x28 of 4 from 36, 1000 of 4
    assert 4 * 900 * 27 + 4 * 784 * 36 + 4 * 1000 == 214_096
    assert listed == {
        "oddnet": ["oddnet", "5,260", "214", "k", "32", "2026", "Nothing."],
        "broken": ["broken", "5,260", "?", "32", "2026", "Nothing."],
    }
    assert [record["multiply_adds"] for record in found] == [None]
