"""Ctrl-C while a command starts: exit code 130, one line, no traceback, no run folder without a checkpoint."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from striate.cli.interrupt import importing
from striate.errors import StriateError

#: Number of SIGTERM in a mask of signals; Python itself leaves that signal alone, so who catches it has begun.
TERMINATION = 1 << (signal.SIGTERM - 1)

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to see a start")


def wait_until_it_heeds_signals(process: subprocess.Popen) -> None:
    """Until then Python's own start, which nobody can catch, is at work."""
    for _ in range(6000):
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("SigCgt:") and int(line.split()[1], 16) & TERMINATION:
                return
        time.sleep(0.002)
    raise AssertionError("it never began")


def interrupt(start, delay: float, *command: object) -> tuple[int, str]:
    """Start a command, send Ctrl-C to it and its children so many seconds on; exit code and standard error."""
    process = start(*command)
    try:
        wait_until_it_heeds_signals(process)
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=120)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return process.returncode, err


def check_left_cleanly(code: int, err: str, run: Path) -> None:
    assert code == 130, err
    assert "Traceback" not in err
    assert "terminate" not in err
    assert [line for line in err.splitlines() if line.startswith("striate: ")] == err.splitlines()[-1:]
    assert not run.exists() or (run / "last.ckpt").exists()


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.4])
def test_a_training_that_starts_is_left_at_once(delay, start, colours, tmp_path):
    run = tmp_path / "run"
    outcome = interrupt(start, delay, "train", colours, "--model", "lenet5", "--epochs", 5000, "--run", run)
    check_left_cleanly(*outcome, run)


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(60))
def test_a_training_that_starts_is_left_at_any_moment(moment, start, colours, tmp_path):
    run = tmp_path / "run"
    command = ("train", colours, "--model", "resnet20_cifar", "--epochs", 5000, "--workers", 2, "--run", run)
    check_left_cleanly(*interrupt(start, moment / 15, *command), run)


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(10))
@pytest.mark.parametrize("command", ["summary", "predict"])
def test_other_commands_are_left_too(command, moment, start, run, colours):
    arguments = {"summary": ("summary", "nasnet_large"), "predict": ("predict", run, colours)}[command]
    process = start(*arguments)
    wait_until_it_heeds_signals(process)
    time.sleep(moment / 8)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode in (0, 130), err
    assert "Traceback" not in err


LATE = """
import signal, sys, os
sys.path.insert(0, {folder!r})
from striate.cli import interrupt
interrupt.heed_interrupts()
try:
    import slow_module
    while True: pass
except KeyboardInterrupt:
    print("raised", "imported" if sys.modules.get("slow_module") and slow_module.done else "halfway")
"""


def within_an_import(tmp_path: Path, times: int) -> subprocess.CompletedProcess:
    """A process in which Ctrl-C comes so many times while a module is imported."""
    body = f"import os, signal, time\nfor _ in range({times}):\n    os.kill(os.getpid(), signal.SIGINT)\n"
    (tmp_path / "slow_module.py").write_text(body + "time.sleep(0.2)\ndone = True\n")
    script = LATE.format(folder=str(tmp_path)).replace(
        "import slow_module\n", "import slow_module\n    while 1: pass\n"
    )
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)


def test_an_interrupt_waits_until_an_import_is_done(tmp_path):
    done = within_an_import(tmp_path, 1)
    assert (done.returncode, done.stdout, done.stderr) == (0, "raised imported\n", "")


def test_a_second_interrupt_does_not_wait(tmp_path):
    done = within_an_import(tmp_path, 2)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "striate: interrupted\n")


def test_importing_is_seen_from_the_frames(tmp_path, monkeypatch):
    assert not importing(sys._getframe())
    (tmp_path / "looks_around.py").write_text(
        "import sys\nfrom striate.cli.interrupt import importing\nfound = importing(sys._getframe())\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import looks_around

    assert looks_around.found


def test_a_forked_worker_leaves_the_decision_to_its_main_process():
    from striate.cli.interrupt import Handler

    handler = Handler()
    handler.process = os.getpid() + 1
    try:
        handler(signal.SIGINT, None)
    except KeyboardInterrupt:
        pytest.fail("a worker was interrupted by itself")
    handler.process = os.getpid()
    with pytest.raises(KeyboardInterrupt):
        handler(signal.SIGINT, None)


@pytest.fixture
def handlers():
    """Puts back those of the tests' own process."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_this_process_an_interrupt_is_exit_code_130(number, cli, monkeypatch):
    monkeypatch.setattr("striate.classifier.checking.open_dataset", lambda *_, **__: os.kill(os.getpid(), number))
    outcome = cli("check", "digits")
    assert outcome.code == 130
    assert outcome.line() == "striate: interrupted"


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize(
    ("end", "code"),
    [(StriateError("damaged"), 130), (ValueError("no shape"), 130), (typer.Exit(1), 130), (typer.Exit(0), 0)],
    ids=repr,
)
def test_an_interrupt_that_a_library_made_an_error_of_is_told_as_what_it_is(end, code, cli, monkeypatch):
    """As PyTorch does with one that comes while it asks a storage for its length."""

    def swallowing(*_, **__):
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        raise end

    monkeypatch.setattr("striate.classifier.checking.open_dataset", swallowing)
    outcome = cli("check", "digits")
    assert (outcome.code, outcome.err) == (code, "striate: interrupted\n" if code else "")


@pytest.mark.parametrize(("code", "waited"), [(0, ["threads"]), (2, ["threads"]), (130, [])])
def test_the_end_stops_the_readers_and_loses_no_output(monkeypatch, code, waited):
    import atexit
    import threading

    from striate.cli import start

    done = []
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(getattr(sys, stream), "flush", lambda stream=stream: done.append(stream))
    monkeypatch.setattr(threading, "_shutdown", lambda: done.append("threads"))
    monkeypatch.setattr(atexit, "_run_exitfuncs", lambda: done.append("exit functions"))
    monkeypatch.setattr("_signal.signal", lambda number, handler: done.append((number, handler)))
    monkeypatch.setattr(os, "_exit", done.append)
    start._end_process(code)
    assert done == [(signal.SIGINT, signal.SIG_IGN), *waited, "exit functions", "stdout", "stderr", code]


SWALLOWED = """
import signal, sys, os, time
from striate.cli import interrupt
interrupt.heed_interrupts(alone={alone})
class Ends:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0)  # the interrupt is raised here, where nothing can be raised
try:
    Ends()
    time.sleep(5)
except KeyboardInterrupt:
    print("raised", interrupt.was_interrupted())
"""


@pytest.mark.parametrize(("alone", "out"), [(True, "raised True\n"), (False, "")])
def test_an_interrupt_where_nothing_can_be_raised_comes_again(alone, out):
    code = SWALLOWED.format(alone=alone) if alone else SWALLOWED.format(alone=alone).replace("sleep(5)", "sleep(0.1)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (0, out, not alone)


def test_what_comes_again_is_waited_for_and_was_not_raised_yet(monkeypatch):
    from striate.cli import interrupt

    handler, waits = interrupt.Handler(), []
    monkeypatch.setattr(handler, "_wait", lambda: waits.append(1))
    handler.raised = True
    handler.swallowed(SimpleNamespace(exc_type=KeyboardInterrupt))
    assert (handler.waiting, handler.raised, waits) == (True, False, [1])  # a second one leaves at once


def test_other_things_that_cannot_be_raised_are_told_as_python_has_it():
    code = (
        "from striate.cli import interrupt; interrupt.heed_interrupts(alone=True)\n"
        "class Ends:\n    def __del__(self): raise ValueError('lost')\n"
        "Ends()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert "ValueError: lost" in done.stderr


def test_ctrl_c_and_termination_are_heeded_alike(monkeypatch):
    from striate.cli import interrupt

    heeded = {}
    monkeypatch.setattr(signal, "signal", heeded.__setitem__)
    interrupt.heed_interrupts()
    assert heeded.keys() == {signal.SIGINT, signal.SIGTERM}
    assert heeded[signal.SIGINT] is heeded[signal.SIGTERM]
    assert isinstance(heeded[signal.SIGINT], interrupt.Handler)


def test_outside_the_main_thread_nothing_is_heeded_and_nothing_left_behind(monkeypatch):
    import atexit
    import threading

    from striate.cli import interrupt

    done = []
    monkeypatch.setattr(signal, "signal", lambda *said: done.append(said))
    monkeypatch.setattr(atexit, "register", lambda *said: done.append(said))

    def leave():
        interrupt.heed_interrupts()
        with pytest.raises(SystemExit) as leaving:
            interrupt.leave(3)
        codes.append(leaving.value.code)

    codes = []
    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()
    assert (codes, done) == ([3], [])
    with pytest.raises(SystemExit) as leaving:
        interrupt.leave(4)
    assert leaving.value.code == 4
    assert done == [(signal.signal, signal.SIGINT, signal.SIG_IGN)]  # once Python takes itself down


def test_an_interrupt_looks_again_until_the_import_is_done(monkeypatch):
    import _thread
    import threading

    from striate.cli import interrupt

    looks, timers = iter([True, True, False, True, True]), []

    class Timer:
        def __init__(self, seconds, function):
            timers.append((seconds, function, self))

        def start(self):
            assert self.daemon  # a process that is done does not wait for it

    left = []
    monkeypatch.setattr(interrupt, "importing", lambda frame: next(looks))
    monkeypatch.setattr(interrupt, "leave_at_once", lambda number, frame: left.append(number))
    monkeypatch.setattr(threading, "Timer", Timer)
    handler = interrupt.Handler()
    monkeypatch.setattr(_thread, "interrupt_main", lambda: handler(signal.SIGINT, None))
    handler(signal.SIGTERM, None)
    assert [seconds for seconds, *_ in timers] == [interrupt.PATIENCE]
    timers[0][1]()  # still importing
    assert len(timers) == 2
    with pytest.raises(KeyboardInterrupt):
        timers[1][1]()
    assert (left, len(timers)) == ([], 2)
    handler(signal.SIGINT, None)  # another, within another import
    handler(signal.SIGTERM, None)  # and somebody insists
    assert left == [signal.SIGTERM]
