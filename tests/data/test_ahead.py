"""Reading ahead: order, groups, errors in their turn, and how little is held."""

import threading
import time
from itertools import count

import cv2
import pytest

from striate.data.ahead import PIECE, read_ahead


@pytest.mark.parametrize("together", [1, 2, 5, 64])
@pytest.mark.parametrize("number", [0, 1, 4, 5, 64, 130])
def test_everything_comes_once_in_order_and_in_groups(together, number):
    def slower_at_first(source):
        time.sleep(0.002 if source < 3 else 0)
        return source * source

    groups = list(read_ahead(range(number), slower_at_first, together, workers=3))
    assert [pair for group in groups for pair in group] == [(n, n * n) for n in range(number)]
    assert [len(group) for group in groups[:-1]] == [together] * (len(groups) - 1)
    assert all(1 <= len(group) <= together for group in groups)


def test_it_reads_in_other_threads_while_the_caller_works():
    threads, together = set(), 4
    begun = threading.Event()

    def read(source):
        threads.add(threading.get_ident())
        if source >= together:
            begun.set()
        return source

    groups = read_ahead(range(40), read, together, workers=2)
    next(groups)
    assert begun.wait(5)  # the next group is read before it is asked for
    assert threading.get_ident() not in threads
    groups.close()


def test_little_is_held_however_many_there_are():
    taken, read = [], []
    groups = read_ahead((taken.append(n) or n for n in count()), lambda n: read.append(n) or n, 10, workers=2)
    for _ in range(5):
        next(groups)
    assert len(taken) <= 50 + 6 * PIECE
    groups.close()
    held = len(read)
    time.sleep(0.05)
    assert len(read) == held


def gather(groups, found):
    for group in groups:
        found += [source for source, _ in group]


def test_an_error_of_reading_comes_in_its_turn():
    def read(source):
        if source == 7:
            raise ZeroDivisionError
        return source

    found = []
    with pytest.raises(ZeroDivisionError):
        gather(read_ahead(range(40), read, 2, workers=2), found)
    assert found == list(range(6))


def test_an_error_of_the_sources_comes_after_what_was_before_it():
    def sources():
        yield from range(7)
        raise ZeroDivisionError

    found = []
    with pytest.raises(ZeroDivisionError):
        gather(read_ahead(sources(), lambda n: n, 2, workers=2), found)
    assert found == list(range(7))


def test_opencv_gets_its_threads_back():
    before = cv2.getNumThreads()
    list(read_ahead(range(3), lambda n: n, 2))
    groups = read_ahead(range(300), lambda n: n, 2)
    next(groups)
    groups.close()
    assert cv2.getNumThreads() == before
