"""The trained classifier as an object: what it holds, which images it measures and what it calls them."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import striate
from striate.classifier import Classifier, measuring
from striate.classifier import classifier as module
from striate.data import Split, UnreadableImage, open_dataset
from striate.data.dataset import Skipped
from striate.errors import StriateError, UsageError

#: How the images of a model that tells classes apart are opened again.
LABELLED = {"task": "single-label", "target": [], "remember": True}


@pytest.fixture
def classifier(trained) -> Classifier:
    return striate.load(trained)


def of(classifier: Classifier, path: Path | None = None, **data) -> Classifier:
    """The same network, said to be trained on other images."""
    described = replace(classifier.description, data={**classifier.description.data, **data})
    return Classifier(classifier.model, described, path)


@pytest.fixture
def opened(monkeypatch):
    """Collects which places are opened, and how; opens nothing."""
    calls: list[tuple] = []

    def note(place, **options):
        calls.append((place, options))
        raise StriateError("opened")

    monkeypatch.setattr(measuring, "open_dataset", note)
    return calls


def test_it_holds_what_it_was_made_of(trained):
    fresh = striate.create_model("resnet20_cifar", num_classes=3).train()
    look = replace(striate.load(trained).description.preprocessing, size=(20, 28))
    described = replace(striate.load(trained).description, network=fresh.spec.to_dict(), preprocessing=look)
    made = Classifier(fresh, described, Path("somewhere"))
    assert (made.model, made.description, made.path, made.evaluation) == (fresh, described, Path("somewhere"), None)
    assert not any(layer.training for layer in made.model.modules())
    kernels = [each for each in made.model.parameters() if each.ndim == 4 and min(each.shape[1:3]) > 1]
    assert kernels
    assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)
    assert made.classes == ("blue", "green", "red")
    assert (made.classes_.tolist(), made.classes_.dtype.kind) == (["blue", "green", "red"], "U")
    assert repr(made).startswith("Classifier(resnet20_cifar; 3 classes: ")
    assert "; 20x28 pixels" in repr(made)
    assert Classifier(fresh, described).path is None


def test_probabilities_are_the_softmax_of_the_network(classifier):
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28, 3), dtype=np.uint8)
    mean, std = (
        np.array(each) for each in (classifier.description.preprocessing.mean, classifier.description.preprocessing.std)
    )
    inputs = torch.tensor(((images / 255 - mean) / std).transpose(0, 3, 1, 2), dtype=torch.float32)
    logits = classifier.model(inputs).detach().double().numpy()
    wanted = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(classifier.predict_proba(images), wanted, atol=1e-5)
    for image, row in zip(images, wanted, strict=True):
        order = np.argsort(-row)
        prediction = classifier.predict(image, top=2)
        assert [name for name, _ in prediction.top] == [classifier.classes[place] for place in order[:2]]
        assert [chance for _, chance in prediction.top] == pytest.approx(row[order[:2]].tolist(), abs=1e-5)
        assert prediction.name == "image"


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (MemoryError(), "does not fit in memory"),
        (RuntimeError("Insufficient memory"), "does not fit in memory"),
        (UnreadableImage("out of memory on the camera", "it"), "out of memory on the camera"),
    ],
)
def test_an_image_that_does_not_fit_in_memory_is_one_that_cannot_be_read(
    monkeypatch, classifier, colours, raised, said
):
    def read(self, image):
        raise raised

    monkeypatch.setattr(type(classifier.description.preprocessing), "__call__", read)
    picture = colours / "red" / "0.png"
    with pytest.raises(UnreadableImage, match=said) as error:
        classifier.predict(picture)
    assert str(error.value).startswith("it" if isinstance(raised, UnreadableImage) else str(picture))
    (one,) = classifier.predict([picture])
    assert said in one.error


def test_other_faults_of_reading_are_not_hidden(monkeypatch, classifier, colours):
    monkeypatch.setattr(type(classifier.description.preprocessing), "__call__", lambda self, image: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        classifier.predict(colours)


def test_the_images_of_the_training_are_opened_as_they_were_then(opened, classifier, colours):
    look = classifier.description.preprocessing
    four = replace(look, channels=4, mean=(0.5,) * 4, std=(0.2,) * 4)
    changed = of(classifier, source=str(colours), seed=7, val_fraction=0.3)
    changed.description = replace(changed.description, preprocessing=four)
    for source in (None, colours, str(colours)):
        with pytest.raises(StriateError, match="opened"):
            changed.evaluate(source)
    assert opened == [(str(colours), {"channels": 4, "seed": 7, "val_fraction": 0.3, **LABELLED})] * 3


def test_other_images_are_opened_whole_with_the_channels_and_classes_known(opened, classifier, tmp_path):
    for split in (None, "train", "val"):
        with pytest.raises(StriateError, match="opened"):
            classifier.evaluate(tmp_path, split)
    known = {"channels": 3, "val_fraction": 0, "classes": ("blue", "green", "red"), **LABELLED}
    assert opened == [(tmp_path, known)] * 3


@pytest.mark.parametrize("split", ["", "all", "Val", 3])
def test_a_split_that_is_none_is_refused_before_images_are_opened(opened, classifier, colours, split):
    with pytest.raises(UsageError, match=rf"^split '{split}' is unknown; it is one of train, val, test\.$"):
        classifier.evaluate(colours, split)
    assert not opened


def test_images_of_a_split_are_set_aside_as_opening_does_it(classifier, paint, tmp_path):
    others = paint(tmp_path / "others", seed=1)
    aside = open_dataset(others, val_fraction=0.1, seed=0)
    for split in ("val", "train"):
        names = classifier.evaluate(others, split).names
        part = getattr(aside, split).images if split == "val" else open_dataset(others, val_fraction=0).train.images
        assert names == [part.name(row) for row in range(len(part))]


def test_a_model_that_does_not_say_its_images_measures_others(classifier, paint, tmp_path, monkeypatch):
    untold = Classifier(classifier.model, replace(classifier.description, data={}))
    with pytest.raises(UsageError, match="does not say what it was trained on; name the images"):
        untold.evaluate()
    others = paint(tmp_path / "others", seed=1)
    assert [len(untold.evaluate(others, split)) for split in (None, "val")] == [30, 3]
    assert untold.evaluate(others).split == untold.evaluate(open_dataset(others, val_fraction=0)).split == "all"


@pytest.mark.parametrize(("path", "called"), [(None, "MODEL"), (Path("my_run"), "my_run")])
def test_images_that_are_gone_are_asked_for_by_the_name_of_the_model(classifier, path, called, tmp_path):
    gone = of(classifier, path, source=str(tmp_path / "gone"))
    with pytest.raises(
        StriateError, match=f"^{tmp_path}/gone: the images are not .*: striate evaluate {called} NEW_PLACE"
    ):
        gone.evaluate()


def test_the_place_of_the_training_is_what_its_run_says_and_no_other(classifier, run, colours, tmp_path, monkeypatch):
    """The absolute path of config.json where there is one, else the place as it was called."""
    config = json.loads((run / "config.json").read_text())
    moved = shutil.copytree(colours, tmp_path / "moved")
    (run / "config.json").write_text(json.dumps(config | {"absolute_source": str(moved)}))
    assert str(moved) in striate.load(run).evaluate().names[0]
    assert str(colours) in striate.load(run / "model.safetensors").evaluate().names[0]
    monkeypatch.chdir(run)
    assert str(colours) in Classifier(classifier.model, classifier.description).evaluate().names[0]
    assert str(moved) in striate.load(".").evaluate().names[0]
    del config["absolute_source"]
    (run / "config.json").write_text(json.dumps(config))
    assert str(colours) in striate.load(run).evaluate().names[0]


@pytest.mark.parametrize("way", ["itself", "link", "up", "home", "relative", "data set"])
def test_the_place_of_the_training_is_known_by_every_path_to_it(classifier, colours, tmp_path, monkeypatch, way):
    """Even when its images have changed: then all of them are measured, and said to be for training."""
    photos = shutil.copytree(colours, tmp_path / "photos")
    (photos / "red" / "1.png").unlink()
    (tmp_path / "link").symlink_to(photos)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    paths = {"link": tmp_path / "link", "up": photos / "red" / "..", "home": "~/photos", "relative": "photos"}
    paths |= {"itself": str(photos), "data set": open_dataset("photos", val_fraction=0)}
    evaluation = of(classifier, source="photos").evaluate(paths[way])
    assert (evaluation.split, len(evaluation)) == ("train", 29)
    assert of(classifier, source=str(tmp_path / "others")).evaluate(paths[way]).split == "all"


def test_where_the_images_of_a_run_were_is_believed_before_what_they_were_called(run, colours, tmp_path, monkeypatch):
    moved = shutil.copytree(colours, tmp_path / "moved")
    (moved / "red" / "1.png").unlink()
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"absolute_source": str(moved)}))
    assert striate.load(run).evaluate(moved).split == "train"
    (moved / "red" / "2.png").rename(moved / "red" / "3.png")
    assert striate.load(run / "model.safetensors").evaluate(moved).split == "all"


def test_the_name_of_a_known_data_set_is_no_path(opened, classifier, colours, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = of(classifier, source="digits", seed=7)
    with pytest.raises(StriateError, match="opened"):
        named.evaluate("digits")
    assert opened[-1][1]["seed"] == 7
    for source in (Path("digits"), "mnist", colours, str(colours)):
        with pytest.raises(StriateError, match="opened"):
            named.evaluate(source)
        assert opened[-1][0] == source
        assert "seed" not in opened[-1][1]
    with pytest.raises(StriateError, match="opened"):
        of(classifier, source=str(tmp_path / "digits")).evaluate("digits")
    assert "seed" not in opened[-1][1]
    (tmp_path / "digits").mkdir()
    with pytest.raises(StriateError, match="opened"):
        of(classifier, source=str(tmp_path / "digits"), seed=7).evaluate(Path("digits"))
    assert opened[-1][1]["seed"] == 7


@pytest.mark.parametrize(
    ("place", "called"),
    [
        ("test", "test"),
        ("Validation", "val"),
        ("train_images", "train"),
        ("test.v2", "all"),
        ("pets-test", "all"),
        ("test/pets", "all"),
        ("pets-test.csv", "test"),
        ("val.csv", "val"),
        ("test/labels.csv", "test"),
        ("test/val.csv", "val"),
        ("labels.csv", "all"),
    ],
)
def test_undivided_images_are_called_after_what_their_place_speaks_of(
    classifier, paint, tmp_path, monkeypatch, place, called
):
    photos, where = paint(tmp_path / "photos", count=2, seed=1), tmp_path / place
    if place.endswith(".csv"):
        where.parent.mkdir(exist_ok=True)
        with where.open("w") as file:
            csv.writer(file).writerows([("path", "label"), *((path, path.parent.name) for path in photos.glob("*/*"))])
    else:
        shutil.copytree(photos, where)
    dataset = replace(open_dataset(photos, val_fraction=0), source=str(where))
    assert classifier.evaluate(dataset).split == called
    assert classifier.evaluate(dataset, "train").split == "train"  # as it was asked for
    assert classifier.evaluate(replace(dataset, divided=True)).split == "train"
    monkeypatch.chdir(where.parent if where.is_file() else where)
    inside = replace(dataset, source=where.name if where.is_file() else ".")
    assert classifier.evaluate(inside).split == called


def test_of_several_splits_the_test_is_measured_first(classifier, colours):
    dataset = open_dataset(colours, val_fraction=0.2, test_fraction=0.2)
    assert [classifier.evaluate(dataset, split).split for split in (None, "train", "val")] == ["test", "train", "val"]
    assert classifier.evaluate(replace(dataset, test=None)).split == "val"
    empty = dataset.train.subset(np.arange(0))
    with pytest.raises(StriateError, match=rf"^{colours} has no train images; it has val, test\.$"):
        classifier.evaluate(replace(dataset, train=empty), "train")
    with pytest.raises(StriateError, match=rf"^{colours} has no val images; it has test\.$"):
        classifier.evaluate(replace(dataset, train=empty, val=None), "val")


def test_a_split_is_measured_as_it_is(classifier, colours):
    part = open_dataset(colours, val_fraction=0).train.subset(np.array([5, 25, 11]))
    evaluation = classifier.evaluate(Split("mine", part.images, part.labels))
    assert (evaluation.split, evaluation.notes) == ("mine", ())
    assert evaluation.labels.tolist() == [0, 2, 1]
    np.testing.assert_allclose(
        evaluation.probabilities, classifier.predict_proba([part.images.read(i) for i in range(3)]), atol=1e-6
    )


def test_what_is_to_be_said_of_images_comes_first_and_what_was_left_out_last(
    monkeypatch, classifier, colours, tmp_path
):
    skipped = [Skipped("a.png", "broken"), Skipped("b.png", "empty")] * 600
    told = replace(open_dataset(colours, val_fraction=0), notes=("seen", "heard"), fingerprint="others")
    for left_out, last in (
        ([], ()),
        (skipped, ("1,200 left out, since they cannot be used (the first: a.png: broken)",)),
    ):
        monkeypatch.setattr(measuring, "open_dataset", lambda place, **_: replace(told, skipped=tuple(left_out)))  # noqa: B023
        assert classifier.evaluate(tmp_path).notes == ("seen", "heard", *last)
    monkeypatch.setattr(measuring, "open_dataset", lambda place, **_: replace(open_dataset(colours), notes=("seen",)))
    assert classifier.evaluate().notes == ()  # told when it was trained


def test_images_are_measured_with_the_preprocessing_in_batches(monkeypatch, classifier, colours):
    asked = []
    outcome = classifier.evaluate(colours)
    monkeypatch.setattr(module, "Batches", lambda *given, views: asked.append((*given, views)) or "batches")

    def measure(predictor, batches, classes, shown):
        asked.append((predictor.frozen.network, batches, classes))
        return outcome

    monkeypatch.setattr(module, "evaluate", measure)
    part = open_dataset(colours).val
    assert classifier.evaluate(part).loss == outcome.loss
    look = classifier.description.preprocessing
    assert asked == [(part, look, 64, ()), (classifier.model, "batches", classifier.task)]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "no run folder"),
        (["config.json"], "no run folder"),
        (["last.ckpt"], "the run has no result yet; go on with --resume {folder}"),
    ],
)
def test_a_folder_without_a_model_says_what_it_is(files, said, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in files:
        (folder / name).touch()
    with pytest.raises(StriateError) as error:
        striate.load(folder)
    assert str(error.value) == f"{folder}: no model.safetensors in it ({said.format(folder=folder)})."
    with pytest.raises(StriateError, match="no such model file"):
        striate.load(tmp_path / "nowhere")


def test_it_knows_where_it_came_from(trained, monkeypatch):
    assert striate.load(trained).path == trained
    assert striate.load(str(trained / "model.safetensors")).path == trained / "model.safetensors"
    monkeypatch.chdir(trained)
    assert striate.load("model.safetensors").path == Path("model.safetensors")


def test_it_is_written_with_its_description(monkeypatch, classifier, tmp_path):
    asked = []
    monkeypatch.setattr(module, "save_model", lambda *given: asked.append(given) or "written")
    for name in ("a.pt", "a", ".safetensors"):
        with pytest.raises(UsageError, match=f"{name}: a classifier is saved as a .safetensors file"):
            classifier.save(tmp_path / name)
    assert classifier.save(str(tmp_path / "a.safetensors")) == "written"
    assert asked == [(tmp_path / "a.safetensors", classifier.model, classifier.description)]
