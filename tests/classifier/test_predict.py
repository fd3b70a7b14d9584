"""Predicting: one answer for one picture, however it is handed over; probabilities in scikit-learn's manner."""

import dataclasses
import io
import re
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import log_loss, top_k_accuracy_score

import striate
from striate.data import decode
from striate.errors import StriateError, UsageError


@pytest.fixture(scope="module")
def classifier(trained):
    return striate.load(trained)


@pytest.fixture(scope="module")
def picture(colours) -> Path:
    return colours / "green" / "4.png"


def test_every_way_of_giving_a_picture_gives_the_same_answer(classifier, picture):
    expected = classifier.predict_proba(picture)
    array = decode(picture)
    ways = {
        "str": str(picture),
        "list": [picture],
        "generator": (path for path in [picture]),
        "bytes": picture.read_bytes(),
        "open file": io.BytesIO(picture.read_bytes()),
        "Pillow": Image.open(picture),
        "Pillow RGBA": Image.open(picture).convert("RGBA"),
        "Pillow CMYK": Image.open(picture).convert("CMYK"),
        "Pillow P": Image.fromarray(array).convert("P", palette=Image.Palette.ADAPTIVE, colors=256),
        "(H, W, C)": array,
        "(N, H, W, C)": array[None],
        "not contiguous": np.asfortranarray(array),
        "opaque (H, W, 4)": np.dstack([array, np.full(array.shape[:2], 255, np.uint8)]),
    }
    for name, image in ways.items():
        np.testing.assert_array_equal(classifier.predict_proba(image), expected, err_msg=name)


def test_every_way_of_giving_a_grey_picture_gives_the_same_answer(classifier, picture, tmp_path):
    image = Image.open(picture).convert("L")
    image.save(tmp_path / "grey.png")
    grey = np.asarray(image)
    sixteen = Image.fromarray(grey.astype(np.uint16) * 257)
    assert sixteen.mode == "I;16"
    expected = classifier.predict_proba(tmp_path / "grey.png")
    for way in (image, image.convert("LA"), sixteen, grey, grey[:, :, None], grey[None, :, :, None]):
        np.testing.assert_array_equal(classifier.predict_proba(way), expected)


def test_rotation_in_a_pillow_image_means_what_it_means_in_a_file(classifier, picture, tmp_path):
    wide = Image.open(picture).resize((40, 16))
    exif = Image.Exif()
    exif[0x0112] = 6
    wide.save(tmp_path / "turned.png", exif=exif)
    from_file = classifier.predict_proba(tmp_path / "turned.png")
    np.testing.assert_array_equal(classifier.predict_proba(Image.open(tmp_path / "turned.png")), from_file)


def test_one_image_gives_one_prediction_and_many_a_list(classifier, picture, colours):
    one = classifier.predict(picture)
    assert one.name == str(picture)
    assert one.label in classifier.classes
    (same,) = classifier.predict([picture])
    assert same == one
    folder = classifier.predict(colours / "green")
    assert [Path(prediction.name).name for prediction in folder] == sorted(f"{number}.png" for number in range(10))
    assert one in folder
    assert len(classifier.predict([colours / "green", picture])) == 11


def test_it_has_learnt_the_colours(classifier, colours):
    for name in classifier.classes:
        assert {prediction.label for prediction in classifier.predict(colours / name)} == {name}


def test_top_classes_come_in_order_and_sum_to_at_most_one(classifier, picture):
    everything = classifier.predict(picture, top=99)
    chances = [chance for _, chance in everything.top]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) == pytest.approx(1, abs=1e-6)
    assert {label for label, _ in everything.top} == set(classifier.classes)
    assert classifier.predict(picture, top=2).top == everything.top[:2]
    assert (everything.label, everything.probability) == everything.top[0]


def test_many_images_are_predicted_in_groups_without_changing_order(classifier, picture):
    array = decode(picture)
    images = np.stack([np.roll(array, shift, axis=2) for shift in range(3)] * 50)  # 150 of three colours
    probabilities = classifier.predict_proba(images)
    assert probabilities.shape == (150, 3)
    np.testing.assert_allclose(probabilities, np.tile(probabilities[:3], (50, 1)), atol=1e-6)


def test_probabilities_serve_scikit_learn(classifier, colours):
    names = np.repeat(sorted(path.name for path in colours.iterdir()), 10)
    probabilities = classifier.predict_proba(colours)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert list(classifier.classes_) == list(classifier.classes) == sorted(set(names))
    evaluation = classifier.evaluate(striate.open_dataset(colours, val_fraction=0))
    order = np.argsort([str(name) for name in evaluation.names])
    np.testing.assert_allclose(probabilities, evaluation.probabilities[order], atol=1e-6)
    assert log_loss(names, probabilities, labels=classifier.classes_) == pytest.approx(evaluation.loss, abs=1e-4)
    assert top_k_accuracy_score(names, probabilities, k=1, labels=classifier.classes_) == evaluation.top1


@pytest.mark.parametrize("top", [0, -1, 1.5, "2", True, None])
def test_a_number_of_classes_that_is_none_is_refused(classifier, picture, top):
    with pytest.raises(UsageError, match=r"top is .*; ask for at least 1 class"):
        classifier.predict(picture, top=top)


def test_nothing_gives_nothing(classifier):
    assert classifier.predict([]) == []
    assert classifier.predict_proba([]).shape == (0, 3)


def test_unreadable_images_are_errors_in_a_list_and_raised_alone(classifier, picture, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(picture.read_bytes()[:100])
    first, second, third = classifier.predict([bad, picture, b"no image"])
    assert str(bad) in first.error
    assert (first.label, first.probability, first.top) == (None, 0.0, ())
    assert first.to_dict() == {"name": str(bad), "error": first.error}
    assert second.label in classifier.classes
    assert third.error
    for images in (bad, Image.open(bad)):
        with pytest.raises(StriateError):
            classifier.predict(images)
    with pytest.raises(StriateError, match=r"bad\.png"):
        classifier.predict_proba([picture, bad])


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((4, 4, 3)), "float64"),
        (np.zeros((5, 28, 28), np.uint8), r"\(N, H, W, C\)"),
        (np.zeros((0, 4), np.uint8), "shape"),
        ([3], "int"),
        (None, "NoneType"),
        ({"a": 1}, "dict"),
    ],
)
def test_what_is_no_image_is_refused(classifier, images, words):
    with pytest.raises(UsageError, match=words):
        classifier.predict(images)


@pytest.mark.parametrize("top", [0, -1, 1.5, "2", None])
def test_a_number_of_classes_is_a_whole_one(classifier, picture, top):
    with pytest.raises(UsageError, match="ask for at least 1 class"):
        classifier.predict(picture, top=top)
    assert len(classifier.predict(picture, top=np.int64(2)).top) == 2


def test_what_is_no_image_is_refused_among_others_too(classifier, picture):
    with pytest.raises(UsageError, match=r"\[1\]: an array of float64"):
        classifier.predict([picture, np.zeros((4, 4, 3))])


@pytest.mark.parametrize(
    ("size", "together"), [((16, 16), 64), ((128, 128), 32), ((224, 224), 10), ((1024, 512), 1), ((2000, 2000), 1)]
)
def test_as_many_images_go_together_as_their_pixels_allow(classifier, monkeypatch, size, together):
    look = dataclasses.replace(classifier.description.preprocessing, size=size)
    monkeypatch.setattr(classifier, "description", dataclasses.replace(classifier.description, preprocessing=look))
    assert classifier._running.together == together


def test_a_model_alone_is_enough(trained, picture, tmp_path, monkeypatch):
    expected = striate.load(trained).predict_proba(picture)
    (tmp_path / "deep").mkdir()
    moved = tmp_path / "deep" / "renamed.safetensors"
    moved.write_bytes((trained / "model.safetensors").read_bytes())
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(striate.load(moved).predict_proba(picture), expected)


@pytest.mark.parametrize("path", [None, 3, "", b"run"])
def test_what_is_no_path_is_not_loaded(path):
    with pytest.raises(UsageError, match=re.escape(f"path is {path!r}; give a path")):
        striate.load(path)


def test_saved_and_loaded_it_gives_equal_probabilities_bit_for_bit(classifier, colours, tmp_path):
    path = classifier.save(tmp_path / "copy.safetensors")
    again = striate.load(path)
    np.testing.assert_array_equal(again.predict_proba(colours), classifier.predict_proba(colours))
    assert again.description == classifier.description
    assert again.save(tmp_path / "second.safetensors").read_bytes() == path.read_bytes()
    with pytest.raises(UsageError, match=r"\.safetensors"):
        classifier.save(tmp_path / "copy.pt")
    with pytest.raises(StriateError, match="nowhere"):
        classifier.save(tmp_path / "nowhere" / "copy.safetensors")


def test_folder_gives_the_files_that_training_takes_and_names_the_rest(classifier, colours, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    folder = tmp_path / "photos"
    (folder / "red" / "folder.jpg").mkdir(parents=True)
    (folder / "green" / "@eaDir").mkdir(parents=True)
    elsewhere.mkdir()
    source = (colours / "red" / "0.png").read_bytes()
    taken = ["green/A.PNG", "red/folder.jpg/inside.png", "red/picture", "elsewhere/linked.png"]
    for place in (folder / "green/A.PNG", folder / "red/folder.jpg/inside.png", folder / "red/picture"):
        place.write_bytes(source)
    (elsewhere / "linked.png").write_bytes(source)
    (folder / "red" / "link").symlink_to(elsewhere)
    (folder / "red" / "up").symlink_to(folder)
    for left in ("green/@eaDir/thumb.png", "green/phone.JXL", "red/notes.txt", "red/Thumbs.db", "red/.hidden.png"):
        (folder / left).write_bytes(source)
    predictions = classifier.predict(folder)
    names = [str(Path(prediction.name).resolve().relative_to(tmp_path)) for prediction in predictions]
    assert sorted(names) == sorted(name if "elsewhere" in name else f"photos/{name}" for name in taken)
    assert not any(prediction.error for prediction in predictions)
    dataset = striate.open_dataset(folder, val_fraction=0)
    learnt = [dataset.train.images.name(row) for row in range(len(dataset.train))]
    assert [prediction.name for prediction in predictions] == learnt
    assert predictions.notes == dataset.notes[: len(predictions.notes)]
    assert [note.split(" left out")[0] for note in predictions.notes] == ["1 file", "1 file"]


def test_folder_without_images_says_what_it_holds(classifier, tmp_path):
    (tmp_path / "phone").mkdir()
    (only,) = classifier.predict(tmp_path / "phone")
    assert "no images in this folder or below it" in only.error
    (tmp_path / "phone" / "1.JXL").write_bytes(b"?")
    (only,) = classifier.predict([tmp_path / "phone"])
    assert (
        "no images in this folder or below it, only 1 file (1 .jxl: not read; convert them to JPEG or PNG)"
        in only.error
    )


def test_a_stream_reads_a_group_at_a_time_and_keeps_the_order(classifier, picture, colours):
    """Of images without end the first come when those of a few groups have been asked for."""
    asked = []

    def endless():
        for number in count():
            asked.append(number)
            yield colours / "red" / "1.png" if number % 2 else picture

    stream = classifier.stream(endless(), top=2)
    assert asked == []
    first = [next(stream) for _ in range(3)]
    together = classifier._running.together
    assert together <= len(asked) <= 4 * together
    assert [prediction.label for prediction in first] == ["green", "red", "green"]
    assert [len(prediction.top) for prediction in first] == [2, 2, 2]
    assert [prediction.path for prediction in first[:2]] == [picture, colours / "red" / "1.png"]


def test_a_stream_is_what_predict_gives(classifier, colours, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"")
    (tmp_path / "notes.txt").touch()
    given = [colours, tmp_path]
    stream = classifier.stream(given)
    assert stream.notes == ()
    found, expected = list(stream), classifier.predict(given)
    assert found == expected
    assert stream.notes == expected.notes
    assert len(stream.notes) == 1
    assert [prediction.path for prediction in found] == [prediction.path for prediction in expected]
    assert found[-1].path == tmp_path / "bad.png"
    assert next(classifier.stream(colours / "red" / "0.png")) == classifier.predict(colours / "red" / "0.png")
    with pytest.raises(UsageError, match="top is 0"):
        classifier.stream(colours, top=0)


def test_pictures_in_memory_have_no_file(classifier, picture):
    assert classifier.predict(picture).path == picture
    assert classifier.predict(str(picture)).path == picture
    assert classifier.predict(picture.read_bytes()).path is None
    assert [one.path for one in classifier.predict([decode(picture), Image.open(picture)])] == [None, None]


def test_a_classifier_goes_to_the_device_that_is_named(trained, picture, monkeypatch):
    """PyTorch's "meta" stands for a device with a memory of its own."""
    classifier = striate.load(trained, device="auto")
    assert classifier.to("cpu") is classifier
    assert {parameter.device.type for parameter in classifier.model.parameters()} == {"cpu"}
    asked = []
    for module in ("classifier", "loading"):
        monkeypatch.setattr(f"striate.classifier.{module}.device_type", lambda name: asked.append(name) or "meta")
    moved = striate.load(trained, device="elsewhere")
    assert {parameter.device.type for parameter in moved.model.parameters()} == {"meta"}
    assert {parameter.device.type for parameter in classifier.to("there").model.parameters()} == {"meta"}
    assert (asked[0], asked[-1]) == ("elsewhere", "there")


def test_a_pretrained_network_goes_to_the_device_that_is_named(trained, tmp_path, monkeypatch):
    own = striate.load(trained)
    monkeypatch.setattr(striate.Classifier, "pretrained", lambda *given: own.to("cpu"))
    monkeypatch.setattr("striate.classifier.loading.device_type", lambda name: "meta")
    monkeypatch.setattr("striate.classifier.classifier.device_type", lambda name: name)
    by_name = striate.load("resnet18", device="elsewhere")
    assert {parameter.device.type for parameter in by_name.model.parameters()} == {"meta"}


def test_a_device_that_is_not_there_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(UsageError, match="device 'tpu' is unknown"):
        striate.load(tmp_path / "nothing", device="tpu")
