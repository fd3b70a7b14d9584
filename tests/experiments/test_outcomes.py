"""What an experiment came to, as a row, as lines, and as the record on the disk."""

import json
from pathlib import Path

import pytest

from striate.errors import StriateError, UsageError
from striate.experiments import Outcome, Results
from striate.experiments.folder import ExperimentFolder
from striate.experiments.outcomes import DONE, MISSING, STOPPED, WAITING

MEASURED = {"accuracy": 0.75, "low": 0.5, "high": 0.875, "train_accuracy": 1.0, "of_epochs": 40, "seconds": 90.0}
DID = Outcome("a", "this", 0.72, DONE, asked={"epochs": 40}, epochs=40, best_epoch=7, **MEASURED)
CUT = Outcome("b", "that", None, STOPPED, "time limit", asked={"epochs": 40}, epochs=12, **MEASURED)
NOT = Outcome("c", "more", 0.97, MISSING, "no weights")
LEFT = Outcome("d", "last", None, WAITING, "time limit")


def results(path, *outcomes, fingerprint="f"):
    images = {"source": "photos", "fingerprint": fingerprint, "train": 2000, "val": 1000, "measured": "val"}
    return Results("small", "What?", "Nobody (1900)", "2,000 photographs", Path(path), images, outcomes)


def test_rows_say_what_was_measured_how_long_and_what_the_source_says():
    assert DID.row() == ["a", "75.0%", "50.0% to 87.5%", "100.0%", "40", "1.5", "72%", "this"]
    assert CUT.row() == ["b", "75.0%", "50.0% to 87.5%", "100.0%", "12 of 40", "1.5", "", "that"]
    assert NOT.row() == ["c", "missing", "", "", "", "", "97%", "more"]
    assert LEFT.row()[:2] == ["d", "waiting"]


def test_notes_say_of_what_the_figures_are_and_what_is_not_done():
    found = results("here", DID, CUT, NOT, NOT)
    assert found.notes()[0] == (
        "accuracy",
        "of the best epoch's weights, on 1,000 validation images of photos, after 2,000 to train on",
    )
    assert found.notes()[2:] == [
        ("the source", "Nobody (1900); 2,000 photographs"),
        ("stopped", "b: time limit"),
        ("missing", "c, c: no weights"),
    ]
    assert "1 of 4 steps done" in repr(found)


@pytest.mark.parametrize(("outcomes", "done"), [((DID, NOT), True), ((DID, CUT), False), ((DID, LEFT), False)])
def test_it_is_done_when_nothing_is_left_that_could_be(outcomes, done):
    assert results("here", *outcomes).done is done


def test_the_record_is_read_as_it_was_written(tmp_path):
    folder = ExperimentFolder(tmp_path / "new" / "run")
    assert folder.read("small", "f") == {}
    folder.write(results(folder.path, DID, NOT))
    assert folder.read("small", "f") == {"a": DID, "c": NOT}
    assert "| a | 75.0% |" in folder.page.read_text(encoding="utf-8")
    assert not folder.curves.exists()  # there is no run to draw
    with pytest.raises(UsageError, match="holds the experiment small, not large"):
        folder.read("large", "f")
    with pytest.raises(UsageError, match="on other images, those of photos"):
        folder.read("small", "g")


@pytest.mark.parametrize("spoil", [lambda text: text[:-9], lambda text: "{}", lambda text: text.replace("best_", "")])
def test_a_damaged_record_is_one_line(spoil, tmp_path):
    folder = ExperimentFolder(tmp_path)
    folder.write(results(tmp_path, DID))
    folder.record.write_text(spoil(folder.record.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(StriateError, match=r"experiment\.json: cannot be read or damaged"):
        folder.read("small", "f")


def test_only_what_was_measured_is_drawn(tmp_path, laid_out):
    folder = ExperimentFolder(tmp_path)
    for outcome in (DID, NOT):
        (tmp_path / outcome.name).mkdir()
        table = "epoch,train_accuracy,val_accuracy\n1,0.5,0.25\n2,1.0,\n"
        (tmp_path / outcome.name / "metrics.csv").write_text(table, encoding="utf-8")
    folder.write(results(tmp_path, DID, NOT))
    assert len(laid_out) == 1
    assert "curves.png" in folder.page.read_text(encoding="utf-8")
    assert json.loads(folder.record.read_text(encoding="utf-8"))["steps"][0]["best_epoch"] == 7
