"""A card as text and as Markdown, word by word, on cards made up for the purpose and on real ones."""

import pytest

from striate.models import card_text, get_card
from striate.models.card import Card, Paper
from striate.models.card_text import COLUMNS, as_markdown, as_text, facts, figure_rows, printed_rows
from striate.models.erratum import Erratum
from striate.models.figures import Figures
from striate.weights import Figure, WeightSource, count, errors

PAPER = Paper("On maps", "Somebody", 2001, "0101.00001")


def card(**fields):
    """A card that borrows the options of a small family."""
    return Card(**{"name": "net", "family": "small", "paper": PAPER, "introduces": "Maps.", "input_size": 32,
                   "parameters": 7, **fields})  # fmt: skip


def test_a_row_for_each_who_prints_counts():
    printed = (
        count("parameters", "5.3 M"),
        count("multiply_adds", "0.39 G", input_size=224),
        count("parameters", "5.4 M"),  # said again: the first stands
        count("bytes", "29 M", source="authors' file"),
        count("multiply_adds", "0.40 G", source="others"),
        *errors(20.0),
    )
    assert printed_rows(card(published=printed)) == [
        ("paper", "net", "5.3 M", "0.39 G", "-", "-"),
        ("others", "net", "-", "0.40 G", "-", "-"),
    ]
    assert printed_rows(card()) == [("paper", "net", "-", "-", "-", "-")]
    assert tuple(column.header for column in COLUMNS) == (
        "",
        "name",
        "parameters",
        "multiply-adds",
        "receptive field",
        "input",
    )


@pytest.fixture
def measured(monkeypatch):
    """Figures of our network and of a peer that was never measured."""
    monkeypatch.setattr(card_text, "measured", lambda name: Figures("striate", name, 32, 1_234_567, 39_000, 4, 1_011))
    monkeypatch.setattr(card_text, "of_peers", lambda name: (Figures("timm 1.0", "net_a", 64, 7),))


@pytest.mark.usefixtures("measured")
def test_rows_of_what_is_printed_measured_and_elsewhere():
    assert figure_rows(card()) == [
        ("paper", "net", "-", "-", "-", "-"),
        ("striate", "net", "1,234,567", "39.0 k", "1,011 px", "32 px"),
        ("timm 1.0", "net_a", "7", "-", "-", "64 px"),
    ]


FULL = {
    "published": (count("parameters", "7"), *errors(25.0, input_size=32), count("bytes", "29 M", source="a file")),
    "min_size": 40,
    "small_min_size": 8,
    "fixed_size": True,
    "deviations": ("Other weights.", "Other sizes."),
    "errata": (Erratum("8", "7"),),
    "aliases": ("nett", "netz"),
    "auxiliary_weight": 0.3,
}


def test_the_facts_of_a_full_card_in_the_order_of_reading():
    assert facts(card(**FULL)) == [
        ("paper", "Somebody (2001): On maps, arXiv:0101.00001"),
        ("published", "top-1 error, %: 25 (ImageNet, one crop, 32 px, paper)"),
        ("published", "bytes of the file: 29 M (a file)"),
        (
            "smallest image",
            "40x40 pixels; 8x8 with the small stem; built for one size, `input_size` asks for another",
        ),
        ("deviation", "Other weights."),
        ("deviation", "Other sizes."),
        ("erratum", "printed: 8; right: 7"),
        ("options", "activation='relu'"),
        ("auxiliary heads", "0.3 times the loss of each is added; `auxiliary=True` builds them"),
        ("aliases", "nett, netz"),
    ]


def test_a_card_that_says_little_has_few_facts():
    assert facts(card(family="mcdnn", options={"activation": "tanh"})) == [
        ("paper", str(PAPER)),
        ("smallest image", "1x1 pixels"),
        ("options", "activation='tanh'"),
    ]
    for smallest, small, said in ((8, 8, "8x8 pixels"), (8, None, "8x8 pixels"), (8, 9, "8x8 pixels")):
        assert ("smallest image", said) in facts(card(min_size=smallest, small_min_size=small))


def test_weights_are_said_with_their_figures_and_the_options_they_need():
    source = WeightSource(
        "imagenet",
        "file",
        origin="somebody",
        licence="MIT",
        interpolation="bicubic",
        accuracy=(
            Figure("top1", 0.75, "somebody", "ImageNet", 32, "one crop"),
            Figure("top5", 0.9, "somebody", "ImageNet"),
        ),
        options={"activation": "elu", "stem": "paper", "unknown": 1},
    )
    said = dict(facts(card(weights=(source,))))
    figures = "top-1 error, %: 25 (ImageNet, one crop, 32 px, somebody); top-5 error, %: 10 (ImageNet, somebody)"
    assert said["weights"] == f"imagenet (somebody, MIT) {figures}; needs activation='elu'; bicubic resizing"
    same = WeightSource("imagenet", "file", origin="somebody", licence="MIT", options={"activation": "relu"})
    assert dict(facts(card(weights=(same,))))["weights"] == "imagenet (somebody, MIT) bilinear resizing"
    based = dict(facts(card(weights=(same,), base="vgg_d")))
    assert based["weights"] == "imagenet (somebody, MIT) of vgg_d: its convolutions alone; bilinear resizing"


def test_options_that_weights_need_come_from_their_table_too():
    """torchvision's ResNet-50 has its stride in the 3x3, and the paper's network of the same name has not."""
    said = [sentence for heading, sentence in facts(get_card("resnet50")) if heading == "weights"]
    torchvisions = [sentence for sentence in said if "torchvision" in sentence]
    assert len(torchvisions) == 2
    assert all("needs stride_in='3x3'; " in sentence and "stem" not in sentence for sentence in torchvisions)
    form = [sentence for _, sentence in facts(get_card("resnet50_v1_5")) if "torchvision" in sentence]
    assert not any("needs" in sentence for sentence in form)


@pytest.mark.usefixtures("measured")
def test_the_whole_text():
    assert as_text(card(aliases=("nett",))) == (
        "net: Maps.\n"
        "\n"
        "          name   parameters  multiply-adds  receptive field  input\n"
        "paper     net             -              -                -      -\n"
        "striate   net     1,234,567         39.0 k         1,011 px  32 px\n"
        "timm 1.0  net_a           7              -                -  64 px\n"
        "\n"
        "paper           Somebody (2001): On maps, arXiv:0101.00001\n"
        "smallest image  1x1 pixels\n"
        "options         activation='relu'\n"
        "aliases         nett"
    )


@pytest.mark.usefixtures("measured")
def test_on_a_narrow_terminal_sentences_wrap_and_the_table_loses_columns():
    lines = as_text(card(aliases=("nett",)), 60).splitlines()
    assert lines[2:8] == [
        "          name   parameters  multiply-adds  input",
        "paper     net             -              -      -",
        "striate   net     1,234,567         39.0 k  32 px",
        "timm 1.0  net_a           7              -  64 px",
        "",
        "left out        receptive field; 66 columns or a pipe show",
    ]
    assert lines[8:11] == [
        "                all",
        "paper           Somebody (2001): On maps, arXiv:0101.00001",
        "smallest image  1x1 pixels",
    ]


@pytest.mark.usefixtures("measured")
def test_the_whole_markdown():
    assert as_markdown(card(aliases=("nett",))) == (
        "## net\n"
        "\n"
        "Maps.\n"
        "\n"
        "|  | name | parameters | multiply-adds | receptive field | input |\n"
        "|---|---|---:|---:|---:|---:|\n"
        "| paper | net | - | - | - | - |\n"
        "| striate | net | 1,234,567 | 39.0 k | 1,011 px | 32 px |\n"
        "| timm 1.0 | net_a | 7 | - | - | 64 px |\n"
        "\n"
        "- **paper**: Somebody (2001): On maps, arXiv:0101.00001\n"
        "- **smallest image**: 1x1 pixels\n"
        "- **options**: activation='relu'\n"
        "- **aliases**: nett\n"
    )
