"""TensorBoard reads what was written, and each epoch once also after a resumed run."""

import time

import pytest

from striate.training.events import Events

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def rows(*epochs: int, loss: float) -> list[dict]:
    return [
        {"epoch": epoch, "step": 10 * epoch, "learning_rate": 0.1, "train_loss": loss / epoch, "val_loss": ""}
        for epoch in epochs
    ]


def test_tensorboard_reads_each_epoch_once_after_a_restart(tmp_path):
    for writes in (rows(1, 2, 3, loss=6.0), rows(3, 4, loss=12.0)):
        time.sleep(1.1)  # the names of the files count seconds
        events = Events(tmp_path / "events")
        for row in writes:
            events.write(row)
        events.close()
    found = accumulator.EventAccumulator(str(tmp_path / "events"))
    found.Reload()
    assert sorted(found.Tags()["scalars"]) == ["loss/train", "rate/learning"]
    assert [(event.step, event.value) for event in found.Scalars("loss/train")] == [(1, 6), (2, 3), (3, 4), (4, 3)]


def test_the_losses_of_auxiliary_heads_stand_among_the_losses(tmp_path):
    events = Events(tmp_path / "events")
    events.write(rows(1, loss=1.0)[0] | {"train_inception4a_loss": 2.0, "train_total_loss": 3.0})
    events.close()
    found = accumulator.EventAccumulator(str(tmp_path / "events"))
    found.Reload()
    values = {tag: found.Scalars(tag)[0].value for tag in found.Tags()["scalars"]}
    assert values["loss/train_inception4a"] == 2
    assert values["loss/train_total"] == 3
    assert values["loss/train"] == 1


def test_nothing_is_written_without_tensorboard(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    events = Events(tmp_path / "events")
    events.write(rows(1, loss=1.0)[0])
    events.close()
    assert not (tmp_path / "events").exists()


def test_a_folder_whose_name_is_no_text_gets_no_events_and_training_goes_on(tmp_path):
    events = Events(tmp_path / "caf\udce9")
    events.write(rows(1, loss=1.0)[0])
    events.close()
    assert not list(tmp_path.iterdir())
