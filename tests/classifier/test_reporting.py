"""The report of a run whose every figure is worked out by hand: a network that reads a picture's mean colour.

Each picture is a chequered pattern around three mean levels, and the network's logits are those means in steps of
ln 3, so that a picture of levels (2, 0, 0) has probabilities 9, 1 and 1 in eleven.
"""

import base64
import html
import io
import math
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import striate
from striate.augment import Augment
from striate.classifier import Classifier, reporting
from striate.classifier.reporting import _augmented, _mistakes, report_run
from striate.classifier.run_config import RunConfig
from striate.data import ArrayImages, Dataset, Preprocessing, Split
from striate.models import ConvNet, ModelSpec
from striate.training.metrics import Evaluation
from striate.training.model_file import Description
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder
from striate.training.state import Position

STEP = 40  # grey levels between two logits that differ by ln 3
#: Pictures of the test split, by class: levels of red, green, blue.
TEST = {
    "cat": [(2, 0, 0), (2, 0, 0), (0, 2, 0), (1, 2, 0)],  # right, right, dog 9/11 (own 1/11), dog 9/13 (own 3/13)
    "dog": [(0, 2, 0), (3, 1, 0)],  # right, cat 27/31 (own 3/31)
    "fox": [(0, 0, 2), (0, 1, 2), (0, 0, 2), (3, 0, 2)],  # right, right with 9/13, right, cat 27/37 (own 9/37)
}
OWN = [9 / 11] * 5 + [9 / 13, 1 / 11, 3 / 13, 3 / 31, 9 / 37]  # probabilities of the true classes
LOSS = -sum(map(math.log, OWN)) / 10
HISTORY = [
    {"epoch": 1, "step": 3, "learning_rate": 0.1, "train_loss": 1.2, "train_accuracy": 0.3, "val_loss": 1.1},
    {"epoch": 2, "step": 6, "learning_rate": 0.05, "train_loss": 1.0, "train_accuracy": 0.5, "val_loss": 0.8},
    {"epoch": 3, "step": 9, "learning_rate": 0.02, "train_loss": 0.9, "train_accuracy": 0.6, "val_loss": 0.85},
]
for row, accuracy in zip(HISTORY, (0.5, 0.7, 0.6), strict=True):
    row |= {"val_accuracy": accuracy, "val_top5": ""}


def paint(path: Path, levels: tuple[int, int, int], amplitude: int) -> None:
    """A chequered picture of 8x8 pixels whose channels have these mean levels."""
    signs = np.indices((8, 8)).sum(0) % 2 * 2 - 1
    pixels = 60 + STEP * np.array(levels)[None, None] + amplitude * signs[:, :, None]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "photos"
    amplitude = iter(range(1, 60))  # no picture is another's
    for split, counts in {"train": (3, 2, 1), "val": (1, 2, 1)}.items():
        for name, count in zip(TEST, counts, strict=True):
            for number in range(count):
                paint(folder / split / name / f"{number}.png", (2, 1, 0), next(amplitude))
    for name, pictures in TEST.items():
        for number, levels in enumerate(pictures):
            paint(folder / "test" / name / f"{number}.png", levels, next(amplitude))
    (folder / "train" / "cat" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    twice = (folder / "test" / "fox" / "3.png").read_bytes()
    (folder / "val" / "fox" / "0.png").write_bytes(twice)
    return folder


def network() -> ConvNet:
    """Mean colour in, logits out: a 1x1 convolution that copies, a mean, and a dense layer of ln 3 per step."""
    head = {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "dropout": nn.Dropout(0.5)}
    head["classifier"] = nn.Linear(3, 3)
    model = ConvNet(nn.Conv2d(3, 3, 1, bias=False), {"only": nn.Identity()}, head, in_channels=3)
    with torch.no_grad():
        model.stem.weight.copy_(torch.eye(3)[:, :, None, None])
        model.head.classifier.weight.copy_(torch.eye(3) * 255 * math.log(3) / STEP)
        model.head.classifier.bias.zero_()
    return model


@pytest.fixture(scope="module")
def page(photos, tmp_path_factory) -> str:
    """The whole report, as HTML."""
    run = RunFolder(tmp_path_factory.mktemp("runs") / "by hand")
    run.path.mkdir()
    run.model.write_bytes(bytes(1234))
    dataset = striate.open_dataset(photos)
    look = Preprocessing((8, 8), 3, (0.0,) * 3, (1.0,) * 3, "stretch")
    classifier = Classifier(
        network(), Description({"name": "lenet5", "arguments": {}}, dataset.classes, look), run.path
    )
    classifier.evaluation = classifier.evaluate(dataset, "test")
    fields = {"label_smoothing": 0.3, "average": 0.9, "unfreeze": "3:stem,4:none"}
    recipe = Recipe(epochs=2, augment=Augment(flip=0.5), **fields)
    config = RunConfig(
        network=ModelSpec("lenet5"),
        weights="/weights/start.safetensors",
        freeze="all",
        preprocessing=look,
        recipe=recipe,
        fingerprint=dataset.fingerprint,
        source=str(photos),
        absolute_source=str(photos),
        val_fraction=0.1,
        seed=11,
        device="cpu",
        devices=1,
        precision="32-true",
        workers=0,
        versions={"striate": "9.8.7", "torch": "6.5.4"},
        notes=("batches of 2 images",),
        command="striate train photos --freeze all",
        created="2031-02-03 04:05:06",
    )
    timing = [
        {"epoch": epoch, "seconds": seconds, "images_per_second": speed, "loading_share": share}
        for epoch, seconds, speed, share in ((1, 2.0, 10, 0.1), (2, 3.0, 40, 0.2), (3, 4.0, 30, 0.6))
    ]
    position = Position([2, 1], epoch=3, stopped_by="finished", history=HISTORY, timing=timing, extensions=[1, 4])
    report_run(run, config, dataset, classifier, position)
    return run.report.read_text(encoding="utf-8")


def text_of(page: str, section: str = "") -> str:
    """The words of the page, or of one section, without markup."""
    if section:
        page = page[page.index(f'<section id="{section}">') :].partition("</section>")[0]
    plain = re.sub(r"<svg.*?</svg>|<style.*?</style>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", plain))).strip()


def pictures_of(page: str, section: str) -> list[np.ndarray]:
    part = page[page.index(f'<section id="{section}">') :].partition("</section>")[0]
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', part)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in found]


def picture(photos: Path, name: str) -> np.ndarray:
    return np.asarray(Image.open(photos / name))


def test_the_headline(page, photos):
    words = text_of(page.partition("<nav")[0])
    assert words.startswith(
        "by hand · striate report striate · training report by hand 60.0 % top-1 accuracy on the test"
    )
    assert "6 of 10 images right; 95 % interval 31.3 % to 83.2 % (Wilson)." in words
    assert f"Always naming the commonest class: 40.0 %. Loss {LOSS:.4g}." in words
    assert "Network lenet5" in words
    assert "Started from /weights/start.safetensors Frozen all but the head Unfrozen only from epoch 3 on" in words
    assert f"Data {photos} 3 classes; 6 training, 4 validation, 10 test images" in words
    assert "When 2031-02-03 04:05:06 Ended by finished" in words


def test_parameters_are_counted_once(page):
    assert "21 21 exactly, 12 of them trained" in text_of(page, "cost")
    assert text_of(page).count("parameters") == 0
    assert text_of(page).count("Parameters") == 1


def test_what_it_costs(page):
    words = text_of(page, "cost")
    assert "Multiply-adds 585 for one image" in words  # 3 * 3 * 64 for the convolution, 9 for the dense layer
    assert "Size on disk 1.23 kB the model file" in words
    assert re.search(r"Latency [\d.]+ ms CPU", words)


def test_how_training_went(page):
    words = text_of(page, "training")
    assert "3 epochs: 9.0 s in all; 30 images a second (median epoch); 30.0 % of it waiting for data." in words
    assert "Best validation accuracy: 70.0 %, epoch 2." in words
    for row in ("1 0.1 1.2 1.1 30.0 % 50.0 %", "2 0.05 1 0.8 50.0 % 70.0 %", "3 0.02 0.9 0.85 60.0 % 60.0 %"):
        assert row in words


def test_why_training_loss_lies_above_validation_loss(page):
    words = text_of(page, "training")
    assert (
        "Training loss lies above validation loss (0.9 against 0.85): labels are smoothed by 0.3 in training" in words
    )
    # smoothed labels are 0.8, 0.1 and 0.1; their entropy is the least loss
    assert f"{-0.8 * math.log(0.8) - 0.2 * math.log(0.1):.3g} or more" in words
    for reason in ("images are augmented", "dropout is on", "average of the weights", "mean over an epoch"):
        assert reason in words


@pytest.mark.parametrize(
    ("chart", "train", "val"),
    [("Loss", (1.2, 1.0, 0.9), (1.1, 0.8, 0.85)), ("Accuracy", (0.3, 0.5, 0.6), (0.5, 0.7, 0.6))],
)
def test_each_curve_has_its_own_colour(page, chart, train, val):
    part = page[page.index(f"<figcaption>{chart}</figcaption>") :].partition("</svg>")[0]
    heights = {}
    for colour in ("train", "val"):
        paths = re.findall(rf'<path d="([^"]+)"[^>]*stroke: var\(--{colour}\)', part)
        heights[colour] = np.array([float(y) for _, y in re.findall(r"[ML] ([\d.]+) ([\d.]+)", paths[0])])
    values = np.array([*train, *val])
    drawn = np.concatenate([heights["train"], heights["val"]])
    slope, offset = np.polyfit(values, drawn, 1)
    assert slope < 0  # upwards is less in SVG
    np.testing.assert_allclose(drawn, slope * values + offset, atol=0.1)
    assert '<span class="train">training</span><span class="val">validation</span>' in page


def test_scores_of_each_class(page):
    words = text_of(page, "classes")
    assert "cat 50.0 % 50.0 % 50.0 % 4" in words
    assert "dog 33.3 % 50.0 % 40.0 % 2" in words
    assert "fox 100.0 % 75.0 % 85.7 % 4" in words
    assert "Mean 61.1 % 58.3 % 58.6 % 10" in words


def test_what_is_taken_for_what(page):
    words = text_of(page, "confusion")
    assert "predicted → true ↓ cat dog fox cat 2 2 0 dog 1 1 0 fox 1 0 3" in words
    assert "True Predicted Images of the class cat dog 2 50.0 % dog cat 1 50.0 % fox cat 1 25.0 %" in words


def test_whether_its_confidence_can_be_trusted(page):
    # six times 9/11, five of them right, fall into one bin; 9/13 twice and 27/37, once right, into another
    in_bins = [(6 * 9 / 11, 5), (2 * 9 / 13 + 27 / 37, 1), (27 / 31, 0)]
    error, mean = (sum(abs(sure - right) for sure, right in in_bins) / 10, sum(sure for sure, _ in in_bins) / 10)
    assert (f"{error:.3f}", f"{mean:.3f}") == ("0.208", "0.789")
    words = text_of(page, "calibration")
    assert "Expected calibration error 20.8 % ." in words
    assert "On average it is 78.9 % sure and 60.0 % right: surer than it should be." in words


def test_the_worst_mistakes_with_their_pictures_and_probabilities(page, photos):
    words = text_of(page, "mistakes")
    assert "4 of 4 mistakes" in words
    expected = [
        ("dog/1.png", "cat 87.1 % is dog 9.7 %"),
        ("cat/2.png", "dog 81.8 % is cat 9.1 %"),
        ("fox/3.png", "cat 73.0 % is fox 24.3 %"),
        ("cat/3.png", "dog 69.2 % is cat 23.1 %"),
    ]
    captions = re.findall(r"(\w+ [\d.]+ % is \w+ [\d.]+ %) (\S+)", words)
    assert [said for said, _ in captions] == [said for _, said in expected]
    assert all(path.endswith(name[-9:]) for (_, path), (name, _) in zip(captions, expected, strict=True))
    for shown, (name, _) in zip(pictures_of(page, "mistakes"), expected, strict=True):
        np.testing.assert_array_equal(shown, picture(photos, f"test/{name}"))


def test_pictures_as_the_network_sees_them(page, photos):
    shown = pictures_of(page, "augmentation")
    assert len(shown) == 6 * 7
    originals = shown[::7]
    np.testing.assert_array_equal(originals[0], picture(photos, "train/cat/0.png"))
    np.testing.assert_array_equal(originals[-1], picture(photos, "train/fox/0.png"))
    for original, versions in zip(originals, (shown[start + 1 : start + 7] for start in range(0, 42, 7)), strict=True):
        for version in versions:
            assert any(np.array_equal(version, possible) for possible in (original, original[:, ::-1]))


def test_the_data(page, photos):
    words = text_of(page, "data")
    for row in ("cat 3 1 4", "dog 2 2 2", "fox 1 1 4", "All 6 4 10"):
        assert row in words
    assert "batches of 2 images" in words
    assert "1 file skipped" in words
    assert "broken.png" in words
    assert "lies in two splits" in words
    assert "val/fox/0.png" in words
    assert "test/fox/3.png" in words


def test_how_to_repeat_it(page):
    words = text_of(page, "recipe")
    assert (
        "striate train photos --freeze all Then it was extended 2 times, in this order: striate train --resume" in words
    )
    assert words.index("by hand' --extend 1") < words.index("by hand' --extend 4")
    for setting in ("epochs 2", "label_smoothing 0.3", "seed 11", "precision 32-true", "flip 0.5"):
        assert setting in words
    assert text_of(page).endswith("striate 9.8.7 · torch 6.5.4")


def test_mistakes_are_shown_as_the_network_sees_them(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (1, 60, 120, 3), dtype=np.uint8)
    labels = np.zeros(1, np.int64)
    part = Split("test", ArrayImages(pixels, ["large.png"]), labels)
    dataset = Dataset("", ("a", "b"), 3, part, None, part, (), (), "")
    evaluation = Evaluation(("a", "b"), labels, np.array([[0.25, 0.75]]), names=["large.png"], loss=1.0, split="test")
    look = Preprocessing((40, 60), 3, (0.5,) * 3, (0.25,) * 3)
    (mistake,) = _mistakes(dataset, evaluation, look)
    np.testing.assert_array_equal(mistake.image, look(pixels[0]))
    assert mistake[1:] == ("large.png", "a", "b", 0.75, 0.25)


def test_augmented_versions_are_drawn_as_the_recipe_and_the_network_have_it(photos):
    dataset = striate.open_dataset(photos)
    look = Preprocessing((6, 9), 3, (0.0,) * 3, (1.0,) * 3, "stretch")
    classifier = Classifier(network(), Description({"name": "lenet5", "arguments": {}}, dataset.classes, look))
    plain = _augmented(Recipe(), dataset, classifier)
    assert [picture.shape for picture, _ in plain] == [(6, 9, 3)] * 6
    for picture, versions in plain:
        assert all(np.array_equal(version, picture) for version in versions)
    wild = _augmented(Recipe(augment=Augment(translate=0.4)), dataset, classifier)
    assert all(len({version.tobytes() for version in versions}) == 6 for _, versions in wild)


def test_the_cost_is_that_of_the_network_as_trained(tmp_path, monkeypatch):
    asked = []
    latency = SimpleNamespace(milliseconds=7.5, setup="on a machine")
    monkeypatch.setattr(reporting, "measure_latency", lambda *given, **said: asked.append((given, said)) or latency)
    run = RunFolder(tmp_path)
    run.model.write_bytes(bytes(77))
    look = Preprocessing((6, 9), 3, (0.0,) * 3, (1.0,) * 3, "stretch")
    classifier = Classifier(network(), Description({"name": "lenet5", "arguments": {}}, ("a", "b", "c"), look))
    trained = network()
    trained.stem.requires_grad_(False)
    assert reporting._cost(run, classifier, trained, 0.3) == {
        "parameters": 21,
        "trainable_parameters": 12,
        "multiply_adds": 9 * 54 + 9,
        "size_bytes": 77,
        "latency_ms": 7.5,
        "latency_setup": "on a machine",
    }
    assert asked == [((classifier.model, (3, 6, 9)), {"channels_last": True, "time_limit": 0.3})]
