"""Cards, papers and specs: what they say, what they are where nothing is said, and how they go into JSON."""

import dataclasses
import json

import pytest

from striate.models import ModelSpec
from striate.models.card import Card, Paper
from striate.models.erratum import Erratum, Measured, macs, params
from striate.weights import Figure, WeightSource

PAPER = Paper("On maps", "Somebody", 2001)


def test_a_paper_is_cited_with_its_number_where_it_has_one():
    assert str(PAPER) == "Somebody (2001): On maps"
    assert str(Paper("On maps", "Somebody", 2001, "0101.00001")) == "Somebody (2001): On maps, arXiv:0101.00001"


def test_a_card_in_one_line():
    card = Card("net", "family", PAPER, "Maps of maps.", 32, 1_234_567)
    assert str(card) == "net: Maps of maps. Somebody (2001): On maps. 1,234,567 parameters."


def test_a_card_that_says_little_is_of_colour_images_and_imagenets_classes():
    card = Card("net", "family", PAPER, "Maps.", 32, 7)
    assert card.to_dict() == {
        "name": "net",
        "family": "family",
        "paper": {"title": "On maps", "authors": "Somebody", "year": 2001, "arxiv": None},
        "introduces": "Maps.",
        "input_size": 32,
        "parameters": 7,
        "min_size": 1,
        "small_min_size": None,
        "num_classes": 1000,
        "in_channels": 3,
        "fixed_size": False,
        "published": (),
        "peers": {},
        "weights": (),
        "deviations": (),
        "errata": (),
        "aliases": (),
        "options": {},
        "auxiliary_weight": 0.0,
        "base": None,
    }
    for record in (card, PAPER, ModelSpec("a"), Measured(1, "side", "a"), Erratum("a", "b")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            record.name = "other"


def test_a_full_card_goes_into_json():
    card = Card(
        "net",
        "family",
        PAPER,
        "Maps.",
        32,
        7,
        published=(Figure("top1", 0.5),),
        weights=(WeightSource("a", "b"),),
        errata=(Erratum("a", "b", (macs(3, "net"),)),),
    )
    record = json.loads(json.dumps(card.to_dict()))
    assert record["published"][0]["value"] == 0.5
    assert record["weights"][0]["file"] == "b"
    assert record["errata"][0]["figures"][0]["metric"] == "multiply_adds"


def test_the_smallest_image_goes_by_the_stem():
    both = Card("net", "family", PAPER, "Maps.", 224, 7, min_size=40, small_min_size=8)
    assert [both.smallest(stem) for stem in (None, "paper", "small")] == [40, 40, 8]
    one = Card("net", "family", PAPER, "Maps.", 224, 7, min_size=40)
    assert [one.smallest(stem) for stem in (None, "paper", "small")] == [40, 40, 40]


def test_a_spec_goes_into_json_and_comes_back():
    spec = ModelSpec("net", {"num_classes": 3, "input_size": [32, 40]})
    record = json.loads(json.dumps(spec.to_dict()))
    assert record == {"name": "net", "arguments": {"num_classes": 3, "input_size": [32, 40]}}
    assert ModelSpec.from_dict(record) == spec
    assert ModelSpec("net").to_dict() == {"name": "net", "arguments": {}}
    arguments = {"a": 1}
    kept = ModelSpec.from_dict({"name": "net", "arguments": arguments})
    arguments["a"] = 2
    assert kept.arguments == {"a": 1}


def test_an_erratum_says_both():
    assert str(Erratum("2 maps", "3 maps")) == "printed: 2 maps; right: 3 maps"


def test_counts_of_errata():
    assert macs(3e8, "net") == Measured(3e8, "multiply_adds", "net", within=0.01)
    assert macs(3e8, "net", within=0.05, input_size=32) == Measured(
        3e8, "multiply_adds", "net", within=0.05, input_size=32
    )
    assert params(7, "net") == Measured(7, "parameters", "net", within=0.0)
    assert params(7, "net", within=0.1, layers=("a.*",)) == Measured(7, "parameters", "net", ("a.*",), within=0.1)
    one = Measured(1, "side", "net")
    assert (one.layers, one.types, one.options, one.input_size, one.per) == ((), (), {}, None, None)
