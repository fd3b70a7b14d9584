"""Threads that read images: how many, and that OpenCV has none of its own while they do, and all of them after."""

import os
import threading

import cv2
import pytest

from striate.data.workers import opencv_alone, reading_threads, worker_count


@pytest.fixture(autouse=True)
def three_threads_in_opencv():
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    yield
    assert cv2.getNumThreads() == 3
    cv2.setNumThreads(before)


@pytest.mark.parametrize(("wanted", "count"), [(None, 3), (5, 5), (1, 1), (0, 1), (-2, 1)])
def test_processors_that_may_be_used_are_used_unless_told(monkeypatch, wanted, count):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2, 5}, raising=False)
    assert worker_count(wanted) == count


def test_more_than_sixteen_are_not_used_unless_told(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    assert (worker_count(), worker_count(40)) == (16, 40)


def test_where_processors_cannot_be_assigned_all_are_counted(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    for processors, count in ((6, 6), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda n=processors: n)
        assert worker_count() == count


def test_opencv_is_alone_until_the_last_block_ends():
    with opencv_alone():
        assert cv2.getNumThreads() == 1
        with opencv_alone():
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == 3


def test_opencv_gets_its_threads_back_whatever_happens():
    with pytest.raises(LookupError), opencv_alone():
        raise LookupError
    assert cv2.getNumThreads() == 3


def test_blocks_of_several_threads_may_overlap():
    inside, others_turn, first_is_out = threading.Event(), threading.Event(), threading.Event()

    def first():
        with opencv_alone():
            inside.set()
            others_turn.wait(10)
        first_is_out.set()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(10)
    with opencv_alone():
        others_turn.set()
        assert first_is_out.wait(10)
        assert cv2.getNumThreads() == 1
    thread.join()
    assert cv2.getNumThreads() == 3


def test_threads_that_read_are_as_many_as_asked_for_and_opencv_has_none():
    barrier = threading.Barrier(4, timeout=10)

    def look(_: int) -> int:
        barrier.wait()
        return cv2.getNumThreads()

    with reading_threads(4) as pool:
        assert list(pool.map(look, range(4))) == [1] * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_child_that_is_forked_inside_a_block_is_outside_of_it():
    with opencv_alone():
        child = os.fork()
        if not child:
            try:
                cv2.setNumThreads(2)  # the child's own number
                with opencv_alone():
                    alone = cv2.getNumThreads()
                os._exit(0 if (alone, cv2.getNumThreads()) == (1, 2) else 1)
            finally:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
