import multiprocessing
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from striate.augment import Augment
from striate.caller import by_flags
from striate.data import ArrayImages, Preprocessing, Split
from striate.training.batches import Batches
from striate.training.lost_workers import LostWorker, Workers, may_be_sign

LOOK = Preprocessing((8, 8), 3, (0.5,) * 3, (0.5,) * 3)


def batches_of(workers: int = 2) -> Batches:
    split = Split("train", ArrayImages(np.zeros((400, 8, 8, 3), np.uint8), ["x"] * 400), np.arange(400))
    return Batches(split, LOOK, 2, Augment(flip=0.5), workers=workers)


def fails() -> None:
    time.sleep(0.2)
    os._exit(3)


@pytest.mark.sampled
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_worker_is_told_at_once_and_ends_the_others(number):
    others, batches = set(multiprocessing.active_children()), batches_of()
    source = batches.epoch(0)
    next(source)
    mine = set(multiprocessing.active_children()) - others
    assert len(mine) == 2
    began, victim = time.monotonic(), mine.pop()
    os.kill(victim.pid, number)
    with suppress(RuntimeError):  # PyTorch's, which may come wherever this process is
        victim.join()
    with pytest.raises(LostWorker) as told_as:
        list(source)
    told = told_as.value
    assert time.monotonic() - began < 20
    assert f"was killed by signal {int(number)} ({number.name})" in str(told)
    assert ("the memory ran out" in str(told)) == (number == signal.SIGKILL)
    assert "(workers=1)" in str(told)
    assert "\n" not in str(told)
    assert str(told.of_run(Path("my run"))).endswith("Go on with: striate train --resume 'my run'")
    assert set(multiprocessing.active_children()) <= others


@pytest.mark.slow
def test_workers_that_are_there_or_went_home_are_not_lost():
    batches = batches_of()
    assert batches.lost_worker() is None
    list(batches.epoch(0))
    assert batches.lost_worker() is None
    list(batches.epoch(1))
    assert batches_of(0).lost_worker() is None


def test_a_worker_that_failed_is_told_without_a_signal():
    workers = Workers()
    with workers.starting():
        process = multiprocessing.get_context("fork").Process(target=fails)
        process.start()
        kept = multiprocessing.active_children()
    assert process in kept
    assert "a worker process that reads images failed. Fewer workers" in str(workers.lost())


def test_on_a_command_line_flags_are_named():
    workers = Workers()
    with workers.starting():
        process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
        process.start()
    assert workers.lost() is None
    process.kill()
    with by_flags({}):
        assert "Fewer workers (--workers 0) or a smaller --batch-size" in str(workers.lost())


def test_of_pytorchs_errors_those_are_signs_that_speak_of_a_worker():
    assert may_be_sign(RuntimeError("DataLoader worker (pid 3) is killed by signal: Killed."))
    assert may_be_sign(ConnectionResetError(104, "Connection reset by peer"))
    assert not may_be_sign(RuntimeError("CUDA error: an illegal memory access was encountered"))


def test_what_goes_wrong_in_a_batch_is_not_taken_for_a_worker(monkeypatch):
    batches = batches_of(0)
    monkeypatch.setattr(type(batches._maker), "__getitem__", lambda self, key: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(batches.epoch(0))

    def fail(self, key):
        raise OSError("the disk is gone")

    monkeypatch.setattr(type(batches._maker), "__getitem__", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        list(batches.epoch(0))
