"""The data doctor on a folder with twelve kinds of fault, with the smallest real network."""

import shutil

import numpy as np
import pytest
from PIL import Image

import striate
from striate.classifier import checking
from striate.classifier.checking import check
from striate.data.finding import KINDS
from striate.types import Checkup


@pytest.fixture
def small_network(shared_weights, tmp_path, monkeypatch):
    """The weights of MobileNet 0.25 at 128 pixels, which sees 200 pictures in a second, and no others."""
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "small.safetensors").symlink_to(shared_weights / "mobilenet_v1_0.25_128_imagenet.safetensors")
    monkeypatch.setenv("STRIATE_WEIGHTS", str(folder))
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))


def test_twelve_of_twelve_kinds_of_fault_are_named(ailing, small_network):
    folder, planted = ailing
    steps = {}
    checkup = striate.check(folder, shown=lambda step, done, total: steps.update({step: (done, total)}))
    assert checkup.network == "mobilenet_v1_0.25"
    assert checkup.notes == ()
    named = {}
    for entry in checkup.findings:
        names = [place.name for place in entry.places] or [entry.figures.get("path", "")]
        named.setdefault(entry.kind, set()).update(name.removeprefix(f"{folder}/") for name in names)
    wanted = {kind: set(names) or {""} for kind, names in planted.items()}
    odd = named.pop("odd")
    assert named == wanted
    assert odd <= {"train/green/50.jpg", "train/green/51.jpg", "train/green/52.jpg", "train/red/54.png"}
    suggested = {entry.places[0].name[-12:]: entry.figures["suggested"] for entry in checkup.of("label-error")}
    assert suggested == {"/blue/50.jpg": "red", "/blue/51.jpg": "green", "green/54.jpg": "red"}
    assert steps == {"comparing": (196, 196), "looking at": (198, 199)}  # one was known, in the other split
    ranks = [list(KINDS).index(entry.kind) for entry in checkup.findings]
    assert ranks == sorted(ranks)
    assert list(checkup.counts) == [kind for kind in KINDS if kind in checkup.counts]
    assert {entry.kind for entry in checkup.grave} == {"leak", "near-leak", "unreadable", "empty-class"}


def test_without_weights_or_without_asking_labels_are_not_looked_at(ailing, monkeypatch):
    monkeypatch.delenv("STRIATE_WEIGHTS", raising=False)
    monkeypatch.setattr(checking, "by_accuracy", lambda images: iter(()))
    folder, _ = ailing
    checkup = check(folder)
    assert not checkup.of("label-error", "odd")
    assert checkup.network == ""
    (note,) = checkup.notes
    assert note.endswith("no pretrained weights are on this machine; `striate weights fetch mobilenet_v2` brings some")
    assert check(folder, labels=False).notes == ()


def test_of_many_images_some_are_looked_at_and_it_is_said(ailing, small_network):
    folder, _ = ailing
    totals = set()
    checkup = check(folder, label_images=90, shown=lambda step, done, total: totals.add((step, total)))
    assert totals == {("comparing", 196), ("looking at", 90)}
    assert checkup.notes == ("wrong labels and odd ones: 90 of 199 images were looked at; label_images=N takes others",)
    places = [place for entry in checkup.of("label-error", "odd") for place in entry.places]
    assert len(places) < 8
    for entry in checkup.of("label-error"):  # the rows stay those of their images
        (place,) = entry.places
        assert place.name.endswith(("blue/50.jpg", "blue/51.jpg", "green/54.jpg", "red/54.png"))  # the last is grey


def test_tables_of_values_and_tiny_sets_are_told_why(paint, tmp_path, small_network):
    paint(tmp_path / "im", ["green", "red"], count=4)
    (note,) = check(tmp_path / "im").notes
    assert note.endswith("it takes 5 images of each of two classes")
    rows = [f"im/{name}/{row}.png,{row}" for name in ("green", "red") for row in range(4)]
    (tmp_path / "t.csv").write_text("\n".join(["path,value", *rows]))
    (note,) = check(tmp_path / "t.csv", task="regression", target="value").notes
    assert note.endswith("that is for images of one class each")


def test_a_folder_that_vanishes_meanwhile_costs_the_labels_alone(paint, tmp_path, small_network):
    folder = paint(tmp_path / "photos", ["green", "red"], count=8)
    dataset = striate.open_dataset(folder, memory_limit=0)
    shutil.rmtree(folder)
    checkup = check(dataset)
    assert checkup.network == ""
    assert "wrong labels and odd ones were not looked for" in checkup.notes[0]
    assert "no such file" in checkup.notes[0]


def test_a_checkup_shows_itself(paint, tmp_path):
    folder = paint(tmp_path / "photos", ["green", "red"], count=4)
    Image.fromarray(np.full((16, 16, 3), 9, np.uint8)).save(folder / "red/blank.png")
    checkup = check(folder, labels=False)
    assert isinstance(checkup, Checkup)
    assert repr(checkup) == f"Checkup({folder}; 1 finding)"
    assert "one colour only" in checkup._repr_html_()
    assert checkup.to_dict() == [
        {
            "kind": "blank",
            "text": f"{folder}/red/blank.png",
            "images": [{"name": f"{folder}/red/blank.png", "split": "val", "class": "red"}],
        }
    ]
