"""The option --input: what is read from it, and what is refused."""

import pytest
import torch

from striate.analysis.inputs import Shape
from striate.cli.inputs import TYPES, parsed, parsed_shape
from striate.errors import UsageError


@pytest.mark.parametrize(
    ("text", "sizes"),
    [("3x224x200", (3, 224, 200)), ("3×8×9", (3, 8, 9)), ("3,8,9", (3, 8, 9)), ("3x8,9", (3, 8, 9)), ("7", (7,)),
     ("1", (1,)), (" 3 x 4 ", (3, 4))],
)  # fmt: skip
def test_a_shape_is_whole_numbers_with_a_mark_between(text, sizes):
    assert parsed_shape(text) == sizes


@pytest.mark.parametrize("text", ["", "x", "3x", "3xx4", "0", "3x0", "3x-1", "3.5x2", "3*4", "a", "3x4x"])
def test_what_is_no_shape_is_told_how_to_write_one(text):
    with pytest.raises(UsageError) as error:
        parsed_shape(text)
    assert str(error.value) == f"--input {text}: a shape is written such as 3x224x224"


@pytest.mark.parametrize(
    ("texts", "shapes"),
    [
        (None, []),
        ([], []),
        (["3x4"], [Shape((3, 4))]),
        (["3x4", "7:int64"], [Shape((3, 4)), Shape((7,), torch.int64)]),
        (["a=3x4", "b=7:bool"], {"a": Shape((3, 4)), "b": Shape((7,), torch.bool)}),
        (["a=b=3"], {"a=b": Shape((3,))}),
    ],
)
def test_inputs_stand_by_place_or_by_name(texts, shapes):
    assert parsed(texts) == shapes


def test_every_type_is_pytorchs_of_that_name():
    assert len(TYPES) == len(set(TYPES)) == 8
    for name in TYPES:
        assert parsed([f"2:{name}"]) == [Shape((2,), getattr(torch, name))]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["=3"], "--input =3: an argument's name stands before the =, such as mask=1x128"),
        (["a=3", "4"], "--input: give names to all inputs or to none"),
        (["4", "a=3"], "--input: give names to all inputs or to none"),
        (["a=3", "b=3", "a=4"], "--input a=4: there are two inputs named a"),
        (["a=x"], "--input x: a shape is written such as 3x224x224"),
        (["3:"], f"unknown type of an input ''. Known: {', '.join(sorted(TYPES))}."),
        (["3:int8"], "unknown type of an input 'int8'. Did you mean 'uint8' or 'int64' or 'int32'?"),
    ],
)
def test_what_cannot_be_is_told(texts, said):
    with pytest.raises(UsageError) as error:
        parsed(texts)
    assert str(error.value) == said
