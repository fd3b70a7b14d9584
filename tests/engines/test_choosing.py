"""Which engine is chosen, what is measured for it, and what is remembered."""

import json
import time

import numpy as np
import pytest
from frozen_network import PICTURES, frozen, small

from striate.engines import ENGINES, choose, choosing, memory
from striate.engines.engines import Kind


class Timed:
    """An engine as fast as one likes."""

    def __init__(self, frozen, name, seconds, scale=1.0):
        self.eager, self.name, self.seconds, self.scale = frozen.eager(), name, seconds, scale

    def __call__(self, pictures):
        time.sleep(self.seconds * len(pictures))
        return self.eager(pictures) * np.float32(self.scale)


@pytest.fixture(autouse=True)
def engines(monkeypatch, tmp_path):
    """PyTorch takes 2 ms a picture, "quick" 0.5 and a second to make, "costly" nothing and a minute."""
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path))
    made = []

    def kind(name, seconds, cost=0.0, scale=1.0):
        def make(frozen, anew):
            made.append(name)
            return Timed(frozen, name, seconds, scale)

        return Kind(make, seconds=cost)

    own = {
        "eager": ENGINES["eager"],
        "folded": kind("folded", 0.002),
        "quick": kind("quick", 0.0005, cost=1.0),
        "costly": kind("costly", 0.0, cost=60.0),
        "wrong": kind("wrong", 0.0, cost=1.0, scale=2.0),
    }
    monkeypatch.setattr("striate.engines.engines.ENGINES", own)
    monkeypatch.setattr("striate.engines.choosing.ENGINES", own)
    monkeypatch.setattr("striate.engines.choosing.EQUAL", tuple(own))
    monkeypatch.setattr("striate.engines.choosing.MEASURED", 0.05)
    return made


def test_few_pictures_go_through_the_network_as_it_is(engines, tmp_path):
    assert choose(frozen(small()), PICTURES, 15).engine.name == "eager"
    assert engines == []
    assert not list(tmp_path.iterdir())


def test_an_engine_is_tried_where_it_costs_a_quarter_of_the_work(engines):
    chosen = choose(frozen(small()), PICTURES, 100)  # 0.2 seconds of work
    assert (chosen.engine.name, chosen.words, chosen.notes, engines) == ("folded", "", (), ["folded"])
    chosen = choose(frozen(small()), PICTURES, 10_000)  # 20 seconds of work
    assert chosen.engine.name == "quick"
    assert "costly" not in engines
    assert chosen.words.startswith("quick, ")
    assert chosen.words.endswith(" by PyTorch")
    (note,) = chosen.notes
    assert note.startswith("engine 'wrong' runs a network otherwise than PyTorch")
    assert note.endswith("; it is not used")
    assert choose(frozen(small()), PICTURES, 1_000_000).engine.name in ("quick", "costly")


def test_it_is_remembered_for_the_network_its_size_and_the_machine(engines, tmp_path, monkeypatch):
    choose(frozen(small()), PICTURES, 10_000)
    (entry,) = json.loads((tmp_path / "engines.json").read_text()).values()
    assert entry["engine"] == "quick"
    assert set(entry["seconds"]) == {"folded", "quick"}
    assert entry["seconds"]["folded"] > 2 * entry["seconds"]["quick"]

    engines.clear()
    other_weights = small()
    other_weights[5].bias.data += 1
    chosen = choose(frozen(other_weights), PICTURES, 10_000)
    assert (chosen.engine.name, engines) == ("quick", ["quick"])
    assert chosen.words.endswith("(measured before)")

    monkeypatch.setattr(memory, "machine", lambda: "another")
    engines.clear()
    choose(frozen(small()), PICTURES, 10_000)
    assert engines[:2] == ["folded", "quick"]
    assert len(json.loads((tmp_path / "engines.json").read_text())) == 2


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1}', None])
def test_a_spoilt_memory_is_measured_anew(engines, tmp_path, content):
    choose(frozen(small()), PICTURES, 10_000)
    file = tmp_path / "engines.json"
    if content is None:
        (key,) = json.loads(file.read_text())
        content = json.dumps({key: {"engine": "gone", "seconds": {"folded": 1}}})
    file.write_text(content)
    engines.clear()
    assert choose(frozen(small()), PICTURES, 10_000).engine.name == "quick"
    assert engines[0] == "folded"


def test_an_engine_that_no_longer_equals_the_network_is_measured_again(engines, monkeypatch):
    choose(frozen(small()), PICTURES, 10_000)
    own = dict(choosing.ENGINES)
    own["quick"] = Kind(lambda frozen, anew: Timed(frozen, "quick", 0, 3.0), seconds=1.0)
    monkeypatch.setattr("striate.engines.engines.ENGINES", own)
    monkeypatch.setattr("striate.engines.choosing.ENGINES", own)
    assert choose(frozen(small()), PICTURES, 10_000).engine.name == "folded"


def test_the_machine_is_named_by_what_matters_to_speed():
    assert "torch" in memory.machine()
    assert memory.machine() == memory.machine()


def test_pytorch_is_remembered_too_where_it_was_the_fastest(engines, monkeypatch):
    own = dict(choosing.ENGINES)
    own["quick"] = Kind(lambda frozen, anew: Timed(frozen, "quick", 0.01), seconds=1.0)
    monkeypatch.setattr("striate.engines.engines.ENGINES", own)
    monkeypatch.setattr("striate.engines.choosing.ENGINES", own)
    assert choose(frozen(small()), PICTURES, 10_000).engine.name == "folded"
    engines.clear()
    again = choose(frozen(small()), PICTURES, 10_000)
    assert (again.engine.name, engines) == ("folded", ["folded"])
    assert again.words.endswith("(measured before)")
