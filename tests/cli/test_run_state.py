"""Runs that break, fill the disk, or are wanted by two: nothing is lost and nothing half-written stays."""

import contextlib
import json
import resource
import shutil
import subprocess
from pathlib import Path

import pytest


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != ".lock"}


def test_a_finished_run_is_extended(cli, run):
    outcome = cli("train", "--resume", run, "--extend", 1, "--quiet")
    assert outcome.code == 0
    assert [row.split(",")[0] for row in (run / "metrics.csv").read_text().splitlines()] == ["epoch", "1", "2", "3"]


def test_resuming_a_finished_run_trains_nothing(cli, run):
    before = (run / "model.safetensors").read_bytes(), (run / "metrics.csv").read_bytes()
    outcome = cli("train", "--resume", run)
    assert outcome.code == 0
    assert "--extend N adds epochs" in outcome.err
    assert ((run / "model.safetensors").read_bytes(), (run / "metrics.csv").read_bytes()) == before


@pytest.mark.parametrize("damage", ["truncated", "emptied", "header", "text"])
def test_a_damaged_checkpoint_says_so_and_the_rest_stays(damage, cli, run):
    file = run / "last.ckpt"
    whole = file.read_bytes()
    spoilt = {"truncated": whole[:-100], "emptied": b"", "header": whole[:20] + b"#" + whole[21:], "text": b"hi " * 99}
    file.write_bytes(spoilt[damage])
    before = contents(run)
    outcome = cli("train", "--resume", run)
    assert outcome.code == 1
    assert "last.ckpt: the checkpoint is damaged" in outcome.line()
    assert contents(run) == before


def test_a_model_is_no_checkpoint(cli, run):
    shutil.copy(run / "model.safetensors", run / "last.ckpt")
    outcome = cli("train", "--resume", run)
    assert outcome.code == 1
    assert "not a checkpoint of striate" in outcome.line()


def test_a_checkpoint_of_another_network_does_not_fit(cli, run, colours):
    other = ("--model", "keras_mnist", "--epochs", 1, "--workers", 0, "--run", "other", "--quiet")
    assert cli("train", colours, *other).code == 0
    shutil.copy("other/last.ckpt", run / "last.ckpt")
    outcome = cli("train", "--resume", run)
    assert outcome.code == 1
    assert "last.ckpt: belongs to another run" in outcome.line()


def test_a_damaged_config_says_so(cli, run):
    (run / "config.json").write_text('{"network": ')
    outcome = cli("train", "--resume", run)
    assert outcome.code == 1
    assert "config.json: damaged" in outcome.line()
    (run / "config.json").write_text("{}")
    outcome = cli("train", "--resume", run)
    assert outcome.code == 1
    assert "config.json" in outcome.line()


def test_a_run_whose_images_have_changed_does_not_go_on(cli, paint, tmp_path):
    photos = paint(tmp_path / "photos")
    assert cli("train", photos, "--model", "lenet5", "--epochs", 1, "--run", "run", "--workers", 0).code == 0
    shutil.copy(photos / "red" / "0.png", photos / "blue" / "new.png")
    outcome = cli("train", "--resume", "run", "--extend", 1)
    assert outcome.code == 1
    assert "the images have changed" in outcome.line()


def test_a_run_goes_on_from_another_folder(cli, paint, tmp_path, monkeypatch):
    paint(Path("photos"))
    train = ("train", "photos", "--model", "lenet5", "--epochs", 1, "--run", "run", "--workers", 0, "--quiet")
    assert cli(*train).code == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert cli("train", "--resume", tmp_path / "here" / "run", "--extend", 1, "--quiet").code == 0
    assert cli("evaluate", tmp_path / "here" / "run").code == 0


def test_a_run_whose_images_moved_goes_on_where_they_are_now(cli, paint):
    paint(Path("photos"))
    train = ("train", "photos", "--model", "lenet5", "--epochs", 1, "--run", "run", "--workers", 0, "--quiet")
    assert cli(*train).code == 0
    Path("photos").rename("pictures")
    for command in (("train", "--resume", "run", "--extend", 1), ("evaluate", "run")):
        outcome = cli(*command)
        assert outcome.code == 1
        assert f"{Path.cwd() / 'photos'}: the images are not there any more" in outcome.line()
    assert "--resume run --data NEW_PLACE" in cli("train", "--resume", "run").line()
    assert cli("train", "--resume", "run", "--extend", 1, "--data", "pictures", "--quiet").code == 0
    assert json.loads(Path("run/config.json").read_text())["source"] == "pictures"
    assert cli("evaluate", "run").code == 0


def test_a_finished_run_whose_checkpoint_is_gone_is_not_trained_over(cli, run):
    (run / "last.ckpt").unlink()
    before = contents(run)
    for extend in ((), ("--extend", 2)):
        outcome = cli("train", "--resume", run, *extend)
        assert outcome.code == 1
        assert "last.ckpt is gone" in outcome.line()
        assert f"--weights {run / 'model.safetensors'}" in outcome.line()
    assert contents(run) == before


def test_a_checkpoint_is_dropped_at_the_end_when_asked(cli, colours):
    train = ("train", colours, "--model", "lenet5", "--epochs", 1, "--workers", 0, "--run", "run")
    outcome = cli(*train, "--drop-checkpoint")
    assert outcome.code == 0
    assert "run/last.ckpt is removed" in outcome.err
    assert not Path("run/last.ckpt").exists()
    assert "last.ckpt was dropped" in cli("train", "--resume", "run", "--extend", 1).line()
    assert cli("predict", "run", colours / "red" / "1.png").code == 0


def test_a_time_limit_stops_cleanly_and_says_how_to_go_on(cli, colours):
    train = ("--model", "lenet5", "--epochs", 3000, "--workers", 0, "--time-limit", "0.5s", "--run", "run")
    outcome = cli("train", colours, *train)
    assert outcome.code == 0
    done = len(Path("run/metrics.csv").read_text().splitlines()) - 1
    line = f"stopped in epoch {done + 1} of 3000 (time limit); everything is saved. Go on with: striate train --resume"
    assert f"{line} run" in outcome.err
    assert outcome.out.startswith("top-1")


def test_a_folder_below_a_file_cannot_be_written(cli, colours, tmp_path):
    (tmp_path / "file").write_text("")
    outcome = cli("train", colours, "--model", "lenet5", "--run", tmp_path / "file" / "run")
    assert outcome.code == 1
    assert f"{tmp_path / 'file' / 'run'}: cannot be written (Not a directory)" in outcome.line()
    outcome = cli("train", colours, "--model", "lenet5", "--run", tmp_path / "file")
    assert outcome.code == 2
    assert "never overwritten" in outcome.line()


@contextlib.contextmanager
def largest_file(size: int):
    """Files cannot grow beyond `size` bytes meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_checkpoint_that_cannot_be_written_leaves_the_older_files_whole(cli, run):
    before = contents(run)
    with largest_file(100_000):
        outcome = cli("train", "--resume", run, "--extend", 1, "--quiet")
    assert outcome.code == 1
    assert "last.ckpt: the disk is full" in outcome.line()
    assert contents(run) == before
    assert cli("train", "--resume", run, "--extend", 1, "--quiet").code == 0
    assert len((run / "metrics.csv").read_text().splitlines()) == 4


def test_a_first_checkpoint_that_cannot_be_written_leaves_no_folder(cli, colours):
    with largest_file(100_000):
        outcome = cli("train", colours, "--model", "lenet5", "--quiet", "--workers", 0)
    assert outcome.code == 1
    assert not list(Path.cwd().iterdir())


@pytest.fixture
def small_disk(tmp_path):
    """Mounts a disk of its own: small_disk(size, *options) -> its folder."""
    mounted = []

    def mount(options: str) -> Path:
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True)
        if done.returncode:
            pytest.skip("mounting a small disk needs more rights than these tests have")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_one_line_and_the_older_files_stay(cli, run, small_disk):
    disk = small_disk("size=2m")
    shutil.copytree(run, disk / "run")
    with open(disk / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))
    before = contents(disk / "run")
    outcome = cli("train", "--resume", disk / "run", "--extend", 1, "--quiet")
    assert outcome.code == 1
    assert "the disk is full" in outcome.line()
    assert contents(disk / "run") == before
    (disk / "filler").unlink()
    assert cli("train", "--resume", disk / "run", "--extend", 1, "--quiet").code == 0


def test_a_disk_that_is_too_small_for_a_run(cli, colours, small_disk):
    disk = small_disk("size=200k")
    outcome = cli("train", colours, "--model", "lenet5", "--run", disk / "run", "--quiet", "--workers", 0)
    assert outcome.code == 1
    assert "the disk is full" in outcome.line()
    assert not list(disk.iterdir())


def test_a_disk_that_may_only_be_read(cli, colours, small_disk):
    disk = small_disk("ro")
    outcome = cli("train", colours, "--model", "lenet5", "--run", disk / "run")
    assert outcome.code == 1
    assert f"{disk / 'run'}: cannot be written (Read-only file system)" in outcome.line()


def test_one_process_at_a_time(cli, run, colours):
    from striate.training.run_folder import RunFolder

    training = RunFolder.open(run)
    try:
        outcome = cli("train", "--resume", run)
        assert outcome.code == 1
        assert "another process is training in this folder" in outcome.line()
        assert cli("train", colours, "--run", run).code == 2
        assert json.loads(cli("predict", run, colours, "--json").out)["predictions"]
    finally:
        training.unlock()
