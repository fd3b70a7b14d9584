import dataclasses
import math
import os
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from striate.errors import StriateError
from striate.report import Mistake, ReportContent, write_report
from striate.report.build import render
from striate.training.metrics import Evaluation

VOID = {"meta", "link", "img", "br", "input", "hr"}


class Page(HTMLParser):
    """A page's text, tags and attributes; fails on tags that do not close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.parts: list[str] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "title"} & set(self.open):
            self.parts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.parts))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]


def epochs(number: int, validated: bool = True) -> list[dict]:
    rows = []
    for epoch in range(1, number + 1):
        row = {"epoch": epoch, "step": epoch * 11, "learning_rate": 0.1 / epoch}
        row |= {"train_loss": 2.0 / epoch, "train_accuracy": 1 - 0.5 / epoch}
        row |= {"val_loss": 2.2 / epoch if validated else "", "val_top5": ""}
        rows.append(row | {"val_accuracy": 1 - 0.6 / epoch if validated else None})
    return rows


@pytest.fixture(scope="module")
def digits() -> ReportContent:
    """A full report of a real classifier on the embedded digits: grey images, ten classes."""
    data = load_digits()
    features, images = data.data / 16, (data.images * 15.9).astype(np.uint8)[..., None]
    model = LogisticRegression(C=0.02, max_iter=60).fit(features[:900], data.target[:900])
    classes = tuple(f"digit {number}" for number in range(10))
    names = [f"digits[{index}]" for index in range(900, 1797)]
    evaluation = Evaluation(classes, data.target[900:], model.predict_proba(features[900:]), names=names, loss=0.4321)
    worst = [
        Mistake(
            images[900 + index],
            names[index],
            classes[evaluation.labels[index]],
            classes[evaluation.predicted[index]],
            float(evaluation.confidence[index]),
        )
        for index in evaluation.worst(8)
    ]
    sizes = {name: 90 + place for place, name in enumerate(classes)}
    return ReportContent(
        title="runs/digits",
        created=datetime(2025, 3, 4, 15, 30, tzinfo=UTC),
        network="lenet5",
        card="Convolutions for digits (LeCun et al., 1998), see also arXiv:1512.03385",
        source="digits",
        command="striate train digits --model lenet5 --seed 7",
        stopped_by="time limit of 60 s",
        versions={"striate": "0.1.0", "torch": "2.9.0"},
        recipe={
            "epochs": 12,
            "optimizer": {"name": "sgd", "momentum": 0.9},
            "augment": {"colour": {"pca": 0.1}},
        },
        history=epochs(12),
        timing=[{"epoch": 1, "seconds": 62.0, "images_per_second": 1234, "loading_share": 0.125}],
        evaluation=evaluation,
        split="test",
        split_sizes={"train": sizes, "test": dict.fromkeys(classes, 33)},
        worst=worst,
        augmented=[(images[0], [images[1], images[2]])],
        cost={
            "parameters": 61_706,
            "multiply_adds": 416_520,
            "size_bytes": 249_000,
            "latency_ms": 0.4567,
            "latency_setup": "median of 50 runs, batch 1",
        },
        skipped=[("a/7.jpg", "truncated JPEG"), ("a/8.txt", "not an image"), ("b/9.jpg", "truncated JPEG")],
        notes=["split made by stratified sampling"],
        duplicates=[("train/1.png", "test/2.png")],
    )


@pytest.fixture(scope="module")
def page(digits) -> Page:
    return Page(render(digits))


def test_the_headline_names_accuracy_split_interval_network_data_and_date(digits, page):
    evaluation = digits.evaluation
    low, high = evaluation.top1_interval
    assert f"{evaluation.top1 * 100:.1f} %" in page.text
    assert "on the test split" in page.text
    assert f"{evaluation.correct} of 897 images right" in page.text
    assert f"95 % interval {low * 100:.1f} % to {high * 100:.1f} %" in page.text
    assert f"{evaluation.top5 * 100:.1f} % top-5" in page.text
    for fact in (
        "lenet5",
        "digits",
        "2025-03-04 15:30 UTC",
        "time limit of 60 s",
        "10 classes; 945 training",
    ):
        assert fact in page.text


def test_every_section_says_its_figures(digits, page):
    evaluation = digits.evaluation
    for score in evaluation.per_class():
        row = f"{score.name} {score.precision * 100:.1f} % {score.recall * 100:.1f} % {score.f1 * 100:.1f} %"
        assert f"{row} {score.support}" in page.text
    for name, counts in zip(evaluation.classes, evaluation.confusion, strict=True):
        assert f"{name} {' '.join(map(str, counts))} " in page.text
    assert f"Expected calibration error {evaluation.calibration().ece * 100:.1f} %" in page.text
    assert f"{(evaluation.predicted != evaluation.labels).sum()} mistakes" in page.text
    for mistake in digits.worst:
        assert f"{mistake.predicted} {mistake.probability * 100:.1f} % is {mistake.true}" in page.text
        assert mistake.name in page.text
    for figure in ("61.7 k", "61,706 exactly", "417 k", "249 kB", "0.457 ms", "median of 50 runs, batch 1"):
        assert figure in page.text
    assert "12 epochs: 1 min 2 s in all; 1,234 images a second (median epoch); 12.5 % of it waiting" in page.text
    assert "Best validation accuracy: 95.0 %, epoch 12." in page.text
    assert "digit 9 99 33" in page.text
    assert "From 90 (digit 0) to 99 images (digit 9)" in page.text
    assert "truncated JPEG: 2" in page.text
    assert "split made by stratified sampling" in page.text
    assert "1 image lies in two splits" in page.text
    assert "train/1.png test/2.png" in page.text
    for setting in ("epochs 12", "optimizer name sgd momentum 0.9", "augment colour.pca 0.1"):
        assert setting in page.text
    assert digits.command in page.text
    assert "striate 0.1.0 · torch 2.9.0" in page.text


def test_the_page_needs_nothing_from_outside(digits, page):
    html = render(digits)
    assert not page.all("script")
    assert not page.all("iframe")
    for tag, attributes in page.tags:
        for key, value in attributes.items():
            if key in {"src", "srcset", "data", "poster", "xlink:href"} or (key == "href" and tag != "a"):
                assert value.startswith(("data:", "#")), (tag, key, value[:60])
            if "http" in (value or "") and not value.startswith("data:"):
                assert (tag, value) == ("a", "https://arxiv.org/abs/1512.03385")
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_charts_pictures_and_headings_are_there_with_words_for_those_who_cannot_see(page):
    charts = page.all("svg")
    assert len(charts) == 5
    assert all(chart["aria-label"] and chart["role"] == "img" and chart["viewbox"] for chart in charts)
    pictures = page.all("img")
    assert len(pictures) == 8 + 3
    assert all(picture["alt"] for picture in pictures)
    assert [tag for tag, _ in page.tags if tag == "h1"] == ["h1"]
    assert len(page.all("h2")) == len(page.all("section")) == 9
    assert len(page.ids) == len(set(page.ids))
    targets = {link["href"][1:] for link in page.all("a") if link["href"].startswith("#")}
    assert targets <= set(page.ids)
    assert len(targets) == 9


def test_the_same_content_gives_the_same_bytes(digits, tmp_path):
    first = write_report(tmp_path / "a.html", digits).read_bytes()
    assert write_report(tmp_path / "b.html", digits).read_bytes() == first
    assert len(first) < 300_000


def test_names_cannot_inject_markup():
    evil = '</style><script>alert("1")</script>\'<b> & ünïcödé 中文'
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    content = ReportContent(
        title=evil, network=evil, card=evil, source=evil, command=evil, stopped_by=evil, created=evil,
        versions={evil: evil}, recipe={evil: {evil: evil}}, notes=[evil], skipped=[(evil, evil), ("b", evil)],
        duplicates=[(evil, evil)], cost={"latency_ms": 1, "latency_setup": evil},
        evaluation=Evaluation((evil, "plain"), np.array([0, 1, 1]), probabilities), split=evil,
        split_sizes={evil: {evil: 2, "plain": 1}},
        worst=[(np.zeros((4, 4, 3), np.uint8), evil, evil, evil, 0.5)],
    )  # fmt: skip
    page = Page(render(content))
    assert not page.all("script")
    assert len(page.all("b")) == 2  # the mark of the interval and the latency, none from a name
    assert page.text.count("ünïcödé 中文") > 10
    assert render(content).count("<script") == 0


def test_a_page_of_nothing_but_a_title_says_so():
    page = Page(render(ReportContent(title="empty")))
    assert "Not evaluated" in page.text
    assert not page.all("section")
    assert not page.all("svg")


def test_without_validation_and_with_one_epoch_figures_replace_curves(digits):
    page = Page(render(dataclasses.replace(digits, history=epochs(1, validated=False), split="val", timing=[])))
    assert "There is no validation split." in page.text
    assert "1 epoch." in page.text
    assert "1 0.1 2 50.0 %" in page.text
    assert "Validation loss" not in page.text
    assert "There is no test split" in page.text
    assert len(page.all("svg")) == 2


@pytest.mark.parametrize("broken", [math.nan, "nan", math.inf])
def test_a_diverged_loss_is_named_and_leaves_a_gap(digits, broken):
    rows = epochs(10)
    for place in (3, 4, 7):
        rows[place]["train_loss"] = broken
    page = Page(render(dataclasses.replace(digits, history=rows)))
    assert "The loss was not finite in epochs 4–5, 8:" in page.text
    assert "nan" not in " ".join(re.findall(r"[a-z]+", page.text.lower())).split()


def test_no_mistakes_are_told_in_a_line():
    content = ReportContent(title="all right", evaluation=Evaluation(("a", "b"), np.array([0, 1]), np.eye(2)))
    text = Page(render(content)).text
    assert "None: every image was classified rightly." in text
    assert "No image was misclassified." in text
    assert "95 % interval 34.2 % to 100.0 %" in text  # Wilson for 2 of 2: 1 / (1 + 1.96² / 2) = 34.2 %


@pytest.fixture(scope="module")
def thousand() -> ReportContent:
    generator = np.random.default_rng(0)
    labels = np.arange(2997) % 999  # the last class has no images
    probabilities = generator.random((2997, 1000), dtype=np.float32) * 1e-3
    probabilities[np.arange(2997), np.where(generator.random(2997) < 0.5, labels, (labels + 1) % 1000)] = 0.5
    classes = tuple(f"class {index} {'very long ' * 30}" for index in range(1000))
    image = generator.integers(0, 256, (480, 640, 3), dtype=np.uint8)
    return ReportContent(
        title="many",
        evaluation=Evaluation(classes, labels, probabilities),
        history=epochs(3000),
        split_sizes={"train": {name: 1 + place for place, name in enumerate(classes)}},
        worst=[(image, "x" * 4000, classes[0], classes[1], 0.5)] * 100,
        augmented=[(image, [image] * 30)] * 30,
        skipped=[(f"{index}.jpg", f"truncated at byte {index % 500}") for index in range(50_000)],
        duplicates=[("a", "b")] * 5000,
    )


def test_a_thousand_classes_stay_small_and_readable(thousand):
    html = render(thousand)
    page = Page(html)
    assert len(html.encode()) < 3_000_000
    assert "999 classes with images, weakest first." in page.text
    assert "1 class has no images in this split" in page.text
    assert [picture["alt"] for picture in page.all("img") if "heat" in picture["class"]] == [
        "Confusion matrix of 1000 classes as a picture"
    ]
    pair = thousand.evaluation.most_confused(1)[0]
    assert f"{pair.images} {pair.share * 100:.1f} %" in page.text
    assert "50,000 files skipped" in page.text
    assert "and 49,960 more, all in skipped.csv." in page.text
    assert "488 other reasons" in page.text
    assert "and 4,960 more." in page.text
    assert "One epoch in 15, in figures" in page.text


def test_a_list_of_duplicates_may_count_more_than_it_holds():
    class Counted(list):
        total = 1234

    text = Page(render(ReportContent(title="x", duplicates=Counted([("train/a", "test/b")])))).text
    assert "1,234 images lie in two splits" in text
    assert "and 1,233 more." in text


def test_a_failing_write_leaves_the_old_report_whole(digits, tmp_path, monkeypatch):
    path = write_report(tmp_path / "report.html", ReportContent(title="old"))
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StriateError, match=r"report\.html: the disk is full"):
        write_report(path, digits)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["report.html"]


def test_the_report_makes_its_folder_and_can_be_read_by_others(tmp_path):
    path = write_report(str(tmp_path / "runs" / "one" / "report.html"), ReportContent(title="new"))
    assert isinstance(path, Path)
    beside = tmp_path / "plain.txt"
    beside.write_text("")
    assert path.stat().st_mode == beside.stat().st_mode


def test_names_that_are_no_text_are_written_with_a_mark_in_place_of_each_letter(tmp_path):
    path = write_report(tmp_path / "report.html", ReportContent(title="caf\udce9", source="caf\udce9"))
    assert path.read_text(encoding="utf-8").count("caf?") == 3  # the page's title, its heading, the data


def test_a_path_that_is_a_folder_is_a_clear_error(tmp_path):
    with pytest.raises(StriateError, match="cannot be written"):
        write_report(tmp_path, ReportContent(title="x"))
    with pytest.raises(StriateError, match="cannot be written"):
        write_report("/dev/null/report.html", ReportContent(title="x"))


def test_of_equally_accurate_epochs_the_one_of_lower_loss_is_the_best(digits):
    rows = [row | {"val_accuracy": 0.5, "val_loss": loss} for row, loss in zip(epochs(4), (3, 1, 1, 2), strict=True)]
    page = Page(render(dataclasses.replace(digits, history=rows)))
    assert "Best validation accuracy: 50.0 %, epoch 2." in page.text


def test_time_counts_validation_and_tells_it_apart(digits):
    row = {"epoch": 1, "seconds": 62.0, "validation_seconds": 118.0, "images_per_second": 9, "loading_share": 0.125}
    page = Page(render(dataclasses.replace(digits, timing=[row])))
    assert "3 min 0 s in all, 1 min 58 s of it validating; " in page.text
    assert "12.5 % of training waiting" in page.text
    old = row | {"validation_seconds": ""}
    assert "2 min 4 s in all; " in Page(render(dataclasses.replace(digits, timing=[old, old]))).text
