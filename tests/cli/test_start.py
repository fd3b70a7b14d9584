"""The first and the last thing that happens: signals before anything heavy, and the end of a process of its own."""

import signal
import threading

import pytest

from striate.cli import start


@pytest.fixture
def happened(monkeypatch) -> list[object]:
    """What happens in order: signals that are taken, the command, the process' own end."""
    done = []
    monkeypatch.setattr("_signal.signal", lambda number, handler: done.append((number, handler)))
    monkeypatch.setattr("striate.cli.app.run", lambda alone: done.append(("run", alone)))
    monkeypatch.setattr(start, "_end_process", lambda code: done.append(code))
    return done


@pytest.mark.parametrize("alone", [False, True])
def test_ctrl_c_and_termination_leave_at_once_before_the_command_is_known(happened, alone):
    start.main(alone)
    first = [(signal.SIGINT, start.leave_at_once), (signal.SIGTERM, start.leave_at_once)]
    assert happened == [*first, ("run", alone)]


@pytest.fixture(params=[0, 1, 2, 130])
def code(request, monkeypatch, happened) -> int:
    """What the command leaves with."""

    def run(alone):
        happened.append(alone)
        raise SystemExit(request.param)

    monkeypatch.setattr("striate.cli.app.run", run)
    return request.param


def test_a_process_of_its_own_ends_without_pythons_end(code, happened):
    start.process()
    assert happened[2:] == [True, code]


def test_a_program_that_runs_a_command_goes_on(code, happened):
    with pytest.raises(SystemExit) as leaving:
        start.main()
    assert leaving.value.code == code
    assert happened[2:] == [False]


def test_outside_the_main_thread_signals_are_not_its_business(monkeypatch):
    ran = []
    monkeypatch.setattr("striate.cli.app.run", lambda alone: ran.append(threading.current_thread()))
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    thread = threading.Thread(target=start.main)
    thread.start()
    thread.join()
    assert ran == [thread]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
