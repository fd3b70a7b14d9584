"""The line that counts images, and how seldom it is written."""

import io
import sys

import pytest

from striate.training.counting import CLEAR, Counter, CounterLine, create_counter, now_and_then


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    """The clock's hand, to be moved: clock[0] = seconds."""
    now = [1000.0]
    monkeypatch.setattr("striate.training.counting.time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def terminal(monkeypatch, capsys):
    """What stands on the terminal so far: terminal()."""
    monkeypatch.setenv("COLUMNS", "80")
    return lambda: capsys.readouterr().err


def test_what_is_done_is_told_on_when_it_is_due(clock):
    told = []
    shown = now_and_then(lambda *values: told.append(values), 90, every=2)
    for moment, done in ((1, 10), (2, 20), (2.1, 30), (4.1, 40), (4.2, 50)):
        clock[0] = 1000 + moment
        shown(done)
    assert told == [(30, 90), (50, 90)]


def test_the_line_counts_from_the_first_images_on(clock, terminal):
    """Getting ready took ten seconds; then 40 images a second came."""
    line = CounterLine("predicting")
    clock[0] = 1010
    line(0, 734)
    line(20, 734)
    assert terminal() == CLEAR + "predicting 20/734 images"
    assert terminal() == ""
    for moment, done in ((10.2, 28), (10.5, 40), (12, 100)):
        clock[0] = 1000 + moment
        line(done, 734)
    assert terminal().split(CLEAR)[1:] == [
        "predicting 40/734 images  40 images/s  17s left",
        "predicting 100/734 images  40 images/s  16s left",
    ]


def test_of_an_unknown_number_the_line_says_how_many_there_were(clock, terminal):
    line = CounterLine("predicting")
    line(1)
    clock[0] += 4
    line(7)
    assert terminal() == CLEAR + "predicting 7 images  1.5 images/s"


def test_the_line_goes_when_it_is_done_and_never_wraps(clock, terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    with CounterLine("evaluating") as line:
        clock[0] += 1
        line(5, 10)
        line.clear()
        line.clear()
        clock[0] += 1
        line(6, 10)
    first, second = "evaluating 5/10 images", "evaluating 6/10 images"
    assert terminal() == CLEAR + first[:19] + CLEAR + CLEAR + second[:19] + CLEAR


def test_a_short_pass_shows_nothing(clock, terminal):
    with CounterLine("evaluating") as line:
        for done in range(1, 100):
            clock[0] += 0.003
            line(done, 100)
    assert terminal() == ""


def test_a_line_stands_on_terminals_only(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert type(create_counter("evaluating")) is CounterLine
    assert type(create_counter("evaluating", quiet=True)) is Counter
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with create_counter("evaluating") as counter:
        counter(1, 2)
    assert sys.stderr.getvalue() == ""


def test_the_line_comes_again_below_what_is_written_in_between(clock, terminal):
    line = CounterLine("predicting")
    with line.aside():
        print("a", file=sys.stderr)
    clock[0] += 1
    line(5)
    with line.aside():
        print("b", file=sys.stderr)
    line.clear()
    shown = "predicting 5 images"
    assert terminal() == f"a\n{CLEAR}{shown}{CLEAR}b\n{shown}{CLEAR}"
    with Counter("evaluating").aside():
        print("c", file=sys.stderr)
    assert terminal() == "c\n"
