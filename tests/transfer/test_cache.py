"""Features on disk: whatever a crash, a full disk or another process does to them, what is found is right."""

import errno
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from striate.files import writing
from striate.transfer.cache import FeatureCache

CONTENT = "c" * 64
PICTURES = [bytes([number]) * 32 for number in range(5)]
VALUES = np.arange(15, dtype=np.float32).reshape(5, 3)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "features"


def cache(folder):
    return FeatureCache(CONTENT, 3, folder)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 100, -61, -60, -1])
def test_a_file_that_was_cut_off_is_none(folder, length):
    cache(folder).add(PICTURES, VALUES)
    (file,) = folder.rglob("*.safetensors")
    os.truncate(file, length % file.stat().st_size)
    assert not cache(folder).find(PICTURES)[1].any()
    cache(folder).add(PICTURES, VALUES)
    found, known = cache(folder).find(PICTURES)
    assert known.all()
    np.testing.assert_array_equal(found, VALUES)


def test_what_a_killed_process_was_writing_is_not_read_and_goes_once_it_is_old(folder):
    cache(folder).add(PICTURES[:1], VALUES[:1])
    (file,) = folder.rglob("*.safetensors")
    old, new = (file.with_name(f".{'ab' * 16}.safetensors.{letter * 8}") for letter in "ef")
    for left in (old, new):
        left.write_bytes(file.read_bytes()[:40])
    os.utime(old, (time.time() - 7200,) * 2)
    assert list(cache(folder).find(PICTURES)[1]) == [True, False, False, False, False]
    cache(folder).add(PICTURES[1:], VALUES[1:])
    assert cache(folder).find(PICTURES)[1].all()
    assert (old.exists(), new.exists()) == (False, True)


def test_a_full_disk_is_told_and_leaves_nothing(folder, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    kept = cache(folder)
    with monkeypatch.context() as patch:
        patch.setattr(writing.os, "fsync", full)
        kept.add(PICTURES, VALUES)
    assert "the disk is full" in kept.problem
    assert not [file for file in folder.rglob("*") if file.is_file()]
    assert not cache(folder).find(PICTURES)[1].any()


def test_nothing_is_told_where_all_is_well(folder):
    kept = cache(folder)
    kept.add(PICTURES, VALUES)
    assert kept.problem == ""


def test_many_at_once_find_what_is_right_or_nothing(folder):
    def work(number):
        kept = cache(folder)
        for _ in range(10):
            found, known = kept.find(PICTURES)
            np.testing.assert_array_equal(found[known], VALUES[known])
            kept.add(PICTURES[number::2], VALUES[number::2])
        return kept.problem

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, [0, 1, 0, 1])) == [""] * 4
    assert cache(folder).find(PICTURES)[1].all()


@pytest.mark.slow
def test_two_runs_at_once_on_one_folder_are_both_right(trained, colours, tmp_path):
    command = [sys.executable, "-m", "striate", "train", colours, "--weights", trained, "--transfer", "features"]
    environment = {**os.environ, "STRIATE_CACHE": str(tmp_path / "cache")}
    runs = [
        subprocess.Popen([*command, "--run", tmp_path / name, "--quiet"], env=environment) for name in ("one", "two")
    ]
    assert [run.wait(timeout=300) for run in runs] == [0, 0]
    one, two = ((tmp_path / name / "metrics.csv").read_text() for name in ("one", "two"))
    assert one == two
