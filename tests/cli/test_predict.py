"""striate predict: what a folder holds besides images is named on standard error, and in the JSON."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from striate.classifier.prediction import Prediction, Stream
from striate.cli.output import ENGINES as NAMES
from striate.engines import ENGINES
from striate.training.tasks import SingleLabel
from striate.units import plural


def test_files_that_are_left_out_are_named(cli, run, paint, tmp_path):
    photos = paint(tmp_path / "photos", ["red"], count=2)
    (photos / "red" / "phone.JXL").write_bytes(b"?")
    note = f"1 file left out (1 .jxl; the first: {photos / 'red' / 'phone.JXL'}): not read; convert them to JPEG or PNG"
    outcome = cli("predict", run, photos)
    assert outcome.code == 0
    assert outcome.err == f"note: {note}\n2 images: 2 red\n"
    assert len(outcome.out.splitlines()) == 2
    outcome = cli("predict", run, photos, "--json")
    assert outcome.err == f"note: {note}\n"
    found = json.loads(outcome.out)
    assert found.keys() == {"predictions", "notes", "counts", "unsure", "unreadable"}
    assert found["notes"] == [note]
    assert len(found["predictions"]) == 2


def test_train_check_and_predict_take_the_same_files(cli, run, colours, tmp_path):
    photos = tmp_path / "photos"
    for name in ("red", "blue"):
        (photos / name / "folder.jpg").mkdir(parents=True)
        for file in ("A.PNG", "picture", "folder.jpg/inside.png"):
            (photos / name / file).write_bytes((colours / name / "0.png").read_bytes())
        (photos / name / "link").symlink_to(colours / name)
        (photos / name / "notes.txt").touch()
    checked = json.loads(cli("check", photos, "--json").out)
    assert sum(sum(counts.values()) for counts in checked["images"].values()) == 2 * 13
    predicted = json.loads(cli("predict", run, photos, "--json").out)
    assert len(predicted["predictions"]) == 2 * 13
    assert set(predicted["notes"]) <= set(checked["notes"])
    assert predicted["notes"][0].startswith("2 files left out (2 .txt; the first: ")
    trained = cli("train", photos, "--model", "lenet5", "--epochs", 1, "--run", "new", "--workers", 0)
    assert trained.code == 0, trained.err
    assert f"note: {predicted['notes'][0]}" in trained.err
    images = json.loads((tmp_path / "here" / "new" / "config.json").read_text(encoding="utf-8"))
    assert images["classes"] == ["blue", "red"]
    assert "23 train, 3 val images" in trained.err


@pytest.fixture
def unreadable(monkeypatch):
    """Makes a path one that may not be read, whoever runs the tests: unreadable(path)."""
    real, closed = {"access": os.access, "open": open, "stat": os.stat}, set()

    def refusing(name):
        def call(path, *arguments, **options):
            if isinstance(path, (str, os.PathLike)) and any(Path(path).is_relative_to(one) for one in closed):
                if name == "access":
                    return False
                if name == "open" or Path(path) not in closed:
                    raise PermissionError(13, "Permission denied", str(path))
            return real[name](path, *arguments, **options)

        return call

    monkeypatch.setattr(os, "access", refusing("access"))
    monkeypatch.setattr(os, "stat", refusing("stat"))
    monkeypatch.setattr("builtins.open", refusing("open"))
    monkeypatch.setattr("io.open", refusing("open"))
    return closed.add


def test_an_image_that_may_not_be_read_does_not_stop_the_rest(cli, run, colours, tmp_path, unreadable):
    good = (colours / "red" / "0.png").read_bytes()
    (tmp_path / "shut").mkdir()
    for name in ("secret.png", "fine.png", "shut/inside.png"):
        (tmp_path / name).write_bytes(good)
    unreadable(tmp_path / "secret.png")
    unreadable(tmp_path / "shut")
    outcome = cli("predict", run, *(tmp_path / name for name in ("secret.png", "shut/inside.png", "fine.png")))
    assert outcome.code == 0
    first, second, _ = outcome.err.splitlines()
    assert f"{tmp_path / 'secret.png'}: permission denied" in first
    assert f"{tmp_path / 'shut' / 'inside.png'}: permission denied" in second
    assert outcome.out.startswith(f"{tmp_path / 'fine.png'}\t")


@pytest.mark.parametrize(
    "command", ["predict {} picture.png", "evaluate {}", "train --resume {}", "kernel {} --kernel mean"]
)
def test_what_may_not_be_read_is_found_out_by_reading_it(command, cli, tmp_path, unreadable):
    (tmp_path / "there").write_bytes(b"")
    unreadable(tmp_path / "there")
    assert "is not readable" not in cli(*command.format(tmp_path / "there").split()).line()


@pytest.fixture
def answers(monkeypatch):
    """What the classifier is asked; it answers with `answers.given`."""

    class Asked(list):
        given = ()

    asked = Asked()

    def stream(*said):
        asked.append(said)
        return Stream(iter(asked.given), ["a note", "b"])

    def load(run, trust, device):
        asked.append((run, trust, device))
        return SimpleNamespace(stream=stream, classes=("cat", "dog"), task=SingleLabel(("cat", "dog")))

    monkeypatch.setattr("striate.classifier.load", load)
    return asked


GOOD = Prediction("a b.png", (("cat", 0.75), ("dog", 0.125)))
BAD = Prediction("bad.png", error="bad.png: empty file")
BOTH = "2 images: 1 cat; 1 could not be read\n"
NONE = "2 images; 2 could not be read\n"


@pytest.mark.parametrize(
    ("given", "code", "out", "err", "counts"),
    [
        ([GOOD], 0, "a b.png\tcat 75.00%\tdog 12.50%\n", "", ""),
        ([BAD, GOOD], 0, "a b.png\tcat 75.00%\tdog 12.50%\n", "striate: bad.png: empty file\n", BOTH),
        ([BAD, BAD], 1, "", "striate: bad.png: empty file\n" * 2, NONE),
    ],
)
def test_each_image_is_a_line_its_error_another_and_none_read_is_a_failure(given, code, out, err, counts, cli, answers):
    answers.given = given
    notes = "note: a note\nnote: b\n"
    assert cli("predict", "run", "a b.png", "there") == (code, out, err + notes + counts)
    assert answers == [(Path("run"), None, "auto"), ([Path("a b.png"), Path("there")], 1, "auto")]
    told = cli("predict", "run", "x", "--top", 2, "--json", "--trust", "net.py", "--device", "cpu")
    assert (told.code, told.err) == (code, err + notes)
    assert answers[2:] == [(Path("run"), "net.py", "cpu"), ([Path("x")], 2, "auto")]
    assert json.loads(told.out) == {
        "predictions": [json.loads(json.dumps(one.to_dict())) for one in given],
        "notes": ["a note", "b"],
        "counts": {"cat": 1} if GOOD in given else {},
        "unsure": None,
        "unreadable": given.count(BAD),
    }


SURE = Prediction("sure.png", (("dog", 0.8), ("cat", 0.2)))


def test_images_whose_class_is_less_probable_are_marked(cli, answers):
    answers.given = [GOOD, SURE, BAD]
    outcome = cli("predict", "run", "x", "--top", 2, "--unsure", 0.8)
    assert outcome.out == "a b.png\tcat 75.00%\tdog 12.50%\tunsure\nsure.png\tdog 80.00%\tcat 20.00%\n"
    assert outcome.err.endswith("3 images: 1 cat, 1 dog; 1 unsure (below 80%); 1 could not be read\n")
    figures = json.loads(cli("predict", "run", "x", "--unsure", 0.8, "--json").out)
    assert [found.get("unsure") for found in figures["predictions"]] == [True, False, None]
    assert (figures["unsure"], figures["unreadable"]) == (1, 1)


def test_a_table_has_a_line_for_each_image(cli, answers, tmp_path):
    answers.given = [GOOD, BAD, SURE]
    outcome = cli("predict", "run", "x", "--top", 9, "--csv", tmp_path / "t.csv", "--unsure", 0.8)
    assert outcome.err.endswith(f"\nwritten to {tmp_path / 't.csv'}\n")
    assert (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines() == [
        "file,class,probability,class_2,probability_2,unsure,error",
        "a b.png,cat,0.750000,dog,0.125000,yes,",
        "bad.png,,,,,,bad.png: empty file",
        "sure.png,dog,0.800000,cat,0.200000,no,",
    ]


@pytest.mark.parametrize("option", [("--unsure", "80"), ("--unsure", "0"), ("--unsure", "nan"), ("--link",)])
def test_what_makes_no_sense_is_refused_before_anything_is_read(cli, option):
    outcome = cli("predict", "no-run", "x", *option)
    assert outcome.code == 2
    assert f"{option[0]} " in outcome.line()


def test_a_device_that_is_not_there_is_refused(cli, run, colours):
    outcome = cli("predict", run, colours, "--device", "tpu")
    assert (outcome.code, outcome.line()) == (2, "striate: device 'tpu' is unknown; it is one of auto, cpu, cuda, mps.")
    for command in (("predict", run, colours), ("evaluate", run)):
        if not torch.cuda.is_available():
            assert "device 'cuda' is not on this machine" in cli(*command, "--device", "cuda").line()
        assert cli(*command, "--device", "cpu").code == 0


def test_pictures_are_sorted_into_folders_of_their_classes(cli, run, colours, paint, tmp_path):
    photos = paint(tmp_path / "photos", ["red", "blue"], count=3)
    (photos / "red" / "broken.png").write_bytes(b"")
    before = {path: path.read_bytes() for path in photos.rglob("*.png")}
    outcome = cli("predict", run, photos, "--sort-into", tmp_path / "sorted", "--json")
    lies = {found["name"]: found.get("sorted_to") for found in json.loads(outcome.out)["predictions"]}
    assert lies.pop(str(photos / "red" / "broken.png")) is None
    assert lies == {
        str(photos / name / f"{number}.png"): str(tmp_path / "sorted" / name / f"{number}.png")
        for name in ("red", "blue")
        for number in range(3)
    }
    assert all(Path(new).read_bytes() == Path(old).read_bytes() for old, new in lies.items())
    assert outcome.err.splitlines()[-1] == f"6 pictures copied into 2 folders of {tmp_path / 'sorted'}"
    assert {path: path.read_bytes() for path in photos.rglob("*.png")} == before
    outcome = cli("predict", run, photos, "--sort-into", tmp_path / "sorted", "--link", "--unsure", 1)
    assert outcome.err.splitlines()[-1].startswith(f"0 pictures linked into 0 folders of {tmp_path / 'sorted'}, 6 into")
    assert sum(path.is_symlink() for path in (tmp_path / "sorted" / "unsure").iterdir()) == 6
    assert cli("predict", run, photos, "--sort-into", photos / "x").code == 2
    assert not (photos / "x").exists()


def test_a_table_and_folders_that_cannot_be_written_are_told_with_what_was_done(cli, answers, tmp_path, colours):
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "file", tmp_path / "none"):
        outcome = cli("predict", "no_such_run", "x", "--csv", folder / "t.csv")
        assert outcome.line() == f"striate: {folder / 't.csv'}: there is no folder {folder}"
    picture = colours / "red" / "0.png"
    answers.given = [replace(SURE, path=picture), replace(GOOD, path=picture)]
    (tmp_path / "cat").write_bytes(b"")
    outcome = cli("predict", "run", picture, "--sort-into", tmp_path, "--csv", tmp_path / "t.csv")
    assert outcome.code == 1
    last = outcome.err.splitlines()[-1]
    assert last.startswith(f"striate: {tmp_path / 'cat'}: cannot be written")
    done = f"1 image; 1 picture copied into 1 folder of {tmp_path}; {tmp_path / 't.csv'} is not written."
    assert last.endswith(f"Done before: {done}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cat", "dog", "file", "here"]


def test_images_are_counted_on_a_terminal(on_terminal, answers, monkeypatch):
    monkeypatch.setattr("striate.training.counting.SHOW_EVERY", -1)
    answers.given = [GOOD, SURE]
    shown = on_terminal("predict", "run", "x")
    assert "\x1b[Kpredicting 1 image\r\x1b[Kpredicting 2 images" in shown.err
    assert len(shown.out.splitlines()) == 2
    for option in ("--quiet", "--json"):
        assert "predicting" not in on_terminal("predict", "run", "x", option).err


def test_ctrl_c_leaves_one_line_on_what_was_done_and_no_half_of_a_file(start, run, colours, tmp_path):
    (tmp_path / "t.csv").write_text("older", encoding="utf-8")
    process = start("predict", run, *[colours] * 400, "--sort-into", tmp_path / "new", "--csv", tmp_path / "t.csv")
    for _ in range(3):
        assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    (line,) = err.splitlines()
    count = len(list((tmp_path / "new").glob("*/*.png")))
    assert 0 < count < 12_000
    assert line.startswith(
        f"striate: interrupted after {plural(count, 'image')}; {plural(count, 'picture')} copied into "
    )
    assert line.endswith(f" of {tmp_path / 'new'}; {tmp_path / 't.csv'} is not written.")
    assert (tmp_path / "t.csv").read_text(encoding="utf-8") == "older"
    assert {path.name for path in tmp_path.iterdir()} == {"new", "t.csv", "run"}


def test_lines_of_json_come_one_for_each_image(cli, run, colours, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"")
    outcome = cli("predict", run, colours / "red", tmp_path / "bad.png", "--json-lines")
    found = [json.loads(line) for line in outcome.out.splitlines()]
    together = json.loads(cli("predict", run, colours / "red", tmp_path / "bad.png", "--json").out)
    assert found == together["predictions"]
    assert len(found) == 11
    assert "11 images: 10 red; 1 could not be read" in outcome.err
    refused = cli("predict", run, colours, "--json", "--json-lines")
    assert refused.code == 2
    assert "give one of them" in refused.err


def test_engines_are_those_that_there_are_and_what_was_chosen_is_told(cli, run, colours):
    assert tuple(ENGINES) == NAMES
    outcome = cli("predict", run, colours / "red", "--engine", "openvino")
    assert outcome.code == 0
    assert outcome.err == "10 images: 10 red\nengine openvino\n"
    assert cli("evaluate", run, colours, "--engine", "onnxruntime").code == 0
    for command in ("predict", "evaluate"):
        refused = cli(command, run, colours, "--engine", "openvin")
        assert (refused.code, refused.out) == (2, "")
        assert "engine 'openvin'" in refused.err
