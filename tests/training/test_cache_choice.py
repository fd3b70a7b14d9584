from pathlib import Path

import numpy as np
import pytest

from striate.caller import by_flags
from striate.data.filling import Wanted
from striate.training import cache_choice
from striate.training.cache_choice import choose

GB = 10**9
#: One picture of 1 GB.
LARGE = Wanted(
    [b""], ["x"], [b"0" * 32], np.array([[50_000, 20_000]], np.int32), np.eye(4, dtype=bool)[:1], np.array([True]), 1
)


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """machine(memory, disk): what is free, in GB."""
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache_choice, "_decoding_speed", lambda wanted: 100e6)

    def has(memory: float | None, disk: float) -> None:
        monkeypatch.setattr(cache_choice, "free_memory", lambda: None if memory is None else int(memory * GB))
        monkeypatch.setattr(cache_choice, "free_disk", lambda folder: int(disk * GB))

    return has


def test_the_size_is_that_of_the_pictures():
    assert LARGE.bytes == GB


@pytest.mark.parametrize(
    ("memory", "disk", "way"),
    [(4, 0, "ram"), (3.9, 2, "disk"), (3.9, 1.9, "off"), (0.1, 2, "disk"), (None, 2, "disk"), (None, 0, "off")],
)
def test_unasked_memory_is_taken_where_there_is_much_else_a_disk(machine, memory, disk, way):
    machine(memory, disk)
    assert choose("auto", LARGE, 10)[0] == way


@pytest.mark.parametrize(("memory", "way"), [(2, "ram"), (1.9, "off"), (None, "ram")])
def test_memory_that_is_asked_for_is_half_of_it_at_most(machine, memory, way):
    machine(memory, 100)
    found, why = choose("ram", LARGE, 1)
    assert found == way
    with by_flags({}):
        assert (way == "ram") == ("--cache disk may help" not in choose("ram", LARGE, 1)[1])
    assert (way == "ram") == ("1.00 GB of decoded pictures do not fit into half of the free memory, 1.90 GB" not in why)


@pytest.mark.parametrize(("disk", "way"), [(2.1, "disk"), (2.0, "off")])
def test_a_disk_that_is_asked_for_keeps_some_space(machine, disk, way):
    machine(100, disk)
    found, why = choose("disk", LARGE, 1)
    assert found == way
    assert (way == "disk") == ("do not fit into the free space" not in why)


def test_more_than_the_cache_folder_may_hold_is_not_begun(machine, monkeypatch):
    machine(100, 1000)
    monkeypatch.setattr(cache_choice, "MOST", GB - 1)
    assert choose("disk", LARGE, 1) == (
        "off",
        "1.00 GB of decoded pictures are more than the 1.00 GB that the cache folder may hold",
    )


def test_processes_share_the_memory(machine):
    machine(4, 0)
    assert choose("auto", LARGE, 10, processes=1)[0] == "ram"
    assert choose("auto", LARGE, 10, processes=2)[0] == "off"


def test_what_is_filled_has_to_be_read_often(machine):
    machine(100, 100)
    assert choose("auto", LARGE, 2)[0] == "ram"
    assert choose("auto", LARGE, 1) == ("off", "1 epoch would not make up for filling it")
    assert choose("disk", LARGE, 1)[0] == "disk"


def test_a_disk_that_is_slower_than_decoding_is_left_alone(machine, monkeypatch):
    machine(1.9, 100)
    monkeypatch.setattr(cache_choice, "_decoding_speed", lambda wanted: 500e6)
    assert choose("auto", LARGE, 10) == ("off", "1.00 GB of decoded pictures are decoded sooner than read from a disk")
    machine(2.1, 100)  # the operating system has memory for the file
    assert choose("auto", LARGE, 10)[0] == "disk"
    machine(1.9, 100)
    assert choose("disk", LARGE, 10)[0] == "disk"


def test_without_a_cache_folder_there_is_no_file(machine, monkeypatch):
    machine(0, 100)
    monkeypatch.delenv("STRIATE_CACHE")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("none")))
    way, why = choose("auto", LARGE, 10)
    assert way == "off"
    assert "no home folder" in why


def test_the_speed_of_decoding_is_of_all_processors(tmp_path, monkeypatch):
    import cv2

    monkeypatch.undo()
    content = cv2.imencode(".jpg", np.zeros((400, 500, 3), np.uint8))[1].tobytes()
    sizes, scales = np.array([[400, 500]], np.int32), np.eye(4, dtype=bool)[:1]
    wanted = Wanted([content], ["x"], [b"0" * 32], sizes, scales, np.array([False]), 3)
    monkeypatch.setattr(cache_choice, "worker_count", lambda: 1)
    clock = iter([10.0, 12.0])
    monkeypatch.setattr(cache_choice.time, "perf_counter", lambda: next(clock))
    assert cache_choice._decoding_speed(wanted) == 300_000
