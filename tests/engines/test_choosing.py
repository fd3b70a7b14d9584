"""Which engine is chosen, what is measured for it, and what is remembered."""

import json

import numpy as np
import pytest
from frozen_network import PICTURES, frozen, small

from striate.engines import ENGINES, Frozen, choose, choosing, memory
from striate.engines.eager import Eager
from striate.engines.engines import Kind


class Clock:
    """Only engines let it go on."""

    now = 0.0

    def perf_counter(self):
        return self.now


CLOCK = Clock()


class Timed:
    """An engine as fast as one likes."""

    def __init__(self, frozen, name, seconds, scale=1.0):
        self.eager, self.name, self.seconds, self.scale = Eager(frozen.network, frozen.normalise), name, seconds, scale

    def __call__(self, pictures):
        CLOCK.now += self.seconds * len(pictures)
        return self.eager(pictures) * np.float32(self.scale)


@pytest.fixture(autouse=True)
def engines(monkeypatch, tmp_path):
    """PyTorch takes 4 ms a picture; "folded" 2 and 0.1 s to make, "quick" 0.5 and a second, "costly" 0 and a minute."""
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path))
    made = []

    def kind(name, seconds, cost=0.0, scale=1.0):
        def make(frozen, anew):
            made.append(name)
            return Timed(frozen, name, seconds, scale)

        return Kind(make, seconds=cost, again=cost / 10)

    own = {
        "eager": ENGINES["eager"],
        "folded": kind("folded", 0.002, cost=0.1),
        "quick": kind("quick", 0.0005, cost=1.0),
        "costly": kind("costly", 0.0, cost=60.0),
        "wrong": kind("wrong", 0.0, cost=1.0, scale=2.0),
    }
    use(monkeypatch, own)
    monkeypatch.setattr(choosing, "time", CLOCK)
    monkeypatch.setattr(Frozen, "eager", lambda frozen: Timed(frozen, "eager", 0.004))
    monkeypatch.setattr(Frozen, "together", 5)
    return made


def use(monkeypatch, own):
    """Let there be these engines."""
    monkeypatch.setattr("striate.engines.engines.ENGINES", own)
    monkeypatch.setattr("striate.engines.choosing.ENGINES", own)
    monkeypatch.setattr("striate.engines.choosing.EQUAL", tuple(own))


def test_few_pictures_go_through_the_network_as_it_is(engines, tmp_path):
    chosen = choose(frozen(small()), PICTURES, 50)  # 0.2 seconds of work
    assert (chosen.engine.name, chosen.words, chosen.notes, engines) == ("eager", "", (), [])
    assert not list(tmp_path.iterdir())


def test_an_engine_is_tried_where_it_costs_a_quarter_of_the_work(engines):
    chosen = choose(frozen(small()), PICTURES, 200)  # 0.8 seconds of work
    assert (chosen.engine.name, chosen.notes, engines) == ("folded", (), ["folded"])
    chosen = choose(frozen(small()), PICTURES, 10_000)  # 40 seconds of work
    assert chosen.engine.name == "quick"
    assert "costly" not in engines
    assert chosen.words.startswith("quick, ")
    assert chosen.words.endswith(" by PyTorch")
    (note,) = chosen.notes
    assert note.startswith("engine 'wrong' runs a network otherwise than PyTorch")
    assert note.endswith("; it is not used")
    assert choose(frozen(small()), PICTURES, 1_000_000).engine.name in ("quick", "costly")


def test_an_engine_is_tried_where_it_costs_a_quarter_of_what_the_fastest_so_far_would_take(engines, tmp_path):
    choose(frozen(small()), PICTURES, 1_500)  # 6 seconds by PyTorch, 3 by the folded one
    assert engines == ["folded"]
    choose(frozen(small()), PICTURES, 3_000)
    assert engines[1:] == ["folded", "quick"]
    engines.clear()
    choose(frozen(small()), PICTURES, 3_000)  # the others would cost more than 0.4 seconds
    assert engines == ["quick"]


def test_few_pictures_are_measured_with_fewer_and_tell_nothing_of_more(engines, tmp_path, monkeypatch):
    seen = []

    class Watched(Timed):
        def __call__(self, pictures):
            seen.append(len(pictures))
            return super().__call__(pictures)

    watched = Kind(lambda frozen, anew: Watched(frozen, "folded", 0.0))
    use(monkeypatch, {**choosing.ENGINES, "folded": watched})
    assert choose(frozen(small()), PICTURES, 40).engine.name == "folded"
    assert set(seen) == {2}
    assert not list(tmp_path.iterdir())


def test_it_is_remembered_for_the_network_its_size_and_the_machine(engines, tmp_path, monkeypatch):
    choose(frozen(small()), PICTURES, 10_000)
    (entry,) = json.loads((tmp_path / "engines.json").read_text()).values()
    assert set(entry["seconds"]) == {"eager", "folded", "quick"}
    assert entry["seconds"]["eager"] > entry["seconds"]["folded"] > entry["seconds"]["quick"]

    engines.clear()
    use(monkeypatch, {name: kind for name, kind in choosing.ENGINES.items() if name != "wrong"})
    other_weights = small()
    other_weights[5].bias.data += 1
    chosen = choose(frozen(other_weights), PICTURES, 10_000)
    assert (chosen.engine.name, engines) == ("quick", ["quick"])
    assert chosen.words.endswith("(measured before)")
    engines.clear()
    assert choose(frozen(small()), PICTURES, 20).engine.name == "folded"  # 0.04 s and 0.01 to make
    assert choose(frozen(small()), PICTURES, 2).engine.name == "eager"
    assert engines == ["folded"]

    monkeypatch.setattr(memory, "machine", lambda: "another")
    engines.clear()
    choose(frozen(small()), PICTURES, 10_000)
    assert engines == ["folded", "quick"]
    assert len(json.loads((tmp_path / "engines.json").read_text())) == 2


def test_what_was_not_worth_a_trial_is_tried_for_more_pictures(engines):
    choose(frozen(small()), PICTURES, 200)
    assert choose(frozen(small()), PICTURES, 10_000).engine.name == "quick"


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1}', None])
def test_a_spoilt_memory_is_measured_anew(engines, tmp_path, content):
    choose(frozen(small()), PICTURES, 10_000)
    file = tmp_path / "engines.json"
    if content is None:
        (key,) = json.loads(file.read_text())
        content = json.dumps({key: {"seconds": {"eager": 1, "gone": 0}}})
    file.write_text(content)
    engines.clear()
    assert choose(frozen(small()), PICTURES, 10_000).engine.name == "quick"
    assert engines[0] == "folded"


def test_an_engine_that_no_longer_equals_the_network_is_measured_again(engines, monkeypatch):
    choose(frozen(small()), PICTURES, 10_000)
    wrong = Kind(lambda frozen, anew: Timed(frozen, "quick", 0, 3.0), seconds=1.0)
    use(monkeypatch, {**choosing.ENGINES, "quick": wrong})
    assert choose(frozen(small()), PICTURES, 10_000).engine.name == "folded"


def test_the_machine_is_named_by_what_matters_to_speed():
    assert "torch" in memory.machine()
    assert memory.machine() == memory.machine()


def test_pytorch_is_remembered_too_where_it_was_the_fastest(engines, monkeypatch):
    slow = {name: Kind(lambda frozen, anew, name=name: Timed(frozen, name, 0.02)) for name in ("folded", "quick")}
    use(monkeypatch, {"eager": choosing.ENGINES["eager"], **slow})
    assert choose(frozen(small()), PICTURES, 10_000).engine.name == "eager"
    again = choose(frozen(small()), PICTURES, 10_000)
    assert again.engine.name == "eager"
    assert again.words.endswith("(measured before)")
