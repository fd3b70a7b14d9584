"""How objects show themselves: a line that is short whatever they hold, and HTML in which every name is only a name."""

from html.parser import HTMLParser

import numpy as np
import pytest
from torch import nn

import striate
from striate.classifier import Prediction, Predictions
from striate.data import ArrayImages, Dataset, Split
from striate.models import ModelSpec
from striate.notebook import LONGEST, ROWS, clipped, listed, table
from striate.training.shelf import RECIPES

#: Names that would be markup, and many, long ones.
NAMES = ("<b>bold</b>", "a & b", '"quoted"', "</td>", "x" * 500, *(f"class {number}" for number in range(1500)))


class Strict(HTMLParser):
    """Takes HTML whose every element is closed in its turn; `cells` is the text of each cell."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag, attrs):
        assert tag in {"div", "p", "strong", "table", "thead", "tbody", "tr", "th", "td"}
        self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


def cells_of(text: str) -> list[str]:
    parser = Strict()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser.cells


@pytest.fixture(scope="module")
def shown(trained):
    """One of each, with the worst of names."""
    labels = np.arange(len(NAMES))
    split = Split(
        "train", ArrayImages(np.zeros((len(NAMES), 2, 2, 3), np.uint8), [f"<{name}>" for name in NAMES]), labels
    )
    chances = np.full((len(NAMES), len(NAMES)), 1 / len(NAMES))
    top = tuple((name, 0.5) for name in NAMES)
    many = [Prediction("<i>.png", top), Prediction("no<.png", error="no<.png: bad & empty")] * 200
    return {
        "Dataset": Dataset("<photos>", NAMES, 3, split, None, split, (), ("<note>",), ""),
        "Split": split,
        "Evaluation": striate.Evaluation(NAMES, labels, chances, names=list(NAMES), loss=7.3, split="val"),
        "Prediction": Prediction("<i>" * 300, top),
        "Predictions": Predictions(many),
        "Summary": striate.summary(nn.Sequential(*[nn.Linear(4, 4) for _ in range(300)]), (4,)),
        "Recipe": RECIPES["photos"],
        "Classifier": striate.load(trained),
        "ModelSpec": ModelSpec("<net>", {f"<option {number}>": "<" * 500 for number in range(40)}),
        "Card": striate.get_card("resnet50"),
    }


KINDS = (
    "Dataset",
    "Split",
    "Evaluation",
    "Prediction",
    "Predictions",
    "Summary",
    "Recipe",
    "Classifier",
    "ModelSpec",
    "Card",
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_is_short_and_says_what_it_is(shown, kind):
    line = repr(shown[kind])
    assert line.startswith(f"{kind}(")
    assert line.endswith(")")
    assert "\n" not in line
    assert len(kind) + 10 < len(line) <= LONGEST


@pytest.mark.parametrize("kind", KINDS)
def test_html_is_sound_and_shows_names_as_they_are(shown, kind):
    text = shown[kind]._repr_html_()
    cells = cells_of(text)
    assert cells
    assert len(cells) < 10 * (ROWS + 50)
    if kind in ("Dataset", "Evaluation", "Prediction"):
        assert {"<b>bold</b>", "a & b", '"quoted"', "</td>"} <= {*cells} | {cell.rpartition(" ")[0] for cell in cells}
        assert f"{len(NAMES) - ROWS:,} more rows" in text
    if kind == "Predictions":
        assert "no<.png: bad & empty" in cells


def test_lines_in_full(trained, colours):
    classifier = striate.load(trained)
    named = "3 classes: blue, green, red"
    assert repr(classifier) == f"Classifier(lenet5; {named}; 28x28 pixels; {clipped(str(trained), 100)})"
    dataset = striate.open_dataset(colours)
    assert repr(dataset) == f"Dataset({colours}; {named}; 27 train, 3 val images of 3 channels)"
    assert repr(dataset.train) == "Split(train; 27 images of 3 classes)"
    evaluation = classifier.evaluate(dataset)
    accuracy = "top-1 100.00% (43.85% to 100.00%, 95 % interval)"
    assert repr(evaluation) == f"Evaluation({accuracy}; 3 val images; {named}; loss {evaluation.loss:.4f})"
    prediction = Prediction("a.png", (("cat", 0.75), ("dog", 0.125)))
    bad = Prediction("b.png", error="b.png: empty file")
    assert repr(prediction) == "Prediction(a.png; cat 75.00%, dog 12.50%)"
    assert repr(bad) == "Prediction(b.png; cannot be read: b.png: empty file)"
    assert repr(Predictions([prediction, bad])) == "Predictions(2 images; 1 cat; 1 could not be read)"
    assert repr(Predictions()) == "Predictions(0 images)"
    assert repr(striate.summary(nn.Linear(4, 3), (4,))) == (
        "Summary(Linear on 1x4; 15 parameters; 12 multiply-adds; 1 row)"
    )
    assert repr(ModelSpec("lenet5", {"num_classes": 3})) == "ModelSpec(lenet5; num_classes=3)"
    assert repr(striate.get_recipe("photos")).startswith("Recipe(photos; ")


def test_lists_and_long_words_are_cut():
    assert listed(["a", "b"]) == "a, b"
    assert listed([*"abcdefg"]) == "a, b, c, d, e and 2 more"
    assert listed(["x" * 30], most=1) == "x" * 23 + "…"
    assert clipped("abc", 3) == "abc"
    assert clipped("abcd", 3) == "ab…"


def test_a_table_has_all_of_few_rows_and_a_line_on_more():
    text = table(("a", "<b>"), [(number, "&") for number in range(ROWS)])
    assert cells_of(text) == ["a", "<b>", *[word for number in range(ROWS) for word in (str(number), "&")]]
    assert "more" not in text
    assert table((), [(1,)] * (ROWS + 1)).endswith("<p>and 1 more row</p>")
