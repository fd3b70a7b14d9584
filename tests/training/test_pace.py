"""How long is left: steps, validations still to come, and the evaluation at the end."""

import time

import pytest

from striate.training.pace import Pace
from striate.training.state import Position

PACE = Pace(steps=10, batch_size=8, validation_images=40, final_images=20)


def test_before_the_first_validation_a_forward_pass_is_a_third_of_a_step():
    # 3 epochs of 10 steps, 4 done, at 0.24 s; 3 validations and the end: 140 images at 0.24 / 8 / 3 = 0.01 s each
    assert PACE.left(Position([3], step_in_epoch=4), 0.24) == pytest.approx(26 * 0.24 + 140 * 0.01)


def test_later_the_last_validation_tells():
    timing = [{"validation_seconds": 9.0}, {"validation_seconds": 2.0}]
    position = Position([2, 1], epoch=2, step_in_epoch=10, timing=timing)
    assert PACE.left(position, 0.24) == pytest.approx(60 * 2.0 / 40)  # one validation, and the end


def test_rows_of_an_earlier_version_do_not_tell():
    position = Position([2], epoch=1, timing=[{"validation_seconds": ""}])
    assert PACE.left(position, 0.24) == pytest.approx(10 * 0.24 + 60 * 0.01)


def test_without_validation_there_are_only_steps():
    saved = Position([2], timing=[{"validation_seconds": 1.0}])
    assert Pace(10, 8).left(saved, 0.5) == pytest.approx(10)
    assert Pace(10, 8, final_images=48).left(saved, 0.5) == pytest.approx(10 + 1)  # 0.5 / 8 / 3 s each


def test_without_images_at_the_end_the_last_validation_tells_too():
    position = Position([2], epoch=1, timing=[{"validation_seconds": 3.0}])
    assert Pace(10, 8, validation_images=40).left(position, 0.5) == pytest.approx(10 * 0.5 + 3)


def test_a_slow_validation_is_written_down_and_counted_in_what_is_left(tmp_path, small, monkeypatch):
    from striate.training import loop, validation

    measure = validation.evaluate

    def slow(*arguments):
        time.sleep(0.3)
        return measure(*arguments)

    monkeypatch.setattr(validation, "evaluate", slow)
    monkeypatch.setattr(loop, "SHOW_EVERY", -1.0)
    run = small.training(tmp_path, small.recipe(epochs=2), final_images=64)
    shown = []
    run.progress.step = lambda epoch, step, figures: shown.append((epoch, figures["left"]))
    run.train()
    header, *rows = [line.split(",") for line in (tmp_path / "timing.csv").read_text().splitlines()]
    assert header == ["epoch", "seconds", "validation_seconds", "images_per_second", "loading_share"]
    for row in rows:
        assert float(row[2]) >= 0.3
        assert float(row[1]) < float(row[2])
    second = [left for epoch, left in shown if epoch == 2]
    assert all(left >= 0.9 for left in second)  # 32 images took 0.3 s, 96 are to come
    assert all(left < 0.9 for epoch, left in shown if epoch == 1)
