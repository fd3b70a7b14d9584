"""Cards as people read them: the paper's figures beside measured ones, and the peers' as recorded."""

import json

import pytest
import timm
import torch
import torchvision

from striate.analysis import summary
from striate.models import create_model, get_card, list_models
from striate.models.card_text import as_markdown, as_text, facts, figure_rows, printed_rows
from striate.models.figures import measured, of_peers


def test_our_figures_are_measured_on_the_network_as_built():
    figures = measured("resnet18")
    real = summary(create_model("resnet18"), (3, 224, 224))
    assert (figures.parameters, figures.multiply_adds) == (real.parameters, real.multiply_adds)
    assert figures.receptive_field == 435


def _shared() -> list:
    """Every network that a peer has; quick the first of each family with these peers."""
    seen, rows = set(), []
    for name in list_models():
        card = get_card(name)
        if card.peers:
            marks = [pytest.mark.slow] if (card.family, *card.peers) in seen else []
            seen.add((card.family, *card.peers))
            rows.append(pytest.param(name, marks=marks))
    return rows


@pytest.mark.parametrize("name", _shared())
def test_recorded_figures_of_peers_are_the_peers(name):
    """Parameters counted on the peers' own networks; the same network has as many as ours with the peer's options."""
    records = {figures.source.split()[0]: figures for figures in of_peers(name)}
    assert set(records) == set(get_card(name).peers)
    for library, figures in records.items():
        assert figures.name == get_card(name).peers[library]
        if library == "keras":
            continue
        with torch.device("meta"):
            build = timm.create_model if library == "timm" else torchvision.models.get_model
            options = {"init_weights": False, "aux_logits": False} if "ception" in name or "googlenet" in name else {}
            peer = build(figures.name, **(options if library == "torchvision" else {}))
        assert figures.parameters == sum(p.numel() for p in peer.parameters())


def test_a_card_says_what_it_should():
    text = as_text(get_card("resnet50"))
    for part in (
        "25,557,032",
        "3.8 G",
        "3.86 G",
        "483 px",
        "He, Zhang, Ren and Sun",
        "top-5 error, %: 7.13",
        "23 M",
        "stride_in",
    ):
        assert part in text
    assert max(len(row) for row in figure_rows(get_card("resnet50"))) == 6


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("vgg_e", [("paper", "144 M", "-"), ("He et al. (2015)", "-", "19.6 G")]),
        ("bn_inception", [("Szegedy et al. (2015)", "-", "2.0 G")]),
        ("mobilenet_v2_0.5", [("authors' model zoo", "-", "97 M")]),
        ("efficientnet_b0", [("paper", "5.3 M", "0.39 G")]),
        ("googlenet_d2l", [("paper", "-", "-")]),
    ],
)
def test_a_count_stands_beside_who_prints_it(name, rows):
    assert [(row[0], *row[2:4]) for row in printed_rows(get_card(name))] == rows


def test_markdown_has_a_table_and_every_fact():
    card = get_card("mobilenet_v2")
    page = as_markdown(card)
    assert page.startswith("## mobilenet_v2\n")
    for heading, sentence in facts(card):
        assert f"- **{heading}**: {sentence}" in page
    table = [line for line in page.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1


def test_the_command_prints_text_markdown_and_json(tmp_path, capsys, monkeypatch):
    from striate.cli import main

    def run(*words):
        monkeypatch.setattr("sys.argv", ["striate", "card", *words])
        with pytest.raises(SystemExit) as leaving:
            main()
        return leaving.value.code, *capsys.readouterr()

    code, out, _ = run("ResNet-18")
    assert code == 0
    assert out.startswith("resnet18: ")
    assert run("resnet18", "--markdown")[1].startswith("## resnet18")
    record = json.loads(run("resnet18", "--json")[1])
    assert record["figures"][0]["parameters"] == record["parameters"] == 11_689_512
    code, out, err = run("resnet18", "--markdown", "--json")
    assert (code, out) == (2, "")
    assert "one form" in err
    code, out, err = run("resnet19")
    assert (code, out) == (2, "")
    assert "resnet18" in err
