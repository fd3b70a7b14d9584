"""Damaged files through the commands: named, never taken where Pillow refuses, no raw line, no traceback."""

import io
import json
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
from damaged_files import files, picture, pillow_takes
from striate.cli.app import _explain


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory):
    """A folder with 24 sound pictures and 110 damaged ones of 22 kinds, and whether Pillow takes each of these."""
    folder = tmp_path_factory.mktemp("spoilt")
    for label in ("one", "two"):
        (folder / label).mkdir()
        for number in range(12):
            picture(seed=number).save(folder / label / f"sound_{number}.png")
    taken = {}
    for number, (kind, damage, data) in enumerate(files(110, seed=3)):
        stem, extension = kind.split(".")
        path = folder / ("one", "two")[number % 2] / f"{number}_{stem}_{damage}.{extension}"
        path.write_bytes(data)
        taken[path] = pillow_takes(data) or extension == "npy"
    half = Image.effect_noise((160, 120), 90)
    stream = io.BytesIO()
    half.save(stream, "JPEG")
    data = stream.getvalue()
    (folder / "one" / "half.jpg").write_bytes(data[: len(data) // 2] + b"\xff\xd9")
    return folder, taken


def test_predict_names_them_and_goes_on(cli, spoilt, trained):
    folder, taken = spoilt
    outcome = cli("predict", trained, folder, "--json")
    assert outcome.code == 0
    predictions = {entry["name"]: entry for entry in json.loads(outcome.out)["predictions"]}
    assert all(predictions[str(path)].get("error") for path, sound in taken.items() if not sound)
    assert not any(predictions[str(path)].get("error") for path in folder.rglob("sound_*.png"))
    assert "premature end" in predictions[str(folder / "one" / "half.jpg")]["error"]
    assert all(line.startswith("striate: ") for line in outcome.err.splitlines())
    assert len(outcome.err.splitlines()) >= sum(not sound for sound in taken.values())


def test_check_lists_them(start, spoilt, tmp_path):
    folder, taken = spoilt
    process = start("check", folder, "--json", "--skipped", tmp_path / "skipped.csv")
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0
    assert error == ""
    json.loads(out)
    skipped = (tmp_path / "skipped.csv").read_text()
    assert all(str(path) in skipped for path, sound in taken.items() if not sound)
    assert str(folder / "one" / "half.jpg") in skipped


@pytest.mark.slow
def test_train_leaves_them_out(start, spoilt, tmp_path):
    folder, _ = spoilt
    options = ["--model", "lenet5", "--size", 32, "--epochs", 1, "--workers", 2, "--run", tmp_path / "run"]
    process = start("train", folder, *options)
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    for raw in ("Traceback", "Corrupt JPEG", "Warning", "Decode:", "More samples"):
        assert raw not in out + error
    assert "half.jpg" in (tmp_path / "run" / "skipped.csv").read_text()


def test_bombs_and_hairs_do_not_stop_the_rest(cli, trained, tmp_path):
    Image.new("RGB", (16, 16), (40, 40, 200)).save(tmp_path / "blue.png")
    Image.new("RGB", (20000, 1)).save(tmp_path / "hair.png")
    Image.new("RGB", (1, 900)).save(tmp_path / "thin.png")
    stream = io.BytesIO()
    Image.new("1", (16, 16)).save(stream, "PNG")
    header = bytearray(stream.getvalue())
    header[16:24] = (20000).to_bytes(4) * 2
    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4)
    (tmp_path / "bomb.png").write_bytes(header)
    outcome = cli("predict", trained, tmp_path)
    assert outcome.code == 0
    assert [line.split("\t")[0] for line in outcome.out.splitlines()] == [
        str(tmp_path / "blue.png"),
        str(tmp_path / "thin.png"),
    ]
    bomb, hair, _ = outcome.err.splitlines()
    assert "bomb.png: more than 89,478,485 pixels" in bomb or "20,000 x 20,000" in bomb
    assert "hair.png: 20,000 x 1 pixels: one side is more than 1,000 times the other" in hair


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        ("train", "try a smaller --batch-size or --size"),
        ("predict", "it needs a machine with more of it"),
        ("evaluate", "it needs a machine with more of it"),
    ],
)
def test_out_of_memory_names_only_options_that_the_command_has(monkeypatch, command, advice):
    monkeypatch.setattr(sys, "argv", ["striate", command, "somewhere"])
    for error in (
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ):
        assert _explain(error) == (f"out of memory; {advice}", 1)


def test_out_of_memory_names_the_file(trained, colours, monkeypatch):
    import striate
    from striate.data import preprocessing

    def exhausted(*_):
        raise MemoryError

    picture_of = next(colours.rglob("*.png"))
    classifier = striate.load(trained)
    monkeypatch.setattr(preprocessing.Preprocessing, "__call__", exhausted)
    (prediction,) = classifier.predict([picture_of])
    assert prediction.error == f"{picture_of}: does not fit in memory"


def test_arrays_in_memory_are_not_limited_by_their_shape(trained):
    import striate

    thin = np.zeros((1, 20000, 3), np.uint8)
    assert striate.load(trained).predict(thin).label
