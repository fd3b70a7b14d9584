"""striate card: one card, in text, in Markdown or as JSON."""

import json
import re

import pytest

from striate.models import get_card
from striate.models.figures import measured, of_peers


def test_the_text_tells_name_figures_and_facts_line_by_line(cli):
    outcome = cli("card", "LeNet-5")
    assert (outcome.code, outcome.err) == (0, "")
    title, _, header, *lines = outcome.out.splitlines()
    assert title == f"lenet5: {get_card('lenet5').introduces}"
    assert re.split(r"\s{2,}", header.strip()) == [
        *("name", "parameters", "multiply-adds", "receptive field", "input"),
    ]
    (ours,) = [line for line in lines if line.startswith("striate ")]
    assert ours.split()[1:3] == ["lenet5", "61,706"]
    assert not any(line.startswith("|") for line in lines)
    assert outcome.out.endswith("\n")
    assert not outcome.out.endswith("\n\n")


def test_markdown_is_a_section_with_a_table_and_a_list(cli):
    outcome = cli("card", "lenet5", "--markdown")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[:5] == [
        "## lenet5",
        "",
        get_card("lenet5").introduces,
        "",
        "|  | name | parameters | multiply-adds | receptive field | input |",
    ]
    assert lines[5] == "|---|---|---:|---:|---:|---:|"
    assert lines[-1].startswith("- **aliases**: ")
    assert not outcome.out.endswith("\n\n")


def test_json_is_the_card_with_our_figures_first_and_then_all_peers(cli):
    outcome = cli("card", "vgg16", "--json")
    found = json.loads(outcome.out)
    figures = found.pop("figures")
    assert found == json.loads(json.dumps(get_card("vgg_d").to_dict()))
    assert figures[0]["source"] == "striate"
    assert [one["source"].split()[0] for one in figures[1:]] == ["torchvision", "timm", "keras"]
    for told, known in zip(figures, (measured("vgg_d"), *of_peers("vgg_d")), strict=True):
        assert told == vars(known)
    assert {one["parameters"] for one in figures} == {138_357_544}


@pytest.mark.parametrize("flags", [("--markdown", "--json"), ("--json", "--markdown")])
def test_a_card_has_one_form(flags, cli):
    outcome = cli("card", "lenet5", *flags)
    assert outcome.code == 2
    assert outcome.line() == "striate: --markdown and --json: a card is printed in one form"


def test_a_network_that_is_none_is_offered_its_neighbour(cli):
    outcome = cli("card", "lenet6")
    assert outcome.code == 2
    assert "unknown network 'lenet6'. Did you mean 'lenet" in outcome.line()
