"""Spoilt files of every kind: what is read is right, what is not has its reason, and nothing crashes or hangs."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location("fuzzing", Path(__file__).parents[1] / "fuzzing.py")
fuzzing = importlib.util.module_from_spec(SPEC)
sys.modules["fuzzing"] = fuzzing  # its dataclass asks for it
SPEC.loader.exec_module(fuzzing)

#: Files in all; a third of them hold several images.
FILES = 10_000


def shared(total: int, kinds: list[str]) -> dict[str, int]:
    return dict.fromkeys(kinds, -(-total // len(kinds)))


@pytest.mark.slow
def test_spoilt_images_are_read_or_have_a_reason():
    assert not fuzzing.failures(shared(FILES * 2 // 3, list(fuzzing.image_files())))


@pytest.mark.slow
def test_spoilt_containers_give_no_wrong_label():
    assert not fuzzing.failures(shared(FILES // 3, list(fuzzing.containers())))


def test_a_few_spoilt_files_of_each_kind():
    kinds = [*fuzzing.image_files(), *fuzzing.containers()]
    assert len(kinds) > 40
    assert not fuzzing.failures(dict.fromkeys(kinds, 4))


def test_whole_files_are_read():
    for content in fuzzing.image_files().values():
        assert fuzzing.decode(content).shape[2] == 3


def test_a_crash_and_an_exception_are_told(monkeypatch):
    def fails(content):
        raise ZeroDivisionError

    monkeypatch.setattr(fuzzing, "check_image", fails)
    assert [line.splitlines()[-1] for line in fuzzing.failures({"png": 2})] == ["ZeroDivisionError"] * 2
    monkeypatch.setattr(fuzzing, "check_image", lambda content: fuzzing.sys.modules["os"]._exit(7))
    assert fuzzing.failures({"png": 2, "gif": 1}) == ["png 0: crashes (7)", "gif 0: crashes (7)"]


@pytest.mark.parametrize("kind", ["zip stored", "tar", "csv", "list", "parquet images"])
def test_a_wrong_label_is_told(kind, monkeypatch):
    real = fuzzing.open_dataset

    def mislabelled(*words, **options):
        dataset = real(*words, **options)
        return replace(dataset, classes=(*dataset.classes[1:], dataset.classes[0]))

    monkeypatch.setattr(fuzzing, "open_dataset", mislabelled)
    told = fuzzing.failures({kind: 12})
    assert told
    assert all("AssertionError" in line and ", not " in line for line in told)
