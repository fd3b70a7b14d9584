"""What C code prints to `stderr` while it is listened to, in both ways of listening."""

import ctypes
import os
import sys
import threading
import warnings

import pytest

from striate.data import listen as listening
from striate.data.listen import listen

VARIABLE = listening._stderr_variable()
WAYS = ["descriptor", *(["variable"] if VARIABLE else [])]


def say(text: bytes) -> None:
    """As a C library prints."""
    if VARIABLE:
        c = ctypes.CDLL(None)
        c.fputs(text, ctypes.c_void_p.in_dll(c, VARIABLE))
    else:
        os.write(2, text)


@pytest.fixture(params=WAYS)
def ear(request, monkeypatch) -> listening._Ear:
    """An ear that has not listened yet."""
    if request.param == "descriptor":
        monkeypatch.setattr(listening, "_stderr_variable", lambda: "")
    fresh = listening._Ear()
    monkeypatch.setattr(listening, "_ear", fresh)
    return fresh


def talker(*texts: bytes, result: object = "done"):
    """Work that says so many things, and how often it was run."""
    runs: list[int] = []

    def work() -> object:
        runs.append(1)
        for text in texts:
            say(text)
        return result

    return work, runs


def test_what_is_said_is_returned_with_the_result(ear, capfd):
    work, runs = talker(b"one\n", b"two, \xff\n", result=7)
    assert listen(work) == (7, "one\ntwo, \ufffd\n")
    assert len(runs) == 2
    work, runs = talker(result=8)
    assert listen(work) == (8, "")
    assert len(runs) == 1
    assert listen(talker(b"three\n")[0]) == ("done", "three\n")  # and nothing of before
    assert capfd.readouterr() == ("", "")


def test_afterwards_all_is_as_it_was(ear, capfd):
    def broken() -> None:
        say(b"unheard\n")
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            listen(broken)
        say(b"aloud\n")
        assert (ear.running, ear.exclusive, ear.heard()) == (0, False, 0)
        assert listen(talker(b"again\n")[0])[1] == "again\n"
    assert capfd.readouterr() == ("", "aloud\n" * 2)


def test_files_stay_as_few_however_often_one_listens(ear):
    listen(talker()[0])
    before = len(os.listdir("/dev/fd"))
    for _ in range(20):
        listen(talker(b"a line\n")[0])
    assert len(os.listdir("/dev/fd")) == before
    assert os.fstat(ear.file).st_size == 0


def test_two_that_speak_at_once_hear_each_their_own(ear):
    heard: dict[str, str] = {}
    both = threading.Barrier(2, timeout=10)

    def speak(name: str) -> None:
        heard[name] = listen(lambda: say(f"{name} ".encode() * 3))[1]

    def together(name: str) -> None:
        both.wait()
        for _ in range(15):
            speak(name)
            assert heard[name] == f"{name} " * 3

    threads = [threading.Thread(target=together, args=(name,)) for name in ("this", "that")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert heard == {"this": "this this this ", "that": "that that that "}


@pytest.mark.skipif(not VARIABLE, reason="C's stderr cannot be set here")
def test_who_is_silent_beside_a_speaker_is_not_taken_for_it(capfd):
    inside, said = threading.Event(), threading.Event()
    runs: list[int] = []

    def silent() -> str:
        runs.append(1)
        inside.set()
        said.wait(10)
        return "silent"

    found: list[tuple[str, str]] = []
    thread = threading.Thread(target=lambda: found.append(listen(silent)))
    thread.start()
    inside.wait(10)
    with listening._ear:  # not alone
        say(b"of another\n")
        said.set()
        thread.join(0.1)
    thread.join(10)
    assert found == [("silent", "")]
    assert len(runs) == 2  # it could not know before
    assert capfd.readouterr() == ("", "")


def test_who_decodes_alone_is_waited_for_and_waits():
    order: list[str] = []
    with listening._ear.alone():
        other = threading.Thread(target=lambda: listen(lambda: order.append("other")))
        other.start()
        other.join(0.1)
        order.append("alone")
    other.join(10)
    assert order == ["alone", "other"]
    with listening._ear:
        alone = threading.Thread(target=lambda: _alone(order))
        alone.start()
        alone.join(0.1)
        order.append("first")
    alone.join(10)
    assert order == ["alone", "other", "first", "alone"]


def _alone(order: list[str]) -> None:
    with listening._ear.alone():
        order.append("alone")


def test_all_who_wait_to_be_alone_get_their_turn(ear):
    order: list[int] = []

    def alone(number: int) -> None:
        with ear.alone():
            order.append(number)
            assert ear.running == 1
            order.append(number)

    with ear:
        threads = [threading.Thread(target=alone, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        threads[0].join(0.05)
        assert order == []
    for thread in threads:
        thread.join(10)
    assert sorted(order) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert order[::2] == order[1::2]


def test_through_the_descriptor_one_decodes_at_a_time(monkeypatch):
    monkeypatch.setattr(listening, "_stderr_variable", lambda: "")
    ear = listening._Ear()
    order: list[str] = []

    def second() -> None:
        with ear:
            order.append("second")

    with ear:
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.05)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


@pytest.mark.skipif(not VARIABLE, reason="C's stderr cannot be set here")
def test_through_the_variable_several_decode_side_by_side():
    ear = listening._Ear()
    with ear:
        thread = threading.Thread(target=lambda: ear.__enter__())
        thread.start()
        thread.join(10)
        assert ear.running == 2
        ear.__exit__()
        assert ear.running == 1
        say(b"heard\n")
        assert ear.text() == "heard\n"
    assert ear.running == 0


def test_only_warnings_of_who_decodes_are_dropped(ear, monkeypatch):
    shown: list[tuple[str, object]] = []

    def warn(text: str) -> None:
        warnings.showwarning(UserWarning(text), UserWarning, "file.py", 3, line="text")

    def work() -> None:
        warn("of a decoder")
        other = threading.Thread(target=warn, args=("of another thread",))
        other.start()
        other.join(10)

    def broken() -> None:
        raise ZeroDivisionError

    def usual(message, category, filename, lineno, file=None, line=None):
        shown.append((str(message), line))

    monkeypatch.setattr(warnings, "showwarning", usual)
    listen(work)
    assert warnings.showwarning is usual
    with ear:
        with pytest.raises(ZeroDivisionError):
            listening._without_warnings(broken)
        warn("after a failure")
    assert shown == [("of another thread", "text"), ("after a failure", "text")]


def test_warnings_of_the_decoding_thread_are_dropped(monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr(warnings, "showwarning", lambda message, *_: shown.append(str(message)))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", lambda message, *_: shown.append(str(message)))
        listen(lambda: warnings.warn("of a decoder", stacklevel=1))
        warnings.warn("of another", stacklevel=1)
    assert shown == ["of another"]


def test_warnings_go_their_usual_way_afterwards(monkeypatch):
    usual = warnings.showwarning
    listen(lambda: None)
    assert warnings.showwarning is usual
    with pytest.raises(ZeroDivisionError):
        listen(lambda: 1 // 0)
    assert warnings.showwarning is usual


def test_a_way_of_showing_warnings_set_meanwhile_is_left(ear, monkeypatch):
    shown: list[str] = []

    def another(message, *_):
        shown.append(str(message))

    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    listen(lambda: setattr(warnings, "showwarning", another))
    assert warnings.showwarning is another


@pytest.mark.parametrize(
    ("platform", "library", "variable"),
    [
        ("linux", lambda name: {"CS_GNU_LIBC_VERSION": "glibc 2.36"}[name], "stderr"),
        ("linux", lambda name: None, ""),
        ("linux", ValueError("unrecognized configuration name"), ""),
        ("linux", OSError(22, "Invalid argument"), ""),
        ("linux", AttributeError("module 'os' has no attribute 'confstr'"), ""),
        ("darwin", ValueError(), "__stderrp"),
    ],
)
def test_the_variable_is_known_by_the_library(monkeypatch, platform, library, variable):
    def confstr(name: str) -> str | None:
        if isinstance(library, Exception):
            raise library
        return library(name)

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(os, "confstr", confstr, raising=False)
    assert listening._stderr_variable() == variable


def test_where_there_is_no_file_in_memory_an_unnamed_one_serves(ear, monkeypatch):
    monkeypatch.delattr(os, "memfd_create", raising=False)
    assert listen(talker(b"to a file\n")[0]) == ("done", "to a file\n")
    assert os.fstat(ear.file).st_nlink == 0


def test_a_forked_child_starts_with_an_ear_of_its_own(ear):
    listen(talker(b"before\n")[0])
    file = ear.file
    ear.restart_in_child()
    assert (ear.file, ear.running, ear.exclusive) == (-1, 0, False)
    assert listen(talker(b"after\n")[0])[1] == "after\n"
    assert ear.file != file
    os.close(file)


@pytest.mark.skipif(not VARIABLE, reason="C's stderr cannot be set here")
def test_a_child_forked_while_another_thread_decodes_says_aloud_what_it_says():
    reading, writing = os.pipe()
    with listening._ear:
        child = os.fork()
        if child == 0:
            os.dup2(writing, 2)
            say(b"aloud\n")
            os._exit(0)
        os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        assert said.read() == b"aloud\n"
