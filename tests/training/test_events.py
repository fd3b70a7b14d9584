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


def test_each_event_stands_at_its_epoch_under_its_kind(tmp_path, monkeypatch):
    """What a folder of events is written with; the names that TensorBoard groups by stand in front."""
    written = []

    class Writer:
        def __init__(self, folder, purge_step):
            written.append((folder, purge_step))

        def add_scalar(self, *values):
            written.append(values)

        def flush(self):
            written.append("flushed")

        def close(self):
            written.append("closed")

    monkeypatch.setattr("torch.utils.tensorboard.SummaryWriter", Writer)
    events = Events(tmp_path / "events")
    events.close()
    for epoch in (4, 5):
        row = {"epoch": epoch, "step": 9, "learning_rate": 0.0, "train_accuracy": 0.5, "val_top5": "", "val_loss": 2}
        events.write(row)
    events.close()
    events.close()
    scalars = [
        [("rate/learning", 0.0, epoch), ("accuracy/train", 0.5, epoch), ("loss/val", 2, epoch), "flushed"]
        for epoch in (4, 5)
    ]
    assert written == [(str(tmp_path / "events"), 4), *scalars[0], *scalars[1], "closed"]
