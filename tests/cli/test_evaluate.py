"""striate evaluate: what was measured stands in the line of the figure."""

import json

import pytest


@pytest.mark.parametrize(
    ("places", "split", "words"),
    [
        (["train"], "train", "on 6 training images, which says little about new ones"),
        (["train", "val"], "val", "on 6 val images"),
        (["training_set", "val", "test_set"], "test", "on 6 test images"),
        ([], "all", "on 6 images"),
    ],
)
def test_the_line_of_the_figure_says_which_images_were_measured(cli, run, paint, tmp_path, places, split, words):
    for seed, place in enumerate(places or [""]):
        paint(tmp_path / "photos" / place, count=2, seed=seed)
    outcome = cli("evaluate", run, tmp_path / "photos")
    assert outcome.code == 0, outcome.err
    first = outcome.out.splitlines()[0]
    assert first.startswith("top-1 ")
    assert first.endswith(words)
    figures = json.loads(cli("evaluate", run, tmp_path / "photos", "--json").out)
    assert (figures["split"], sum(map(sum, figures["confusion"]))) == (split, 6)


@pytest.mark.parametrize(("place", "split"), [("train", "train"), ("test_set", "test"), ("Validation", "val")])
def test_the_name_of_the_folder_says_which_images_it_holds(cli, run, paint, tmp_path, place, split):
    figures = json.loads(cli("evaluate", run, paint(tmp_path / "photos" / place, count=2), "--json").out)
    assert figures["split"] == split


def test_training_images_are_measured_when_asked_for(cli, run, colours):
    figures = json.loads(cli("evaluate", run, colours, "--json").out)
    assert (figures["split"], sum(map(sum, figures["confusion"]))) == ("val", 3)
    asked = cli("evaluate", run, colours, "--split", "train")
    assert asked.out.splitlines()[0].endswith("on 27 training images, which says little about new ones")


def test_what_was_left_out_is_named_on_standard_error(cli, run, paint, tmp_path):
    photos = paint(tmp_path / "photos", count=2, seed=1)
    bad, phone = photos / "red" / "bad.png", photos / "red" / "phone.HEIC"
    bad.write_bytes(b"")
    phone.write_bytes(b"?")
    left_out = [
        f"1 file left out (1 .heic; the first: {phone}): not read; convert them to JPEG or PNG",
        f"1 left out, since they cannot be used (the first: {bad}: empty file)",
    ]
    outcome = cli("evaluate", run, photos)
    assert outcome.err.splitlines() == [f"note: {line}" for line in left_out]
    assert json.loads(cli("evaluate", run, photos, "--json").out)["notes"] == left_out
    assert cli("evaluate", run).err == ""


def test_a_split_that_is_not_there_is_named(cli, run, paint, tmp_path):
    paint(tmp_path / "photos" / "val", count=2)
    paint(tmp_path / "photos" / "test", count=2)
    outcome = cli("evaluate", run, tmp_path / "photos", "--split", "train")
    assert outcome.code == 1
    assert "has no train images; it has val, test" in outcome.line()


def test_training_on_all_images_says_so_in_the_line_of_the_figure(cli, paint, tmp_path):
    photos = paint(tmp_path / "photos", count=2)
    outcome = cli(
        *("train", photos, "--model", "lenet5", "--epochs", 1, "--val-fraction", 0, "--run", "all", "--workers", 0)
    )
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[0].endswith("on 6 training images, which says little about new ones")
    assert cli("evaluate", "all", photos).out.splitlines()[0] == outcome.out.splitlines()[0]
