"""A user's file: what in it is taken for a network, what is offered, and which line is blamed."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from torch import nn

from striate.errors import StriateError, UsageError
from striate.models.user_file import module_in

NET = """
import functools
import os.path
from dataclasses import dataclass
from torch import nn
from torch.nn import Linear

@dataclass
class Settings:
    width: int = 3

def build_net():
    return nn.Linear(Settings().width, 2)

class BuildClass(nn.Linear):
    def __init__(self):
        super().__init__(4, 2)

def _build_hidden():
    return nn.Linear(9, 9)

build_partial = functools.partial(nn.Linear, 5, 2)
build_ready = nn.Linear(6, 2)
build_number = 3
build_name = "net"

def inner(x):
    raise ValueError(x)

def fails_within():
    inner("first line\\nsecond line")

def fails_elsewhere():
    os.path.join(None)

def fails_without_words():
    raise KeyError

def fails_by_itself():
    raise ValueError("  padded  ")

def fails_to_parse():
    raise SyntaxError("odd")

def leaves_nothing():
    pass
"""


@pytest.fixture
def file(tmp_path, monkeypatch) -> Iterator[Path]:
    """The file, in a folder that is forgotten afterwards."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    known = set(sys.modules)
    path = tmp_path / "net.py"
    path.write_text(NET)
    yield path
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def line_of(text: str) -> int:
    return NET[: NET.index(text)].count("\n") + 1


def call(make):
    return make()


@pytest.mark.parametrize(
    ("name", "inputs"), [("build_net", 3), ("BuildClass", 4), ("_build_hidden", 9), ("build_partial", 5)]
)
def test_whatever_makes_a_module_is_called_by_the_one_who_builds(name, inputs, file):
    made = []

    def build(make):
        made.append(make)
        return make()

    assert module_in(f"{file}:{name}", build).in_features == inputs
    assert len(made) == 1


def test_a_module_is_taken_as_it_is_and_not_called(file):
    assert isinstance(module_in(f"{file}:build_ready", pytest.fail), nn.Linear)


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("build_number", UsageError, "{file}:build_number is of type int; it must be a function that returns a module"),
        ("build_name", UsageError, "{file}:build_name is of type str; it must be a function that returns a module"),
        ("leaves_nothing", StriateError,
         "{file}:leaves_nothing returns a value of type NoneType; it must return a torch.nn.Module"),
        ("fails_within", StriateError,
         f"{{file}}:{line_of('raise ValueError(x)')}: fails_within() fails (ValueError: first line)"),
        ("fails_elsewhere", StriateError,
         f"{{file}}:{line_of('os.path.join(None)')}: fails_elsewhere() fails (TypeError: expected str"),
        ("fails_without_words", StriateError,
         f"{{file}}:{line_of('raise KeyError')}: fails_without_words() fails (KeyError)"),
        ("fails_to_parse", StriateError,
         f"{{file}}:{line_of('raise SyntaxError')}: fails_to_parse() fails (SyntaxError: odd)"),
        ("fails_by_itself", StriateError,
         f"{{file}}:{line_of('raise ValueError(' + chr(34))}: fails_by_itself() fails (ValueError: padded)"),
    ],
)  # fmt: skip
def test_what_makes_no_module_is_told_with_its_line(name, kind, said, file):
    with pytest.raises(StriateError) as error:
        module_in(f"{file}:{name}", call)
    assert type(error.value) is kind
    assert str(error.value).startswith(said.format(file=file))


def test_an_error_on_the_way_in_is_told_without_a_line(file):
    def build(make):
        raise RuntimeError("no device")

    with pytest.raises(StriateError) as error:
        module_in(f"{file}:build_net", build)
    assert str(error.value) == f"{file}: build_net() fails (RuntimeError: no device)"


def test_of_a_name_that_is_none_the_files_own_public_callables_are_offered(file):
    with pytest.raises(UsageError) as error:
        module_in(f"{file}:qqqqqqqq", call)
    own = ["BuildClass", "Settings", "build_net", *(name for name in ("fails_by_itself", "fails_elsewhere")),
           "fails_to_parse", "fails_within", "fails_without_words", "inner", "leaves_nothing"]  # fmt: skip
    assert str(error.value) == f"unknown function in {file} 'qqqqqqqq'. Known: {', '.join(own)}."
    with pytest.raises(UsageError, match="Did you mean 'build_net'"):
        module_in(f"{file}:biuld_net", call)


@pytest.mark.parametrize(
    ("reference", "such"),
    [
        ("net.py", "net.py:build"),
        ("net.py:", "net.py:build"),
        (":build", ""),
        ("a:b/net.py", "a:b/net.py:build"),
        ("c:net.py", "c:net.py:build"),
        ("net.py:a/b", "net.py:a/b:build"),
    ],
)
def test_a_reference_without_a_function_is_told_how_to_name_it(reference, such):
    with pytest.raises(UsageError) as error:
        module_in(reference, call)
    assert str(error.value).startswith(f"{reference}: name the function that makes the network, such as {such}")


def test_a_path_may_hold_colons(file):
    place = file.parent / "a:b"
    place.mkdir()
    (place / "net.py").write_text(NET)
    assert module_in(f"{place / 'net.py'}:build_net", call).in_features == 3


@pytest.mark.parametrize("place", ["nowhere.py", "."])
def test_what_is_no_file_is_told(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as error:
        module_in(f"{place}:build", call)
    assert str(error.value) == f"{Path(place)}: no such file"


def test_files_beside_it_come_first_wherever_it_is_called_from(file, tmp_path, monkeypatch):
    (tmp_path / "colorsys.py").write_text("WIDTH = 7\n")
    (tmp_path / "beside.py").write_text(
        "import colorsys\nfrom torch import nn\ndef net():\n    return nn.Linear(colorsys.WIDTH, 1)\n"
    )
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    monkeypatch.chdir(tmp_path)
    assert module_in("beside.py:net", call).in_features == 7
    monkeypatch.chdir("/")
    assert str(tmp_path.resolve()) in sys.path  # what it imports later is found as well


def test_a_file_named_like_a_module_takes_nobodys_place(file, tmp_path):
    (tmp_path / "random.py").write_text("from torch import nn\nnet = nn.Linear(1, 1)\n")
    import random

    module_in(f"{tmp_path / 'random.py'}:net", call)
    assert sys.modules["random"] is random


FAILING = {
    "syntax": ("x = 1\ndef f(:\n    pass\n", 2, "SyntaxError: invalid syntax"),
    "exit": ("import sys\nsys.exit(3)\n", 2, "SystemExit: 3"),
    "assertion": ("x = 1\n\nassert not x\n", 3, "AssertionError"),
    "within": ("def f():\n    1 / 0\n\nf()\n", 2, "ZeroDivisionError: division by zero"),
    "another's syntax": ("import spoilt\n", 1, "SyntaxError: "),
}


@pytest.mark.parametrize("wrong", FAILING)
def test_a_file_that_cannot_be_imported_is_blamed_by_its_line_and_forgotten(wrong, file, tmp_path):
    text, line, words = FAILING[wrong]
    (tmp_path / "spoilt.py").write_text("\n\n\n\nx = = 1\n")
    path = tmp_path / "failing.py"
    path.write_text(text)
    with pytest.raises(StriateError) as error:
        module_in(f"{path}:net", call)
    assert type(error.value) is StriateError
    assert str(error.value).startswith(f"{path}:{line}: cannot be imported ({words}")
    assert "_striate_user_failing" not in sys.modules


def test_a_file_reached_by_a_link_is_blamed_by_its_line(file, tmp_path, monkeypatch):
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    with pytest.raises(StriateError) as error:
        module_in("../net.py:fails_without_words", call)
    assert str(error.value) == f"../net.py:{line_of('raise KeyError')}: fails_without_words() fails (KeyError)"


def test_ctrl_c_while_a_file_is_imported_is_no_error_of_the_file(file, tmp_path):
    (tmp_path / "stopped.py").write_text("raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        module_in(f"{tmp_path / 'stopped.py'}:net", call)


def test_a_file_at_home_is_found(file, monkeypatch):
    monkeypatch.setenv("HOME", str(file.parent))
    assert module_in("~/net.py:build_net", call).in_features == 3
