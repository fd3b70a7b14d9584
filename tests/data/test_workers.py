import os

import pytest

from striate.data.workers import worker_count


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
