"""Training in processes of its own, stopped from outside: everything is saved, and --resume goes on to the end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import striate


def wait_for(path: Path, process: subprocess.Popen) -> None:
    for _ in range(1200):
        if path.exists():
            return
        if process.poll() is not None:
            raise AssertionError(process.communicate()[1])
        time.sleep(0.05)
    raise AssertionError(f"no {path.name} within a minute")


def finish(run: Path) -> None:
    """Resume and check that the run is whole."""
    assert striate.resume(run, quiet=True, workers=0, report=False).evaluation is not None
    rows = (run / "metrics.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", *map(str, range(1, len(rows)))]
    assert not [path.name for path in run.iterdir() if path.name.startswith(".") and path.name != ".lock"]


@pytest.fixture
def training(start, paint, tmp_path):
    """Start a training that is well under way: training(workers) -> (its process, its run folder)."""
    processes = []

    def begin(workers: int, epochs: int = 8) -> tuple[subprocess.Popen, Path]:
        photos, run = paint(tmp_path / "photos", count=100), tmp_path / "run"
        options = ("--model", "lenet5", "--batch-size", 4, "--epochs", epochs, "--workers", workers, "--run", run)
        processes.append(start("train", photos, *options))
        wait_for(run / "metrics.csv", processes[-1])
        return processes[-1], run

    yield begin
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.parametrize(
    ("number", "workers"), [(signal.SIGINT, 2), pytest.param(signal.SIGTERM, 0, marks=pytest.mark.slow)]
)
def test_stopped_by_a_signal_it_saves_all_and_says_how_to_go_on(number, workers, training):
    process, run = training(workers)
    os.killpg(process.pid, number)  # as a terminal does: to the workers as well
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    assert last.startswith("striate: stopped in epoch ")
    assert f"striate train --resume {run}" in last
    assert (run / "last.ckpt").exists()
    assert (run / "model.safetensors").exists()
    finish(run)


@pytest.mark.slow
def test_termination_reaches_the_workers_too(training):
    process, run = training(2)
    os.killpg(process.pid, signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("striate: stopped in epoch ")
    finish(run)


@pytest.mark.slow
def test_interrupted_before_training_it_leaves_nothing(start, paint, tmp_path):
    photos, run = paint(tmp_path / "photos", count=400, side=64), tmp_path / "run"
    for delay in (0.5, 1.5, 2.5):
        process = start("train", photos, "--model", "lenet5", "--run", run)
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "Traceback" not in err
        assert len(err.splitlines()) <= 8
        assert not run.exists() or (run / "last.ckpt").exists()


@pytest.mark.slow
def test_killed_and_resumed_it_comes_to_the_end(training):
    process, run = training(0)
    process.kill()
    process.communicate()
    assert (run / "last.ckpt").exists()
    finish(run)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are listed on Linux alone")
def test_a_worker_that_is_killed_is_told_in_one_line_and_the_run_goes_on(training):
    process, run = training(2, epochs=2000)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    worker = next(child for child in children if "tracker" not in Path(f"/proc/{child}/cmdline").read_text())
    os.kill(int(worker), signal.SIGKILL)  # as the kernel does where memory runs out
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    assert last.startswith("striate: a worker process that reads images was killed by signal 9 (SIGKILL); most likely")
    assert "Fewer workers (--workers 1)" in last
    assert last.endswith(f"Go on with: striate train --resume {run}")
    resumed = striate.resume(run, quiet=True, workers=0, report=False, time_limit=2)
    assert resumed.evaluation is not None


def test_two_processes_do_not_share_a_run_folder(training, start):
    process, run = training(0, epochs=2000)
    process.send_signal(signal.SIGSTOP)  # it holds the folder all the same, and takes no time from the others
    second = start("train", "--resume", run)
    third = start("train", run.parent / "photos", "--run", run)
    _, err = second.communicate(timeout=60)
    assert second.returncode == 1
    assert err.startswith("striate: ")
    assert "another process is training in this folder" in err
    _, err = third.communicate(timeout=60)
    assert third.returncode == 2
    assert "never overwritten" in err
    process.send_signal(signal.SIGCONT)
    rows = (run / "metrics.csv").read_text()
    for _ in range(600):
        if (run / "metrics.csv").read_text() != rows:
            break
        time.sleep(0.05)
    assert process.poll() is None
    assert (run / "metrics.csv").read_text() != rows  # it trains on


@pytest.mark.slow
def test_a_reader_who_leaves_stops_nothing_badly(training, start, paint, tmp_path):
    photos, run = paint(tmp_path / "more", count=20), tmp_path / "piped"
    train = f"-m striate train {photos} --model lenet5 --epochs 5 --workers 0 --run {run}"
    shell = f"{sys.executable} {train} 2>&1 | head -1"
    subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=60)
    assert run.exists() == (run / "last.ckpt").exists()  # a run that can go on, or none
    if run.exists():
        finish(run)
