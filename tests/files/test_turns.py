"""Taking turns with a file: one at a time, and nothing left behind."""

import threading
import time

import pytest

from striate.files.turns import one_at_a_time


def test_one_is_alone_until_it_is_done_and_leaves_nothing(tmp_path):
    path, inside, most = tmp_path / "file", [], []

    def take_a_turn():
        with one_at_a_time(path):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=take_a_turn) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8
    assert list(tmp_path.iterdir()) == []


def test_a_turn_that_fails_is_over(tmp_path):
    with pytest.raises(ValueError, match="on purpose"), one_at_a_time(tmp_path / "file"):
        raise ValueError("on purpose")
    assert list(tmp_path.iterdir()) == []
    with one_at_a_time(tmp_path / "file"), one_at_a_time(tmp_path / "other"):
        assert sorted(path.name for path in tmp_path.iterdir()) == [".file.lock", ".other.lock"]


def test_a_folder_that_is_none_is_an_error_of_the_system(tmp_path):
    (tmp_path / "a").write_text("a file", encoding="utf-8")
    with pytest.raises(OSError, match="a"), one_at_a_time(tmp_path / "a" / "file"):
        pass
