import csv
import errno
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from striate.errors import StriateError
from striate.files import writing
from striate.files.writing import explain, make_folder_of, replacing, write_atomically, write_csv


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "figures.csv"
    path.write_text("old")
    return path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Füße\n", "Füße\n".encode()),
        (b"\x00\xff", b"\x00\xff"),
        ("", b""),
        (lambda file: file.write(b"by itself"), b"by itself"),
        (lambda file: None, b""),
    ],
)
def test_text_bytes_and_functions_write_the_file(target, content, expected):
    assert write_atomically(str(target), content) == target
    assert target.read_bytes() == expected
    assert names_in(target.parent) == ["figures.csv"]


def test_a_new_file_is_as_readable_as_any_other(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a", "text")
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, OSError])
def test_the_old_file_stays_whole_when_the_writer_fails_half_way(target, failure):
    def write(file: BinaryIO) -> None:
        file.write(b"half of the ne")
        raise failure("oops")

    expected = StriateError if failure is OSError else failure
    with pytest.raises(expected):
        write_atomically(target, write)
    assert target.read_text() == "old"
    assert names_in(target.parent) == ["figures.csv"]


def test_an_interrupt_while_a_file_is_made_leaves_none(target, monkeypatch):
    def opened_and_interrupted(*given):
        open(*given).close()
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "open", opened_and_interrupted, raising=False)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(target, "new")
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_the_name_is_taken_only_when_everything_is_written(target):
    def write(file: BinaryIO) -> None:
        assert Path(file.name).parent == target.parent  # else the rename would copy
        file.write(b"new")
        file.flush()
        assert target.read_text() == "old"

    write_atomically(target, write)
    assert target.read_text() == "new"


LIMITED = """
    import resource, sys
    from pathlib import Path
    from striate.errors import StriateError
    from striate.files import write_atomically
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    content = b"x" * 5000
    try:
        write_atomically(sys.argv[1], content if sys.argv[2] == "bytes" else lambda file: file.write(content))
    except StriateError as error:
        print(error)
"""


@pytest.mark.parametrize("kind", ["bytes", "function"])
def test_a_write_that_the_system_cuts_short_leaves_the_old_file(target, kind):
    command = [sys.executable, "-c", textwrap.dedent(LIMITED), str(target), kind]
    process = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert process.stdout.startswith(f"{target}: ")
    assert process.stdout.count("\n") == 1
    assert process.stderr == ""
    assert target.read_text() == "old"
    assert names_in(target.parent) == ["figures.csv"]


FULL_AT_THE_END = """
    import resource, sys
    from pathlib import Path
    from striate.files import replacing
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        with replacing(Path(sys.argv[1])) as file:
            file.write(b"x" * 5000)  # less than is held until the file is closed
            raise ValueError("what went wrong")
    except ValueError as error:
        print(error)
"""


def test_what_went_wrong_first_is_told_though_the_rest_cannot_be_written_either(target):
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL_AT_THE_END), str(target)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (process.stdout, process.stderr) == ("what went wrong\n", "")
    assert target.read_text() == "old"
    assert names_in(target.parent) == ["figures.csv"]


def test_a_full_disk_leaves_the_old_file(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    mounted = os.geteuid() == 0 and subprocess.run(["mount", *options], capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("no small disk can be mounted here")
    try:
        write_atomically(disk / "model", b"old")
        with pytest.raises(StriateError, match=r"model: the disk is full"):
            write_atomically(disk / "model", b"x" * 200_000)
        assert (disk / "model").read_bytes() == b"old"
        assert names_in(disk) == ["model"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_called_full(number):
    message = str(explain(OSError(number, os.strerror(number)), Path("runs/a")))
    assert message.startswith("runs/a: the disk is full")
    assert "untouched" in message


def test_a_full_device_is_called_full(target):
    def write(file: BinaryIO) -> None:
        with open("/dev/full", "wb") as full:
            full.write(b"x" * 100)

    with pytest.raises(StriateError, match="the disk is full"):
        write_atomically(target, write)
    assert target.read_text() == "old"


@pytest.mark.parametrize("where", ["missing/a.csv", "file/a.csv", "folder"])
def test_a_place_that_cannot_be_written_to_is_one_clear_line(tmp_path, where):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StriateError, match="cannot be written") as error:
        write_atomically(tmp_path / where, "text")
    assert str(tmp_path / where) in str(error.value)
    assert "\n" not in str(error.value)
    assert names_in(tmp_path) == ["file", "folder"]


KILLED = """
    import sys, time
    from striate.files import write_atomically

    def write(file):
        file.write(b"half")
        file.flush()
        print("writing", flush=True)
        time.sleep(60)

    write_atomically(sys.argv[1], write)
"""


def test_a_process_killed_while_it_writes_leaves_the_old_file(target):
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(target)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    assert target.read_text() == "old"


def test_a_reader_never_meets_half_a_file(target):
    sizes, stop = set(), threading.Event()
    write_atomically(target, b"a" * 100_000)

    def read() -> None:
        while not stop.is_set():
            content = target.read_bytes()
            sizes.add((len(content), len(set(content))))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for letter in (b"b", b"c", b"d", b"e") * 5:
            write_atomically(target, letter * 100_000)
    finally:
        stop.set()
        reader.join()
    assert sizes == {(100_000, 1)}


def test_content_is_on_the_disk_before_the_name_is_taken_and_the_name_after(target, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace

    def flushed(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        done.append("folder" if path == target.parent else path.read_text())
        fsync(descriptor)

    def named(source, destination) -> None:
        done.append(Path(destination).name)
        replace(source, destination)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", named)
    for content in ("whole", lambda file: file.write(b"whole")):
        done.clear()
        write_atomically(target, content)
        assert done == ["whole", "figures.csv", "folder"]


@pytest.mark.parametrize("number", [errno.EIO, errno.EINVAL, errno.EOPNOTSUPP, errno.EBADF])
def test_a_folder_that_cannot_be_flushed_is_told_unless_it_has_no_way_to(target, monkeypatch, number):
    fsync = os.fsync

    def refuse_folders(descriptor: int) -> None:
        if Path(os.readlink(f"/proc/self/fd/{descriptor}")).is_dir():
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    if number == errno.EIO:
        with pytest.raises(StriateError, match=r"figures\.csv: cannot be written"):
            write_atomically(target, "new")
    else:
        write_atomically(target, "new")
    assert target.read_text() == "new"


def test_files_are_written_as_windows_wants_it(target, windows):
    write_atomically(target, "new")
    assert target.read_bytes() == b"new"
    write_atomically(target, lambda file: file.write(b"newer"))
    assert target.read_bytes() == b"newer"
    assert names_in(target.parent) == ["figures.csv"]


def test_a_file_that_another_program_has_open_is_replaced_when_it_lets_go(target, windows):
    descriptor = os.open(target, os.O_RDONLY)
    assert windows(target)
    timer = threading.Timer(0.2, os.close, [descriptor])
    timer.start()
    write_atomically(target, "new")
    timer.join()
    assert target.read_text() == "new"


def test_a_file_that_stays_open_elsewhere_is_one_clear_line(target, windows, monkeypatch):
    monkeypatch.setattr(writing, "PATIENCE", (0.01, 0.01))
    with open(target, "rb"), pytest.raises(StriateError, match=r"figures\.csv: cannot be written \(Access is denied"):
        write_atomically(target, "new")
    assert target.read_text() == "old"
    assert names_in(target.parent) == ["figures.csv"]


@pytest.mark.parametrize("reason", [5, 32, 33])
def test_windows_own_reason_says_that_the_file_is_open(reason):
    error = PermissionError(errno.EACCES, "The process cannot access the file")
    error.winerror = reason
    assert str(explain(error, Path("a.csv"))).endswith("Close it in other programs and try again.")
    assert "Choose a folder" in str(explain(PermissionError(errno.EACCES, "Permission denied"), Path("a.csv")))


def test_what_is_written_beside_takes_the_name_only_when_nothing_was_raised(target):
    with pytest.raises(TypeError), replacing(target) as file:
        file.write(b"new" + None)
    assert target.read_text() == "old"
    with replacing(target) as file:
        file.write(b"new")
    assert target.read_text() == "new"
    assert names_in(target.parent) == ["figures.csv"]


def test_rows_of_different_names_share_a_table_in_the_order_of_first_sight(target):
    rows = [{"epoch": 1, "loss": 0.1 + 0.2}, {"epoch": 2, "loss": 1e-9, "speed": "a, b"}, {"speed": "é", "epoch": 3}]
    write_csv(target, rows)
    assert target.read_bytes().splitlines()[0] == b"epoch,loss,speed"
    with open(target, newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in found[:2]] == [0.1 + 0.2, 1e-9]
    assert [row["speed"] for row in found] == ["", "a, b", "é"]
    assert [row["epoch"] for row in found] == ["1", "2", "3"]


def test_a_name_with_bytes_that_are_no_text_is_written_as_it_is(target):
    name = os.fsdecode(b"caf\xe9.png")
    write_csv(target, [{"path": name}])
    assert target.read_bytes() == b"path\ncaf\xe9.png\n"


def test_a_table_of_no_rows_has_its_line_of_names(target):
    write_csv(target, [], ("path", "reason"))
    assert target.read_text() == "path,reason\n"
    write_csv(target, [{"b": 1, "a": 2}], ("a", "c"))
    assert target.read_text() == "a,c,b\n2,,1\n"


def test_a_system_that_gives_no_reason_is_quoted(tmp_path):
    assert str(explain(OSError("gone"), Path("a"))) == (
        "a: cannot be written (gone). Choose a folder that you may write to."
    )
    assert str(explain(OSError(errno.EACCES, "No way"), Path("a"))) == (
        "a: cannot be written (No way). Choose a folder that you may write to."
    )
    full = "a: the disk is full; what was there before is untouched. Free some space."
    assert str(explain(OSError(errno.ENOSPC, "No space"), Path("a"))) == full


def test_what_is_being_written_is_hidden_beside_the_file_under_a_name_of_its_own(target):
    names = set()
    for _ in range(3):
        with replacing(target) as file:
            temporary = Path(file.name)
            assert temporary.parent == target.parent
            assert temporary.name.startswith(".figures.csv.")
            names.add(temporary.name)
    assert len(names) == 3


def test_bytes_are_not_written_where_something_lies_already(target, monkeypatch):
    monkeypatch.setattr(writing.secrets, "token_hex", lambda count: "00")
    (target.parent / ".figures.csv.00").write_text("another's")
    with pytest.raises(StriateError, match="cannot be written"):
        write_atomically(target, "new")
    assert target.read_text() == "old"
    assert (target.parent / ".figures.csv.00").read_text() == "another's"


def test_a_file_that_is_open_elsewhere_is_tried_again_at_ever_longer_times(target, monkeypatch):
    waited, tried = [], []

    def refuse(source, destination):
        tried.append(destination)
        raise PermissionError(errno.EACCES, "Access is denied")

    monkeypatch.setattr(writing.time, "sleep", waited.append)
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(StriateError, match="Access is denied"):
        write_atomically(target, "new")
    assert waited == [0.05, 0.1, 0.2, 0.4, 0.8]
    assert tried == [target] * 6
    assert names_in(target.parent) == ["figures.csv"]


def test_other_troubles_are_not_waited_for(target, monkeypatch):
    def refuse(source, destination):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(writing.time, "sleep", lambda pause: pytest.fail("it waited"))
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(StriateError, match="Input/output error"):
        write_atomically(target, "new")


def test_a_folder_is_closed_again_whatever_happens(tmp_path, monkeypatch):
    before = len(os.listdir("/proc/self/fd"))

    def refuse(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    write_atomically(tmp_path / "a", "text")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="Input/output"):
        writing._flush_folder(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_folder_of_a_file_is_made_with_those_above_it(tmp_path):
    target = tmp_path / "a" / "b" / "figures.csv"
    make_folder_of(target)
    make_folder_of(target)  # again
    assert names_in(target.parent) == []
    (tmp_path / "file").write_text("mine")
    for inside in ("file/a.csv", "file/b/a.csv"):
        with pytest.raises(StriateError, match=r"a\.csv: cannot be written \(\w.*\)\. Choose a folder that"):
            make_folder_of(tmp_path / inside)
    with pytest.raises(StriateError, match=r"a\.csv: cannot be written \(\w.*\)\. Go away\.$"):
        make_folder_of(tmp_path / "file" / "a.csv", "Go away.")
