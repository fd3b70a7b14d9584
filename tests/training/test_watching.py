"""What a watcher is shown while a training goes on, and what is done between the steps."""

import time
from dataclasses import replace

import pytest

from striate.training.progress import Quiet
from striate.training.run_folder import RunFolder
from striate.training.watch import LEAST_TIME, Watch


class Recorder(Quiet):
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple] = []

    def start(self, *values) -> None:
        self.told.append(("start", *values))

    def step(self, *values) -> None:
        self.told.append(("step", *values))

    def validation(self, *values) -> None:
        self.told.append(("validation", *values))

    def epoch(self, *values) -> None:
        self.told.append(("epoch", *values))

    def stop(self) -> None:
        self.told.append(("stop",))


@pytest.fixture
def watched(tmp_path, small):
    """A training of two epochs of four steps, watched."""
    run = small.training(tmp_path, small.recipe(epochs=2))
    run.progress = Recorder()
    return run


def test_the_watcher_is_told_of_start_epochs_and_end(watched, monkeypatch):
    monkeypatch.setattr("striate.training.loop.SHOW_EVERY", 1000)
    position = watched.train()
    rows = list(zip(position.history, position.timing, strict=True))
    assert watched.progress.told == [("start", 2, 4), *(("epoch", *pair) for pair in rows), ("stop",)]


def test_the_watcher_is_shown_each_step_that_is_due(watched, monkeypatch):
    monkeypatch.setattr("striate.training.loop.SHOW_EVERY", -1)
    watched.train()
    steps = [told[1:3] for told in watched.progress.told if told[0] == "step"]
    assert steps == [(epoch, step) for epoch in (1, 2) for step in (1, 2, 3, 4)]


def test_the_watcher_is_shown_each_batch_of_a_validation_that_is_due(watched, monkeypatch):
    """It comes between the steps of an epoch and its row, in every epoch; of two batches each is told."""
    images = len(watched.validation.batches.split)
    watched.validation.batches.batch_size = images - 1
    watched.validation.batches.steps = 2
    monkeypatch.setattr("striate.training.loop.SHOW_EVERY", -1)
    watched.train()
    told = [told[:3] if told[0] == "validation" else told[0] for told in watched.progress.told]
    epoch = ["step"] * 4 + [("validation", done, images) for done in (images - 1, images)] + ["epoch"]
    assert told == ["start", *epoch, *epoch, "stop"]


def test_a_validation_that_is_soon_done_shows_nothing(watched):
    watched.train()
    assert not any(told[0] == "validation" for told in watched.progress.told)


def test_the_figures_of_a_moment_are_of_the_steps_taken_here(watched):
    """Three of four steps are done, one of them before the run was resumed; two took three seconds."""
    watched.position.epoch, watched.position.step_in_epoch, watched.resumed_at = 1, 3, 1
    watched.sums.sums += watched.sums.sums.new_tensor([24.0, 12.0])
    watched.sums.seen = 48
    watched.train_batches.waited = 0.75
    watched.show(3.0)
    (_, epoch, step, figures), *rest = watched.progress.told
    assert (epoch, step, rest) == (2, 3, [])
    assert figures == {
        "loss": 0.5,
        "accuracy": 0.25,
        "images_per_second": 2 * 16 / 3,
        "left": watched.pace.left(watched.position, 1.5),
        "loading_share": 0.25,
    }


def test_seconds_of_an_epoch_go_on_where_they_were_and_waiting_begins_anew(watched):
    watched.position.seconds, watched.train_batches.waited = 100.0, 1000.0
    first, second = watched.train().timing
    assert 100 < first["seconds"] < 150
    assert first["images_per_second"] == pytest.approx(64 / first["seconds"], abs=0.1)
    assert 0 <= first["loading_share"] < 0.5
    assert 0 < second["seconds"] < 50


@pytest.mark.parametrize(("ago", "kept"), [(59, 0), (61, 1)])
def test_a_checkpoint_is_due_so_long_after_the_last_one(watched, ago, kept, monkeypatch):
    written = []
    monkeypatch.setattr(watched, "checkpoint", lambda: written.append(1))
    watched.watch, watched.shown = Watch(checkpoint_every=60), time.monotonic() + 1000
    watched.began, watched.checkpointed = time.monotonic() - 1000, time.monotonic() - ago
    watched.look_up(1.0)
    assert len(written) == kept


def test_ctrl_c_comes_before_the_time_limit(watched):
    watched.began, watched.watch = time.monotonic() - 10, Watch(time_limit=1.0)
    watched.interruption = type("Interruption", (), {"requested": True})
    assert watched.should_stop()
    assert watched.position.stopped_by == "interrupted"
    watched.interruption.requested = False
    assert watched.should_stop()
    assert watched.position.stopped_by == "time limit"
    watched.watch = Watch(time_limit=100.0)
    assert not watched.should_stop()


@pytest.mark.parametrize("reason", ["interrupted", "time limit"])
def test_what_stopped_a_run_is_forgotten_when_it_goes_on(watched, small, reason):
    watched.position.stopped_by = reason
    watched.checkpoint()
    again = small.training(watched.run.path, small.recipe(epochs=2))
    again.restore()
    assert again.position.stopped_by == ""


def test_each_epoch_goes_to_the_events_which_are_closed_whatever_happens(watched, monkeypatch):
    written = []
    monkeypatch.setattr(watched.events, "write", written.append)
    monkeypatch.setattr(watched.events, "close", lambda: written.append("closed"))
    position = watched.train()
    assert written == [*position.history, "closed"]
    monkeypatch.setattr(watched, "checkpoint", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        watched.train()
    assert written[3:] == ["closed"]
    assert watched.progress.told[-1] == ("stop",)


def test_events_lie_in_the_run(watched):
    assert watched.events.folder == RunFolder(watched.run.path).events


def test_what_is_left_of_its_time_is_never_nothing_where_there_is_a_limit():
    now = time.monotonic()
    assert Watch().until(now + 100).time_limit == 0
    assert 98 < Watch(time_limit=1000).until(now + 100).time_limit <= 100
    assert Watch(time_limit=1000).until(now - 100).time_limit == LEAST_TIME > 0


def advised(watched, waited: float) -> list[str]:
    """What is said beside the figures of epochs in which so many seconds are waited."""
    said: list[str] = []
    watched.progress.message = said.append
    epoch = watched.train_epoch

    def slow() -> None:
        epoch()
        watched.position.seconds, watched.train_batches.waited = 10.0, waited

    watched.train_epoch = slow
    watched.train()
    return [line for line in said if "bottleneck" in line]


def test_that_loading_is_the_bottleneck_is_said_once_with_what_was_measured(watched, monkeypatch):
    watched.extend(2)
    watched.material = replace(watched.material, cache="off")
    monkeypatch.setattr(watched.train_batches, "reading_share", lambda epoch: 0.8 if epoch == 1 else 0.0)
    monkeypatch.setattr("striate.training.loop.worker_count", lambda: 4)
    (line,) = advised(watched, 6.2)
    assert line.startswith("loading is the bottleneck: 62% of the time is waiting; workers=4 (0 of 4 processors")
    assert "cache='disk' (80% of the work" in line


def test_little_waiting_is_not_spoken_of(watched):
    assert advised(watched, 2.0) == []
