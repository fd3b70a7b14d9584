"""Renaming keys by ordered expressions, and telling whose names a file has."""

import re

import pytest

from striate.errors import StriateError
from striate.weights.images import IMAGENET_STATISTICS
from striate.weights.keys import LEAF, KeyTable, key_tables, recognise, rename


def test_the_first_expression_that_matches_a_whole_key_renames_it():
    table = KeyTable(((r"a(\d)" + LEAF, r"first\1.\2"), (r"a.\.weight", "second"), (r"b", "c"), (r"(x)?y", r"[\1]")))
    state = {"a1.weight": 1, "ab.weight": 2, "xa1.weight": 3, "a1.weight.more": 4, "b": 5, "bb": 6, "y": 7}
    assert rename(state, table) == {
        "first1.weight": 1,
        "second": 2,
        "xa1.weight": 3,  # matched in part only
        "a1.weight.more": 4,
        "c": 5,
        "bb": 6,
        "[]": 7,
    }
    assert list(rename(state, table).values()) == [1, 2, 3, 4, 5, 6, 7]


def test_without_a_table_names_stay_and_the_state_is_a_new_one():
    state = {"a": 1}
    renamed = rename(state, None)
    assert renamed == state
    assert renamed is not state


def test_a_table_of_counted_layers_sees_all_keys():
    table = KeyTable(lambda keys: ((r"(\d)", rf"\1 of {len(keys)}"),))
    assert rename({"1": "a", "2": "b", "x": "c"}, table) == {"1 of 3": "a", "2 of 3": "b", "x": "c"}


def test_a_table_says_nothing_of_options_and_images_unless_told():
    table = KeyTable(())
    assert (table.options, table.neutral, table.brings, table.images) == ({}, {}, {}, IMAGENET_STATISTICS)
    told = KeyTable((), {"stem": "paper"}, {"pool": 7})
    assert told.brings == {"stem": "paper", "pool": 7}


OURS = ["stem.conv.weight", "stem.norm.weight", "stem.norm.num_batches_tracked", "head.classifier.weight"]
TORCHVISION = ["conv1.weight", "bn1.weight", "bn1.num_batches_tracked", "fc.weight"]


def test_a_style_is_told_by_its_names():
    assert recognise(OURS, OURS, "resnet", "file") == "striate"
    assert recognise(TORCHVISION, OURS, "resnet", "file") == "torchvision"
    assert recognise(["conv1_conv.weight", "conv1_bn.weight", "predictions.weight"], OURS, "resnet", "file") == "keras"
    assert recognise(OURS, OURS, "lenet", "file") == "striate"  # a family without tables
    assert recognise(iter(TORCHVISION), OURS, "resnet", "file") == "torchvision"
    assert recognise([*TORCHVISION, *OURS[:1]], OURS, "resnet", "file") == "torchvision"  # most of the names


def test_half_of_the_names_is_enough_and_counts_of_batches_are_none():
    wanted = ["a", "b", "c", "d", "e.num_batches_tracked"]
    assert recognise(["a", "b"], wanted, "resnet", "file") == "striate"
    with pytest.raises(StriateError):
        recognise(["a"], wanted, "resnet", "file")
    assert recognise(["a"], ["a", "b", "x.num_batches_tracked"], "resnet", "file") == "striate"


def test_what_is_not_recognised_is_shown_by_its_first_keys_and_the_known_styles():
    said = (
        "here/x.pth: these are not weights of a network of the family 'resnet'; its keys begin a, b, c "
        "(known styles: striate, torchvision, timm, keras)"
    )
    with pytest.raises(StriateError, match=f"^{re.escape(said)}$"):
        recognise(["d", "c", "a", "b"], OURS, "resnet", "here/x.pth")


def test_a_family_without_a_file_of_tables_has_none():
    assert key_tables("lenet") == {}
    assert list(key_tables("squeezenet")) == ["torchvision"]
