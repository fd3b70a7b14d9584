from pathlib import Path

import pytest

from striate.data import room

MEMINFO = (
    "MemTotal:       24689764 kB\nMemFree:         1000 kB\nMemAvailable:   2000000 kB\nHugePages_Total:       0\n"
)


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a machine tells of its memory, and a container in it that has no limit."""
    (tmp_path / "meminfo").write_text(MEMINFO)
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("700000000\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 100000000\n")
    monkeypatch.setattr(room, "MACHINE", tmp_path / "meminfo")
    monkeypatch.setattr(room, "CONTAINER", tmp_path)
    return tmp_path


def test_what_the_machine_has_free_is_told(system):
    assert room.free_memory() == 2_000_000 * 1024


def test_a_container_may_have_less(system):
    (system / "memory.max").write_text("1000000000\n")
    assert room.free_memory() == 400_000_000
    (system / "memory.max").write_text("500000000\n")
    assert room.free_memory() == 0


def test_where_nothing_tells_it_is_not_known(system):
    (system / "meminfo").write_text("what is this?")
    assert room.free_memory() is None
    (system / "meminfo").unlink()
    assert room.free_memory() is None


def test_the_disk_of_a_folder_that_is_not_there_yet(tmp_path):
    assert room.free_disk(tmp_path / "a" / "b") > 0
    assert abs(room.free_disk(tmp_path / "a") - room.free_disk(tmp_path)) < 1 << 30
