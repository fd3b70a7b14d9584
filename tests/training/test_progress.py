import io
import re
import sys

import pytest

from striate.training.counting import Counter, CounterLine
from striate.training.progress import (
    Lines,
    Live,
    Quiet,
    bottleneck,
    create_progress,
    epoch_line,
    epoch_parts,
    in_lines,
    times,
)

FIGURES = {"loss": 1.25, "accuracy": 0.5, "images_per_second": 1234.5, "left": 75.0, "loading_share": 0.4}
ROW = {
    "epoch": 2,
    "train_loss": 0.51234,
    "train_accuracy": 0.8123,
    "val_loss": 0.6,
    "val_accuracy": 0.75,
}
TIMING = {"seconds": 65.2, "validation_seconds": 120.0, "images_per_second": 1500.0, "loading_share": 0.1}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_a_terminal(monkeypatch, columns: int = 200) -> Terminal:
    """Where standard error goes from now on."""
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    return shown


def test_bottleneck_names_what_training_waits_for():
    assert bottleneck(0.05) == "computing-bound (5% waiting for images)"
    assert bottleneck(0.8) == "loading-bound (80% waiting for images)"


def test_the_line_of_an_epoch_holds_its_figures():
    line = epoch_line(ROW, 10, TIMING)
    for part in ("epoch 2/10", "0.5123", "81.23%", "0.6000", "75.00%", "1,500 images/s", "computing-bound"):
        assert part in line
    assert "3m05s (2m00s validating)" in line
    assert "val loss" not in epoch_line(ROW | {"val_loss": "", "val_accuracy": ""}, 10, TIMING)


def test_a_validation_of_no_time_or_of_an_earlier_version_is_not_spoken_of():
    assert times({"seconds": 65.2, "validation_seconds": 0.2}) == "1m05s"
    assert times({"seconds": 65.2, "validation_seconds": ""}) == times({"seconds": 65.2}) == "1m05s"


def test_the_losses_of_auxiliary_heads_are_shown():
    line = epoch_line(ROW | {"train_inception4a_loss": 1.25, "train_total_loss": 2.5}, 10, TIMING)
    assert "accuracy 81.23% | inception4a loss 1.2500 | total loss 2.5000 | val loss 0.6000" in line


def test_lines_go_to_standard_error_one_for_an_epoch_and_rarely_within(capsys):
    lines = Lines()
    lines.start(10, 100)
    for step in range(1, 50):
        lines.step(1, step, FIGURES)
    lines.epoch(ROW, TIMING)
    lines.message("stopped")
    lines.stop()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [epoch_line(ROW, 10, TIMING), "stopped"]


def test_a_line_is_written_at_once_so_that_an_interrupt_comes_before_or_after_it(monkeypatch):
    written = []
    monkeypatch.setattr(sys.stderr, "write", written.append)
    Lines().message("stopped")
    assert written == ["stopped\n"]


def test_a_long_epoch_shows_where_it_stands(capsys):
    lines = Lines()
    lines.every = -1.0
    lines.start(10, 100)
    lines.step(3, 7, FIGURES)
    err = capsys.readouterr().err
    for part in ("epoch 3/10", "step 7/100", "1.2500", "50.00%", "1m15s left", "loading-bound"):
        assert part in err


def test_the_live_display_draws_on_a_terminal_and_keeps_the_epochs_lines(monkeypatch):
    terminal = on_a_terminal(monkeypatch)
    live = Live()
    live.message("before [the] bar")
    live.start(10, 100)
    for step in (1, 50, 100):
        live.step(1, step, FIGURES)
    live.epoch(ROW, TIMING)
    live.message("a message with [brackets] and a :cat:")
    live.stop()
    live.message("after")
    shown = terminal.getvalue()
    for part in ("before [the] bar", "epoch 2/10", "val loss 0.6000", "a message with [brackets] and a :cat:", "after"):
        assert part in shown


def drawn(live: Live, terminal: Terminal) -> str:
    """The line of the bar as a terminal shows it now."""
    terminal.seek(0)
    terminal.truncate()
    live.bar.refresh()
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", terminal.getvalue())


@pytest.mark.parametrize("columns", [30, 60, 80, 100, 200])
def test_what_is_said_of_an_epoch_is_whole_in_lines_that_fit(columns, monkeypatch):
    terminal = on_a_terminal(monkeypatch, columns)
    live = Live()
    live.start(10, 100)
    live.epoch(ROW, TIMING)
    live.message("a message is one line whatever its length " * 5)
    live.stop()
    lines = in_lines(epoch_parts(ROW, 10, TIMING), columns)
    assert all(line in terminal.getvalue() for line in lines)
    assert " | ".join(line.strip() for line in lines) == epoch_line(ROW, 10, TIMING)
    assert max(map(len, lines)) <= max(columns, 2 + max(map(len, epoch_parts(ROW, 10, TIMING))))
    assert "a message is one line whatever its length " * 5 in terminal.getvalue()


def test_what_is_said_of_an_epoch_breaks_between_its_parts():
    assert in_lines(epoch_parts(ROW, 10, TIMING), 80) == [
        "epoch 2/10 | train loss 0.5123 accuracy 81.23% | val loss 0.6000 accuracy 75.00%",
        "  1,500 images/s | 3m05s (2m00s validating)",
        "  computing-bound (10% waiting for images)",
    ]


#: The figures beside the bar, by importance: 11, 11, 14, 10, 14 and 38 columns, with gaps of 2.
SHOWN = (
    *("step 70/100", "loss 1.2500", "accuracy 50.0%", "1m15s left", "1,234 images/s"),
    "loading-bound (40% waiting for images)",
)


@pytest.mark.parametrize(
    ("columns", "bar", "figures"),  # by hand: 12 columns are the epoch's and the gaps'
    [(40, 17, 1), (42, 6, 2), (60, 8, 3), (80, 16, 4), (86, 6, 5), (126, 6, 6), (138, 18, 6), (200, 24, 6)],
)
def test_the_line_of_the_bar_fits_and_says_what_there_is_room_for(columns, bar, figures, monkeypatch):
    terminal = on_a_terminal(monkeypatch, columns)
    live = Live()
    live.start(10, 100)
    live.step(2, 70, FIGURES)
    line = drawn(live, terminal)
    live.stop()
    assert line == f"epoch 2/10 {line.split()[2]} {'  '.join(SHOWN[:figures])}"
    assert set(line.split()[2]) <= set("━╸╺")
    assert (len(line.split()[2]), len(line) <= columns) == (bar, True)


def test_80_columns_have_room_for_long_trainings_too(monkeypatch):
    terminal = on_a_terminal(monkeypatch, 80)
    live = Live()
    live.start(100, 12345)
    live.step(100, 12345, FIGURES | {"accuracy": 1.0, "left": 90_000.0})
    line = drawn(live, terminal)
    live.stop()
    assert line.replace("━", "") == "epoch 100/100  step 12345/12345  loss 1.2500  accuracy 100.0%  25h00m left"
    assert (len(line), line.count("━")) == (80, 6)


def test_the_bar_moves_through_validation_and_back(monkeypatch):
    terminal = on_a_terminal(monkeypatch, 80)
    live = Live()
    live.start(10, 100)
    live.step(2, 100, FIGURES)
    (task,) = live.bar.tasks
    for done in (0, 1250, 5000):
        live.validation(done, 5000)
        assert (task.completed, task.total) == (done, 5000)
        line = drawn(live, terminal)
        assert line.startswith("epoch 2/10 ")
        assert line.endswith(f" validating {done:,}/5,000 images")
        assert len(line) <= 80
    live.step(3, 1, FIGURES)
    assert (task.completed, task.total, task.description) == (1, 100, "epoch 3/10")
    assert "validating" not in drawn(live, terminal)
    live.validation(0, 0)
    assert drawn(live, terminal).endswith("validating 0/0 images")
    live.stop()


def test_validation_without_a_bar_is_told_in_lines_that_are_rare(monkeypatch, capsys):
    now = [1000.0]
    monkeypatch.setattr("striate.training.progress.time.monotonic", lambda: now[0])
    for display in (Lines(), Live()):  # one that was never started
        now[0] += 100
        display.last = now[0]
        shown = []
        for moment in (29, 31, 32, 62):
            now[0] = display.last + moment if moment == 29 else now[0] + 1 if moment == 32 else now[0] + 31
            display.validation(moment, 5000)
            shown += [moment] * bool(err := capsys.readouterr().err)
            assert err in ("", f"validating {moment}/5,000 images\n")
        assert shown == [31, 62]
    lines = Lines()
    lines.start(10, 100)
    lines.step(2, 100, FIGURES)
    now[0] += 31
    lines.validation(10, 20)
    assert capsys.readouterr().err == "epoch 2/10 | validating 10/20 images\n"


def test_the_bar_stands_where_the_step_is(monkeypatch):
    on_a_terminal(monkeypatch)
    live = Live()
    live.start(10, 100)
    (task,) = live.bar.tasks
    assert (task.completed, task.total) == (0, 100)
    live.step(2, 70, FIGURES)
    assert (task.completed, task.total, task.description) == (70, 100, "epoch 2/10")
    shown = (
        "step 70/100  loss 1.2500  accuracy 50.0%  1m15s left  1,234 images/s  loading-bound (40% waiting for images)"
    )
    assert task.fields["figures"] == shown
    live.stop()


def test_the_live_display_can_be_stopped_before_it_started(monkeypatch):
    terminal = on_a_terminal(monkeypatch)
    Live().stop()
    assert terminal.getvalue() == ""


def test_the_display_suits_where_standard_error_goes(monkeypatch):
    assert type(create_progress(quiet=True)) is Quiet
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert type(create_progress()) is Lines
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert type(create_progress()) is Live


def test_the_evaluation_of_the_result_is_counted_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert type(Lines().evaluating()) is Counter
    on_a_terminal(monkeypatch)
    counter = Live().evaluating()
    assert type(counter) is CounterLine
    assert counter.doing == "evaluating"


def test_quiet_shows_nothing(capsys):
    quiet = Quiet()
    quiet.start(1, 1)
    quiet.step(1, 1, FIGURES)
    quiet.validation(1, 2)
    quiet.epoch(ROW, TIMING)
    with quiet.evaluating() as shown:
        shown(1, 2)
    quiet.message("hush")
    quiet.stop()
    assert capsys.readouterr() == ("", "")


def test_the_bottleneck_changes_where_three_tenths_are_waiting():
    assert bottleneck(0.3) == "computing-bound (30% waiting for images)"
    assert bottleneck(0.301) == "loading-bound (30% waiting for images)"


def test_a_validation_counts_from_half_a_second():
    assert times({"seconds": 10.0, "validation_seconds": 0.5}) == "10s (0s validating)"
    assert times({"seconds": 10.0, "validation_seconds": 0.49}) == "10s"
    assert times({"seconds": 10.0, "validation_seconds": 51.0}) == "1m01s (51s validating)"


def test_the_whole_line_of_an_epoch():
    row = ROW | {"train_a_loss": 1.25}
    assert epoch_line(row, 10, TIMING) == (
        "epoch 2/10 | train loss 0.5123 accuracy 81.23% | a loss 1.2500 | val loss 0.6000 accuracy 75.00% | "
        "1,500 images/s | 3m05s (2m00s validating) | computing-bound (10% waiting for images)"
    )


def test_lines_within_an_epoch_come_after_half_a_minute_of_quiet(monkeypatch, capsys):
    now = [1000.0]
    monkeypatch.setattr("striate.training.progress.time.monotonic", lambda: now[0])
    lines = Lines()
    lines.start(10, 100)
    shown = []
    for moment, step in ((30, 1), (31, 2), (60, 3), (61, 4), (61.5, 5)):
        now[0] = 1000 + moment
        lines.step(1, step, FIGURES)
        shown += [step] * bool(capsys.readouterr().err)
    assert shown == [2, 5]
    now[0] = 1080
    lines.epoch(ROW, TIMING)
    capsys.readouterr()
    for moment, said in ((1109, False), (1111, True)):
        now[0] = moment
        lines.step(2, 1, FIGURES)
        err = capsys.readouterr().err
        assert bool(err) is said
    assert err == (
        "epoch 2/10 step 1/100 | loss 1.2500 accuracy 50.00% | 1,234 images/s | 1m15s left | loading-bound (40% "
        "waiting for images)\n"
    )
