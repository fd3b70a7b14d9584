import csv
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from filelock import FileLock

from striate.caller import by_flags
from striate.errors import StriateError, UsageError
from striate.training.run_folder import RunFolder

HOLDER = """
    import sys, time
    from striate.training.run_folder import RunFolder
    run = RunFolder.open(sys.argv[1])
    print("locked", flush=True)
    time.sleep(60)
"""


def hold(path: Path) -> subprocess.Popen:
    """Another process that has the folder locked."""
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A run folder that nobody is writing to."""
    run = RunFolder.create(tmp_path / "run", "photos")
    run.write_config({"model": "lenet5"})
    run.unlock()
    return run.path


def test_a_new_folder_is_made_with_its_parents(tmp_path):
    run = RunFolder.create(tmp_path / "a" / "b", "photos")
    assert run.path == tmp_path / "a" / "b"
    assert run.path.is_dir()


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "run").mkdir()
    assert RunFolder.create(tmp_path / "run", "photos").path == tmp_path / "run"


def test_an_existing_run_is_never_overwritten(finished):
    before = {entry.name: entry.read_bytes() for entry in finished.iterdir()}
    with pytest.raises(UsageError, match=r"exists already.*striate\.resume"):
        RunFolder.create(finished, "photos")
    assert {entry.name: entry.read_bytes() for entry in finished.iterdir()} == before


def test_a_folder_that_is_no_run_is_not_overwritten_either(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="exists already") as error:
        RunFolder.create(tmp_path, "photos")
    assert "resume" not in str(error.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["letter.txt"]


def test_a_folder_in_which_nothing_was_trained_goes_away_again(tmp_path):
    run = RunFolder.create(tmp_path / "run", "photos")
    run.write_config({})
    run.remove_if_unstarted()
    assert not run.path.exists()


@pytest.mark.parametrize("at", ["mkdir", "acquire"])
@pytest.mark.parametrize("path", [None, "runs/new"])
def test_an_interrupt_while_it_is_made_leaves_nothing_of_it(tmp_path, monkeypatch, at, path):
    monkeypatch.chdir(tmp_path)
    owner = {"mkdir": Path, "acquire": FileLock}[at]
    real = getattr(owner, at)

    def done_and_interrupted(*given, **how):
        real(*given, **how)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, at, done_and_interrupted)
    with pytest.raises(KeyboardInterrupt):
        RunFolder.create(path, "photos")
    assert not list(tmp_path.iterdir())


def test_an_interrupt_leaves_the_lock_of_another(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    other = RunFolder.create(tmp_path / "run", "photos")
    (tmp_path / "run" / ".lock").rename(tmp_path / "lock")  # so that the folder passes for an empty one

    def interrupted(*given, **how):
        (tmp_path / "lock").rename(tmp_path / "run" / ".lock")
        raise KeyboardInterrupt

    monkeypatch.setattr(FileLock, "acquire", interrupted)
    with pytest.raises(KeyboardInterrupt):
        RunFolder.create(tmp_path / "run", "photos")
    assert (tmp_path / "run" / ".lock").exists()
    other.unlock()


def test_a_folder_with_a_training_or_with_other_things_in_it_stays(tmp_path):
    for name in ("last.ckpt", "model.safetensors", "letter.txt"):
        run = RunFolder.create(tmp_path / name, "photos")
        (run.path / name).write_text("precious")
        run.remove_if_unstarted()
        assert (run.path / name).read_text() == "precious"


def test_a_file_is_not_taken_for_a_folder(tmp_path):
    (tmp_path / "run").write_text("mine")
    for path in (tmp_path / "run", tmp_path / "run" / "below"):
        with pytest.raises(StriateError, match="run") as error:
            RunFolder.create(path, "photos")
        assert "\n" not in str(error.value)
    assert (tmp_path / "run").read_text() == "mine"


def test_folders_without_a_name_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = [RunFolder.create(None, "photos") for _ in range(3)]
    assert [run.path for run in runs] == [Path("runs/photos"), Path("runs/photos-2"), Path("runs/photos-3")]
    assert RunFolder.create(None, "other").path == Path("runs/other")


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not hold for root")
def test_a_folder_that_may_not_be_written_to_is_one_clear_line(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StriateError, match="cannot be written"):
            RunFolder.create(tmp_path / "run", "photos")
    finally:
        tmp_path.chmod(0o700)


def test_resuming_needs_a_run(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        RunFolder.open(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no run folder"):
        RunFolder.open(tmp_path)


def test_one_process_at_a_time_and_a_killed_one_lets_go(finished):
    process = hold(finished)
    try:
        with pytest.raises(StriateError, match="another process"):
            RunFolder.open(finished)
        process.send_signal(signal.SIGKILL)
        process.wait()
        run = RunFolder.open(finished)
    finally:
        process.kill()
        process.wait()
    run.unlock()


def test_the_lock_holds_within_a_process_until_unlocked(finished):
    first = RunFolder.open(finished)
    with pytest.raises(StriateError, match="another process"):
        RunFolder.open(finished)
    first.unlock()
    second = RunFolder.open(finished)
    second.unlock()
    second.unlock()


def test_a_run_is_made_and_taken_away_again_on_windows(tmp_path, windows):
    run = RunFolder.create(tmp_path / "run", "photos")
    run.write_config({"workers": 0})
    with pytest.raises(StriateError, match="another process"):
        RunFolder.open(run.path)
    run.unlock()
    again = RunFolder.open(run.path)
    again.write_table(again.metrics, [{"epoch": 1}])
    again.write_table(again.metrics, [{"epoch": 1}, {"epoch": 2}])
    again.metrics.unlink()
    again.remove_if_unstarted()
    run = RunFolder.create(tmp_path / "deep" / "run", "photos")
    run.write_config({})
    run.remove_if_unstarted()
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize(("stem", "folder"), [("con", "con_"), ("a:b", "a_b"), ("photos.", "photos"), ("..", "run")])
def test_a_folder_gets_a_name_that_every_system_takes(tmp_path, monkeypatch, stem, folder):
    monkeypatch.chdir(tmp_path)
    assert [RunFolder.create(None, stem).path.name for _ in range(2)] == [folder, f"{folder}-2"]


LOCALE = """
    import sys
    from striate.training.run_folder import RunFolder
    run = RunFolder(sys.argv[1])
    run.write_config(run.read_config() | {"again": "\\xc4pfel"})
    run.write_table(run.metrics, [{"class": "\\xc4pfel"}])
"""


def test_what_is_written_is_read_whatever_the_locale(finished):
    run = RunFolder(finished)
    run.write_config({"classes": ["Äpfel", "日本"]})
    environment = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    flags = ["-X", "warn_default_encoding", "-W", "error::EncodingWarning:striate"]
    command = [sys.executable, *flags, "-c", textwrap.dedent(LOCALE), str(finished)]
    subprocess.run(command, env=environment, check=True, timeout=60)
    assert run.read_config() == {"classes": ["Äpfel", "日本"], "again": "Äpfel"}
    assert run.metrics.read_text(encoding="utf-8") == "class\nÄpfel\n"


def test_every_file_has_the_mode_of_any_other(tmp_path):
    run = RunFolder.create(tmp_path / "run", "photos")
    (tmp_path / "plain").touch()
    run.write_config({})
    run.write_table(run.metrics, [{"epoch": 1}])
    for path in (run.config, run.metrics):
        assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_mark_that_an_editor_put_before_the_config_is_no_damage(finished):
    run = RunFolder(finished)
    run.config.write_bytes(b"\xef\xbb\xbf" + run.config.read_bytes())
    assert run.read_config() == {"model": "lenet5"}


def test_no_number_in_a_config_is_none(finished):
    run = RunFolder(finished)
    run.write_config({"rate": float("nan")})
    assert run.config.read_text(encoding="utf-8") == '{\n  "rate": null\n}\n'


@pytest.mark.parametrize(("workers", "seconds"), [(0, 0.0), (2, 6.0)])
def test_a_lock_is_waited_for_where_workers_may_hold_it_still(finished, workers, seconds):
    RunFolder(finished).update_config(workers=workers)
    assert RunFolder(finished)._patience() == seconds
    RunFolder(finished).config.write_text("{")
    assert RunFolder(finished)._patience() == 0.0


def test_a_checkpoint_stays_where_its_end_cannot_be_told(finished, monkeypatch):
    run = RunFolder(finished)
    run.checkpoint.write_bytes(b"state")
    monkeypatch.setattr("striate.training.run_folder.write_atomically", lambda *what: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run.drop_checkpoint("finished")
    assert run.checkpoint.read_bytes() == b"state"


def test_a_dropped_checkpoint_is_told_in_the_config(finished):
    run = RunFolder(finished)
    run.checkpoint.write_bytes(b"large")
    assert not run.has_results
    run.drop_checkpoint("finished after epoch 3")
    assert not run.checkpoint.exists()
    assert run.read_config() == {"model": "lenet5", "checkpoint": "dropped: finished after epoch 3"}


@pytest.mark.parametrize("name", ["model.safetensors", "metrics.csv", "timing.csv", "report.html"])
def test_whatever_training_wrote_is_a_result(tmp_path, name):
    (tmp_path / name).touch()
    assert RunFolder(tmp_path).has_results
    (tmp_path / name).unlink()
    (tmp_path / "config.json").touch()
    assert not RunFolder(tmp_path).has_results


def test_config_goes_through_its_file(finished):
    run = RunFolder(finished)
    config = {"model": "lenet5", "classes": ["Äpfel", "日本"], "rate": 0.1, "nested": {"a": [1, None]}}
    run.write_config(config)
    assert run.read_config() == config


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe\x00", b"[]", b"null", b"[" * 100_000])
def test_a_damaged_config_is_one_clear_line(finished, content):
    run = RunFolder(finished)
    run.config.write_bytes(content)
    with pytest.raises(StriateError, match=r"config\.json.*damaged") as error:
        run.read_config()
    assert "\n" not in str(error.value)


def test_tables_are_csv_with_exact_numbers(tmp_path):
    run = RunFolder(tmp_path)
    rows = [{"epoch": 1, "loss": 0.1 + 0.2, "val": ""}, {"epoch": 2, "loss": 1e-9, "val": "a, b"}]
    run.write_table(run.metrics, rows)
    with open(run.metrics, newline="") as file:
        found = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in found] == [0.1 + 0.2, 1e-9]
    assert [row["val"] for row in found] == ["", "a, b"]
    assert b"\r" not in run.metrics.read_bytes()
    run.write_table(run.timing, [])
    assert not run.timing.exists()


def test_a_config_that_may_not_be_read_is_not_called_damaged(finished, monkeypatch):
    def refuse(path, *arguments, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(StriateError, match=r"config\.json: cannot be read \(Permission denied\)\.$"):
        RunFolder(finished).read_config()


FILES = ("model.safetensors", "last.ckpt", "metrics.csv", "timing.csv", "config.json", "skipped.csv", "report.html")


def test_each_file_has_its_name():
    run = RunFolder("somewhere")
    paths = (run.model, run.checkpoint, run.metrics, run.timing, run.config, run.skipped, run.report)
    assert [str(path) for path in paths] == [f"somewhere/{name}" for name in FILES]
    assert run.events == Path("somewhere/events")


def test_halves_that_a_killed_process_left_are_swept_away_and_nothing_else(finished):
    halves = [finished / f".{name}.0a1b2c3d" for name in FILES]
    others = [
        finished / name for name in (".lock", ".config.jsonx", "config.json.bak", ".notes.csv.1", "model.safetensors")
    ]
    for path in halves + others:
        path.touch()
    RunFolder.open(finished).unlock()
    assert not any(path.exists() for path in halves)
    assert all(path.exists() for path in others)


def test_only_what_was_made_for_a_run_is_taken_away(tmp_path):
    (tmp_path / "kept").mkdir()
    run = RunFolder.create(tmp_path / "kept" / "a" / "b", "photos")
    run.write_config({})
    run.skipped.touch()
    run.remove_if_unstarted()
    assert list(tmp_path.rglob("*")) == [tmp_path / "kept"]
    (tmp_path / "empty").mkdir()
    run = RunFolder.create(tmp_path / "empty", "photos")
    run.write_config({})
    run.remove_if_unstarted()
    assert list((tmp_path / "empty").iterdir()) == []  # it was there before


def test_a_home_is_one_in_the_path_of_a_run(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert RunFolder("~/run").path == tmp_path / "run"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("run", "{} exists already and is never overwritten. Go on with it: --resume {}; or choose another --run."),
        ("letter", "{} exists already and is never overwritten. Choose another --run."),
        ("file", "{} exists already and is never overwritten. Choose another --run."),
        ("empty", ""),
        ("nothing", ""),
    ],
)
def test_what_a_run_would_overwrite_is_refused(tmp_path, made, said):
    folder = tmp_path / "folder"
    if made == "file":
        folder.touch()
    elif made != "nothing":
        folder.mkdir()
    if made in ("run", "letter"):
        (folder / {"run": "config.json", "letter": "letter.txt"}[made]).touch()
    if said:
        with pytest.raises(UsageError) as error, by_flags({}):
            RunFolder(folder).refuse_existing()
        assert str(error.value) == said.format(folder, folder)
        with pytest.raises(UsageError) as error:
            RunFolder(folder).refuse_existing()
        assert str(error.value) == said.format(folder, folder).replace(
            f"--resume {folder}", f"striate.resume({str(folder)!r})"
        ).replace("another --run", "another folder to run in")
    else:
        RunFolder(folder).refuse_existing()
        assert folder.exists() == (made == "empty")


@pytest.mark.parametrize(
    ("made", "said"), [(True, "is no run folder (it has no config.json)"), (False, "does not exist")]
)
def test_where_no_run_lies_it_is_told(tmp_path, made, said):
    if made:
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "config.json").mkdir()  # a folder of that name is none
    with pytest.raises(UsageError) as error:
        RunFolder(tmp_path / "run").existing()
    told = f"{tmp_path / 'run'} {said}. Give the folder that an earlier `striate train` wrote."
    assert str(error.value) == told


def test_a_folder_that_cannot_be_made_or_locked_is_one_clear_line(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    words = r"run: cannot be written \(Permission denied\)"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuse)
        with pytest.raises(StriateError, match=words):
            RunFolder.create(tmp_path / "run", "photos")
    with monkeypatch.context() as patch:
        patch.setattr("striate.training.run_folder.FileLock.acquire", refuse)
        with pytest.raises(StriateError, match=words):
            RunFolder.create(tmp_path / "run", "photos")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", refuse)
        with pytest.raises(StriateError, match=words):
            RunFolder(tmp_path / "run").refuse_existing()


def test_fields_are_set_in_a_config_and_the_others_stay_in_their_order(finished):
    run = RunFolder(finished)
    run.write_config({"a": 1, "b": 2})
    run.update_config(b=3, c=4)
    assert list(run.read_config().items()) == [("a", 1), ("b", 3), ("c", 4)]


def test_a_name_that_is_taken_by_a_file_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "photos").touch()
    (tmp_path / "runs" / "photos-2").mkdir()
    assert RunFolder.create(None, "photos").path == Path("runs/photos-3")


@pytest.mark.parametrize("left", ["last.ckpt", "model.safetensors"])
def test_a_run_that_began_keeps_its_configuration(tmp_path, left):
    run = RunFolder.create(tmp_path / "run", "photos")
    run.write_config({})
    (run.path / left).touch()
    run.remove_if_unstarted()
    assert run.config.exists()


def test_dropping_a_checkpoint_that_is_gone_is_no_fault(finished):
    RunFolder(finished).drop_checkpoint("over")
    assert RunFolder(finished).read_config()["checkpoint"] == "dropped: over"
