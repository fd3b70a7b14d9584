"""What a network's code says: another function between the same layers is another network."""

import importlib.util
import sys

import pytest
import torch
from frozen_network import frozen, small
from torch import nn

from striate.engines.code import code_of

NET = """
import torch
from torch import nn
from helper import squeeze

SCALE = {scale}
KINDS = frozenset({{"a", "b", "c", "d"}})


def halved(x):
    return x / {divisor}


class Net(nn.Module):
    def __init__(self, num_classes=3, slope=0.1):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, num_classes)
        self.slope, self.num_classes = slope, num_classes

    def forward(self, x):
        x = {forward}
        if "a" in {{"a", "b", "c"}}:
            x = halved(squeeze(x)) * SCALE
        return self.fc(x)
"""
HELPER = "def squeeze(x):\n    return x.{pool}((2, 3))\n"
PLAIN = {"scale": "2.0", "divisor": "2", "forward": "self.conv(x).relu()", "pool": "mean"}


@pytest.fixture
def made(tmp_path, monkeypatch):
    """The network of a file with these words in it: made(scale="3.0", ...)."""
    count = iter(range(100))

    def make(before="", slope=0.1, num_classes=3, **words):
        folder = tmp_path / str(next(count))
        folder.mkdir()
        words = PLAIN | words
        (folder / "helper.py").write_text(HELPER.format(**words))
        (folder / "net.py").write_text(before + NET.format(**words))
        for name in ("helper", "own_net"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.syspath_prepend(folder)
        spec = importlib.util.spec_from_file_location("own_net", folder / "net.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "own_net", module)
        spec.loader.exec_module(module)
        torch.manual_seed(0)
        return module.Net(num_classes, slope)

    return make


def test_the_same_code_elsewhere_and_on_other_lines_is_the_same(made):
    assert code_of(made()) == code_of(made(before="# more words\n\n\n"))


@pytest.mark.parametrize(
    "change",
    [
        {"forward": "self.conv(x).tanh()"},
        {"divisor": "4"},  # of a function that is called
        {"scale": "3.0"},  # a constant beside it
        {"pool": "amax"},  # in another file
        {"slope": 0.2},  # a value of the module
    ],
    ids=str,
)
def test_whatever_its_outputs_depend_on_is_told(made, change):
    assert code_of(made(**change)) != code_of(made())
    assert frozen(made(**change)).content != frozen(made()).content
    assert frozen(made()).content == frozen(made()).content


def test_the_number_of_classes_is_no_code_and_the_last_layer_may_be_left_out(made):
    two, three = made(num_classes=2), made()
    assert code_of(two) != code_of(three)
    assert code_of(two, ("fc",)) == code_of(three, ("fc",))


def test_of_libraries_the_version_is_told(monkeypatch):
    before = code_of(small())
    assert f"torch.nn.modules.conv.Conv2d {torch.__version__}" in before
    monkeypatch.setattr(torch, "__version__", "0.1")
    assert code_of(small()) != before


def test_values_of_many_kinds_are_told_whole():
    def network(value):
        module = small()
        module.value = value
        return code_of(module)

    pairs = [
        ((1, 2), (1, 3)),
        ({"a": 1}, {"a": 2}),
        ({1, 2}, {1, 3}),
        (torch.ones(3), torch.zeros(3)),
        (nn.functional.relu, nn.functional.gelu),
        (lambda x: x, lambda x: -x),
        (1.0, None),
    ]
    for first, second in pairs:
        assert network(first) != network(second)


def test_a_set_in_code_is_told_in_one_order():
    def network(items):
        def use(x):
            return x in {0, 8}

        constants = [frozenset(items) if isinstance(value, frozenset) else value for value in use.__code__.co_consts]
        use.__code__ = use.__code__.replace(co_consts=tuple(constants))
        module = small()
        module.value = use
        return code_of(module)

    assert repr(frozenset([0, 8])) != repr(frozenset([8, 0]))
    assert network([0, 8]) == network([8, 0]) != network([0, 9])
