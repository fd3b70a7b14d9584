"""Freed memory that stays, seen by the page faults of taking it anew: in other processes, since it stays for good."""

import os
import shutil
import subprocess
import sys

import pytest

from striate import allocator
from striate.allocator import LARGEST_KEPT, LARGEST_OF_OLDER, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, NEVER, keep_memory
from striate.errors import UsageError

GLIBC = allocator._is_glibc()
needs_glibc = pytest.mark.skipif(not GLIBC, reason="only glibc has mallopt")

#: Gives and takes blocks as a network does: each is written to whole. It prints page faults and what is resident.
NETWORK = """
import ctypes, os, resource, sys
from pathlib import Path
c = ctypes.CDLL(None)
c.malloc.restype, c.malloc.argtypes, c.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
c.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
def operation(size, count=1):
    blocks = [c.malloc(size) for _ in range(count)]
    for block in blocks:
        c.memset(block, 1, size)
    for block in blocks:
        c.free(block)
def faults(size, count=1):
    operation(size, count)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        operation(size, count)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
M = 1 << 20
"""
PAGES = (1 << 20) // 4096  # of a MiB
#: Beyond glibc's own largest threshold, and less, of which several make an end of the heap that is given back.
BLOCK, PIECE, PIECES = 40, 20, 8


def python(code: str, **environment: str) -> list[int]:
    """The whole numbers that code prints, run after `NETWORK` in a process of its own."""
    plain = {name: value for name, value in os.environ.items() if name != "STRIATE_MALLOC"}
    process = subprocess.run(
        [sys.executable, "-c", NETWORK + code],
        capture_output=True,
        text=True,
        timeout=60,
        env={**plain, **environment},
    )
    assert process.returncode == 0, process.stderr
    return [int(word) for word in process.stdout.split()]


@needs_glibc
def test_a_block_is_taken_again_without_a_page_fault():
    code = f"print(faults({BLOCK} * M), faults({PIECE} * M, {PIECES}))"
    anew = python("import striate, striate.cli.app;" + code)  # imported, and no more
    kept = python("import striate; assert striate.keep_memory();" + code)
    assert anew[0] > 4 * BLOCK * PAGES * 0.99
    assert anew[1] > 4 * PIECE * PAGES
    assert max(kept) < 50


@needs_glibc
def test_a_block_larger_than_asked_for_goes_back():
    small, large = python(f"import striate; striate.keep_memory(8 * M); print(faults(7 * M), faults({BLOCK} * M))")
    assert small < 50
    assert large > 4 * BLOCK * PAGES * 0.99


@needs_glibc
@pytest.mark.parametrize(("wanted", "much"), [(allocator.MUCH - 1, False), (allocator.MUCH, True)])
def test_room_is_made_for_what_is_much(wanted, much):
    code = f"from striate.allocator import *; keep_memory(); operation({BLOCK} * M); full = resident();"
    before, after = python(f"{code} make_room({wanted}); print(full, resident())")
    assert (before - after > 0.9 * BLOCK * 2**20) == much


def test_room_is_made_only_by_a_process_that_keeps(monkeypatch):
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: pytest.fail("asked the C library"))
    allocator.make_room(1e12)


class Glibc:
    """A C library that takes thresholds of mapping up to `most`."""

    def __init__(self, most: int) -> None:
        self.most, self.taken = most, {}

    def mallopt(self, parameter: int, value: int) -> int:
        if parameter == M_MMAP_THRESHOLD and value > self.most:
            return 0
        self.taken[parameter] = value
        return 1


@pytest.mark.parametrize(
    ("most", "asked", "taken", "words"),
    [
        (1 << 40, LARGEST_KEPT, LARGEST_KEPT, "160 MiB"),
        (1 << 40, 1 << 30, 1 << 30, "1024 MiB"),
        (LARGEST_OF_OLDER, LARGEST_KEPT, LARGEST_OF_OLDER, "32 MiB"),
        (LARGEST_OF_OLDER, 3 << 19, 3 << 19, "1.5 MiB"),
    ],
)
def test_older_glibc_has_the_largest_threshold_that_it_takes(most, asked, taken, words, monkeypatch):
    glibc = Glibc(most)
    monkeypatch.setattr(allocator, "_obstacle", lambda: "")
    monkeypatch.setattr(allocator, "_kept", False)
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: glibc)
    setting = keep_memory(asked)
    assert setting.kept
    assert setting.reason == f"freed blocks of up to {words} are kept"
    assert glibc.taken == {M_MMAP_THRESHOLD: taken, M_TRIM_THRESHOLD: NEVER}


def test_a_library_that_takes_no_threshold_is_left_alone(monkeypatch):
    glibc = Glibc(0)
    monkeypatch.setattr(allocator, "_obstacle", lambda: "")
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: glibc)
    setting = keep_memory()
    assert not setting
    assert setting.reason == "mallopt refuses the thresholds"
    assert (glibc.taken, allocator._kept) == ({}, False)


@pytest.fixture
def refused(monkeypatch):
    """Calls keep_memory() where it must not come to mallopt; the reason."""

    class Untouched:
        malloc = 0

        def mallopt(self, parameter, value):
            pytest.fail("set")

    for name in ("STRIATE_MALLOC", "GLIBC_TUNABLES", *allocator.ALREADY_SET):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(allocator, "_is_glibc", lambda: True)
    monkeypatch.setattr(allocator, "_is_replaced", lambda: False)
    monkeypatch.setattr(allocator, "_memory", lambda: allocator.SMALLEST_MACHINE)
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: Untouched())

    def call() -> str:
        setting = keep_memory()
        assert (bool(setting), setting.kept) == (False, False)
        return setting.reason

    return call


@pytest.mark.parametrize("word", ["off", "OFF", " off "])
def test_a_variable_turns_it_off(word, refused, monkeypatch):
    monkeypatch.setenv("STRIATE_MALLOC", word)
    assert refused() == "STRIATE_MALLOC is off"


@pytest.mark.parametrize("word", ["", "on", "On"])
def test_a_variable_that_leaves_it_on_does_not_force_it(word, refused, monkeypatch):
    monkeypatch.setenv("STRIATE_MALLOC", word)
    monkeypatch.setattr(allocator, "_is_glibc", lambda: False)
    assert refused() == "the C library is not glibc"


def test_another_word_in_the_variable_is_wrong_usage(refused, monkeypatch):
    monkeypatch.setenv("STRIATE_MALLOC", "no")
    with pytest.raises(UsageError, match=r"^STRIATE_MALLOC is 'no'; it is on or off\.$"):
        refused()


@pytest.mark.parametrize("largest", [0, -1, 1 << 31, 1.5e8, True, None])
def test_what_is_no_number_of_bytes_is_wrong_usage(largest):
    with pytest.raises(UsageError, match="a number of bytes from 1 to 2,147,483,647"):
        keep_memory(largest)


@pytest.mark.parametrize("error", [AttributeError, ValueError, OSError])
def test_systems_without_glibc_are_known_by_what_they_do_not_know(error, monkeypatch):
    def confstr(name):
        raise error

    monkeypatch.setattr(os, "confstr", confstr)
    assert not allocator._is_glibc()
    assert keep_memory().reason == "the C library is not glibc"


@pytest.mark.parametrize("name", allocator.ALREADY_SET)
def test_thresholds_that_the_environment_sets_stay(name, refused, monkeypatch):
    monkeypatch.setenv(name, "65536")
    assert refused() == f"the environment sets {name}"


def test_tunables_of_the_thresholds_stay_and_others_are_no_obstacle(refused, monkeypatch):
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=3:glibc.malloc.trim_threshold=9")
    assert refused() == "the environment sets glibc.malloc.trim_threshold"
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=3")
    assert allocator._obstacle() == ""


def test_a_small_machine_keeps_its_memory(refused, monkeypatch):
    assert allocator._obstacle() == ""
    monkeypatch.setattr(allocator, "_memory", lambda: 3 << 29)
    assert refused() == "there are 1.5 GiB of memory, less than 4"


def test_a_container_has_the_memory_that_it_is_given(monkeypatch, tmp_path):
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    new, old = tmp_path / "memory.max", tmp_path / "limit_in_bytes"
    monkeypatch.setattr(allocator, "LIMITS", (new, old))
    assert allocator._memory() == whole
    new.write_text("max\n", encoding="ascii")
    assert allocator._memory() == whole
    old.write_text("12345\n", encoding="ascii")
    assert allocator._memory() == 12345
    new.write_text("678\n", encoding="ascii")
    assert allocator._memory() == 678
    old.write_text(f"{1 << 62}\n", encoding="ascii")
    assert allocator._memory() == 678


@needs_glibc
@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler")
def test_another_allocator_is_left_alone(tmp_path):
    source, library = tmp_path / "other.c", tmp_path / "other.so"
    source.write_text(
        "#include <stddef.h>\nextern void *__libc_malloc(size_t);\n"
        "void *malloc(size_t size) { return __libc_malloc(size); }\n",
        encoding="ascii",
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-fno-builtin", source, "-o", library], check=True)
    code = "from striate.allocator import *; print(int('stands in for' in keep_memory().reason))"
    assert python(code, LD_PRELOAD=str(library)) == [1]
    assert python("from striate.allocator import *; print(int(keep_memory().kept))") == [1]


@needs_glibc
@pytest.mark.parametrize(("command", "keeps"), [("train", True), ("card", False)])
def test_a_command_in_a_process_of_its_own_keeps_memory_where_that_helps(command, keeps):
    code = f"""
from striate.cli import main
sys.argv, usual = ["striate", "{command}", "--help"], sys.stdout
sys.stdout = open(os.devnull, "w")
try:
    main(alone=True)
except SystemExit:
    sys.stdout = usual
print(faults({BLOCK} * M))
"""
    (found,) = python(code)
    assert (found < 50) == keeps
    assert keeps or found > 4 * BLOCK * PAGES * 0.99


@needs_glibc
@pytest.mark.slow
def test_a_training_is_the_same_byte_for_byte(trained, colours, tmp_path):
    run = tmp_path / "kept"
    code = f"""
import striate
assert striate.keep_memory()
how = dict(model="lenet5", epochs=2, batch_size=4, quiet=True, report=False, workers=0)
striate.train({str(colours)!r}, run={str(run)!r}, **how)
"""
    assert python(code) == []
    for name in ("model.safetensors", "metrics.csv"):
        assert (run / name).read_bytes() == (trained / name).read_bytes()
