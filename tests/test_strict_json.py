import json
import math
import os

import numpy as np
import pytest
import torch

from striate.strict_json import to_json


def strict(text: str):
    """Parse JSON as RFC 8259 has it: Python's own reader takes NaN and Infinity too."""

    def refuse(word: str):
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize(
    "wrong", [math.nan, math.inf, -math.inf, np.float64("nan"), np.float32("inf"), np.array(np.nan)], ids=repr
)
def test_a_number_that_is_none_becomes_null_wherever_it_stands(wrong):
    values = {"a": wrong, "b": [1.5, wrong, {"c": (wrong, "NaN")}]}
    assert strict(to_json(values)) == {"a": None, "b": [1.5, None, {"c": [None, "NaN"]}]}


def test_numbers_of_numpy_are_numbers():
    values = {"int": np.int64(3), "float": np.float32(0.5), "bool": np.bool_(True), "list": [np.uint8(255)]}
    assert strict(to_json(values)) == {"int": 3, "float": 0.5, "bool": True, "list": [255]}


def test_every_float_comes_back_exactly():
    values = [0.1 + 0.2, 1e-300, 2**53 + 1, True, None, "é日"]
    assert strict(to_json(values)) == values
    assert strict(to_json(values, ascii_only=True)) == values
    assert to_json(values, ascii_only=True).isascii()
    assert "é日" in to_json(values)


def test_bytes_that_are_no_text_are_escaped_and_come_back():
    name = os.fsdecode(b"caf\xe9.png")
    text = to_json({"name": name})
    assert text.encode() == b'{"name": "caf\\udce9.png"}'
    assert strict(text) == {"name": name}


def test_indented_as_people_read_it():
    assert to_json({"a": [1]}, indent=2) == '{\n  "a": [\n    1\n  ]\n}'


def test_numbers_of_pytorch_are_numbers_and_arrays_are_none():
    assert to_json([torch.tensor(0.5), torch.tensor(3), torch.tensor(math.nan)]) == "[0.5, 3, null]"
    with pytest.raises(TypeError):
        to_json(np.zeros(2))


def test_lists_and_tuples_stay_in_their_places():
    assert to_json({"b": (1, [2, (3,)]), "a": {}}) == '{"b": [1, [2, [3]]], "a": {}}'
    assert to_json("x\n") == '"x\\n"'
