"""The page word for word: each section as a reader meets it, and what it says where something is missing."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from markupsafe import Markup

from striate.report import Mistake, ReportContent, charts
from striate.report.build import render
from striate.training.metrics import Evaluation

pytestmark = pytest.mark.sampled

ALONE = {"meta", "link", "img", "br"}
IMAGE = np.zeros((4, 6, 3), np.uint8)


class Page(HTMLParser):
    """The text of each section, header, nav and footer; and the attributes of what stands in them."""

    def __init__(self, content: ReportContent) -> None:
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.said: dict[str, list[str]] = {}
        self.tags: list[tuple[str, str, dict[str, str]]] = []
        self.feed(render(content))
        assert not self.open

    @property
    def place(self) -> str:
        names = [name for tag, name in self.open if tag == "section"]
        return next(iter(names + [tag for tag, _ in self.open if tag in ("title", "header", "nav", "footer")]), "")

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag not in ALONE:
            self.open.append((tag, named.get("id", "")))
        self.tags.append((self.place, tag, named))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if not {"style", "svg"} & {tag for tag, _ in self.open}:
            self.said.setdefault(self.place, []).append(data)

    def __getitem__(self, place: str) -> str:
        return re.sub(r"\s+", " ", " ".join(self.said.get(place, []))).strip()

    def all(self, tag: str, place: str) -> list[dict[str, str]]:
        return [attributes for where, name, attributes in self.tags if (where, name) == (place, tag)]


def evaluated(predicted, labels, classes=("cat", "dog", "fox")) -> Evaluation:
    """Each image is 90 % sure to be what it is predicted as."""
    probabilities = np.full((len(labels), len(classes)), 0.1 / (len(classes) - 1))
    probabilities[np.arange(len(labels)), predicted] = 0.9
    return Evaluation(tuple(classes), np.array(labels), probabilities, loss=0.5)


@pytest.fixture(scope="module", autouse=True)
def quick_charts() -> Iterator[None]:
    """Charts have tests of their own; here they are empty."""

    def drawn(name, lines=(), **_):
        return Markup("<svg></svg>" if any(np.isfinite(line.values).any() for line in lines) else "")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charts, "curves", drawn)
        patch.setattr(charts, "reliability", lambda found: Markup('<svg class="reliability"></svg>'))
        patch.setattr(charts, "confidence_histogram", lambda right, wrong: Markup('<svg class="histogram"></svg>'))
        yield


@pytest.fixture(scope="module")
def whole() -> ReportContent:
    """Something of everything, in numbers small enough for a pencil."""
    return ReportContent(
        title="a title",
        created="yesterday",
        network="lenet5",
        card="see arXiv:1512.03385",
        start="first weights",
        frozen="stem",
        source="photos",
        command="striate train photos",
        extensions=["striate train --resume a", "striate train --resume b"],
        stopped_by="time limit",
        advice={
            "networks": [
                {"network": "lenet5", "images": 12, "stages": {"stem": {"accuracy": 0.5, "interval": [0.25, 0.75]}}}
            ],
            "choice": {"regime": "features", "why": "12 images"},
            "table": [["", "like"], ["few", "here"]],
            "regimes": [
                {"regime": "features", "accuracy": 0.8, "seconds": 7},
                {"regime": "full", "accuracy": 0.7, "seconds": 130},
            ],
        },
        versions={"striate": "0.1", "torch": "2"},
        recipe={"epochs": 3, "augment": {"flip": 0.5}},
        history=[
            {"epoch": 1, "learning_rate": 0.1, "train_loss": 2.0, "val_loss": 1.5, "val_accuracy": 0.5},
            {"epoch": 2, "learning_rate": 0.1, "train_loss": "nan", "val_loss": 1.25, "val_accuracy": 0.75},
        ],
        timing=[{"seconds": 30}],
        evaluation=evaluated([0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 1, 1]),
        split="val",
        split_sizes={"train": {"cat": 8, "dog": 4, "fox": 0}, "val": {"cat": 4, "dog": 2}},
        worst=[Mistake(IMAGE, "a.png", "cat", "dog", 0.9, 0.05), Mistake(IMAGE, "b.png", "dog", "cat", 0.9)],
        augmented=[(IMAGE, [IMAGE, IMAGE])],
        cost={"parameters": 1000, "latency_ms": 2},
        skipped=[("x.png", "empty"), ("y.png", "empty")],
        notes=["note one", "note two"],
        duplicates=[("t/1", "v/1")],
        contradictions=[[("a", "cat"), ("b", "dog")]],
        differences=["why"],
    )


#: Wilson's interval for 4 of 6: (0.6667 + 0.3201 ± 1.96 root(0.0370 + 0.0267)) / 1.6402.
WHOLE = {
    "title": "a title · striate report",
    "header": "striate · training report a title 66.7 % top-1 accuracy on the validation split 4 of 6 images right; "
    "95 % interval 30.0 % to 90.3 % (Wilson). Always naming the commonest class: 66.7 %. Loss 0.5. There is no test "
    "split: these images also chose the best epoch, which flatters it. Network lenet5 see arXiv:1512.03385 Started "
    "from first weights Frozen stem Data photos 3 classes; 12 training, 6 validation images When yesterday Ended by "
    "time limit",
    "nav": "Training Classes Confusion Calibration Worst mistakes Why so Augmentation Cost Data Recipe",
    "training": "Training 2 epochs: 30.0 s in all. Best validation accuracy: 75.0 %, epoch 2. Training loss lies "
    "above validation loss (2 against 1.5): why. The loss was not finite in epoch 2: training diverged there. Curves "
    "leave a gap. training validation Loss Accuracy Learning rate Every epoch in figures Epoch Learning rate Training "
    "loss Validation loss Validation accuracy 1 0.1 2 1.5 50.0 % 2 0.1 not finite 1.25 75.0 %",
    "classes": "Class by class Precision: of the images given this name, how many are right. Recall: of the images "
    "that are this class, how many were found. Class Precision Recall F1 Images cat 75.0 % 75.0 % 75.0 % 4 dog 50.0 % "
    "50.0 % 50.0 % 2 fox – – – 0 Mean 62.5 % 62.5 % 62.5 % 6",
    "confusion": "What is taken for what A row for each true class, a column for each prediction. Blue is right, "
    "orange is wrong; the shade is the share of the row. predicted → true ↓ cat dog fox cat 3 1 0 dog 1 1 0 fox 0 0 0 "
    "Most confused True Predicted Images of the class cat dog 1 25.0 % dog cat 1 50.0 %",
    "calibration": "Can its confidence be trusted? A network that is 80 % sure should be right 80 % of the time: on "
    "the dashed line. Expected calibration error 23.3 % . On average it is 90.0 % sure and 66.7 % right: surer than "
    "it should be. Accuracy at each confidence Images at each confidence right wrong",
    "mistakes": "Worst mistakes 2 of 2 mistakes, those made with most confidence. Look for wrong labels first. dog "
    "90.0 % is cat 5.0 % a.png cat 90.0 % is dog b.png",
    "advice": "Why it was trained so Chosen: features , for 12 images. What each regime would come to Regime Forecast "
    "Takes features (chosen) 80.0 % 7s full 70.0 % 2m10s What each part of lenet5 tells of the classes Linear probes "
    "of 12 training images, each told by a classifier of the others. Part Accuracy 95 % interval stem 50.0 % 25.0 % to "
    "75.0 % Where these images lie like few here",
    "augmentation": "As the network sees it Framed: the image. Beside it: what augmentation makes of it, a different "
    "one each epoch. The class should stay plain to see.",
    "cost": "What it costs to run Parameters 1.00 k 1,000 exactly Latency 2 ms for one image",
    "data": "Data From 0 (fox) to 8 images (cat) a class in the training split. 1 image lies in two splits, the same "
    "to the pixel or byte. What is measured on them is flattered. note one note two Images of each class Class "
    "Training Validation cat 8 4 dog 4 2 fox 0 0 All 12 6 2 files skipped empty: 2 The files File Reason x.png empty "
    "y.png empty Images in two splits t/1 v/1 The same picture under two labels a (cat) b (dog)",
    "recipe": "How to repeat it A click selects the whole command. striate train photos Then it was extended 2 times, "
    "in this order: striate train --resume a striate train --resume b Recipe epochs 3 augment flip 0.5",
    "footer": "striate 0.1 · torch 2",
}


def test_each_section_is_said_word_for_word(whole):
    page = Page(whole)
    assert {place: page[place] for place in WHOLE} == WHOLE
    assert page.said.keys() == WHOLE.keys() | {""}
    assert not page[""]


#: What is taken away, and the sections that go with it.
WITHOUT = {
    "nothing": ({}, []),
    "history": ({"history": []}, ["training"]),
    "evaluation": ({"evaluation": None}, ["classes", "confusion", "calibration"]),
    "evaluation and mistakes": (
        {"evaluation": None, "worst": []},
        ["classes", "confusion", "calibration", "mistakes"],
    ),
    "advice": ({"advice": {}}, ["advice"]),
    "augmented": ({"augmented": []}, ["augmentation"]),
    "cost": ({"cost": {}}, ["cost"]),
    "data": (
        {"split_sizes": {}, "skipped": [], "notes": [], "duplicates": [], "contradictions": []},
        ["data"],
    ),
    "recipe but not the command": ({"recipe": {}, "extensions": []}, []),
    "recipe but not the extensions": ({"recipe": {}, "command": ""}, []),
    "all but the recipe": ({"command": "", "extensions": []}, []),
    "recipe, command and extensions": ({"recipe": {}, "command": "", "extensions": []}, ["recipe"]),
}
SECTIONS = {
    "training": "Training", "classes": "Classes", "confusion": "Confusion", "calibration": "Calibration",
    "mistakes": "Worst mistakes", "advice": "Why so", "augmentation": "Augmentation", "cost": "Cost",
    "data": "Data", "recipe": "Recipe",
}  # fmt: skip


@pytest.mark.parametrize("what", WITHOUT)
def test_a_section_is_there_and_linked_where_it_has_something_to_say(what, whole):
    changes, gone = WITHOUT[what]
    page = Page(replace(whole, **changes))
    left = [name for name in SECTIONS if name not in gone]
    assert [tag["id"] for place in left for tag in page.all("section", place)] == left
    assert not any(page.all("section", place) for place in gone)
    assert [link["href"] for link in page.all("a", "nav")] == [f"#{name}" for name in left]
    assert page["nav"] == " ".join(SECTIONS[name] for name in left)


MANY = tuple(f"class {number:02}" for number in range(32))
FAR = evaluated([*range(1, 31), 0], range(31), MANY)  # every image is taken for the next class; the last has none
#: What is different, and what its section then says, or does not say (behind "-").
SAID = {
    "a test split": ({"split": "test"}, "header", ["on the test split", "-flatters", "-Loss 0.5. There"]),
    "no epochs": ({"history": []}, "header", ["nothing was chosen by these images.", "-flatters"]),
    "training images": ({"split": "train"}, "header",
                        ["on the training split", "the figure says little about new ones"]),
    "no loss": ({"evaluation": Evaluation(("a", "b"), np.array([0]), np.eye(2)[:1])}, "header",
                ["commonest class: 100.0 %. There is", "-Loss"]),
    "more than five classes": (
        {"evaluation": Evaluation(tuple("abcdef"), np.array([1]), np.array([[0.5, 0.3, 0.1, 0.05, 0.03, 0.02]]))},
        "header", ["0.0 % top-1 accuracy on the validation split, 100.0 % top-5 0 of 1 images right"]),
    "unlike precision and recall": ({"evaluation": evaluated([0, 0, 1], [0, 1, 1])}, "classes",
                                    ["cat 50.0 % 100.0 % 66.7 % 1 dog 100.0 % 50.0 % 66.7 % 2 fox – – – 0 Mean 75.0 % "
                                     "75.0 % 66.7 % 3"]),
    "up to five classes": ({}, "header", ["-top-5"]),
    "not evaluated": ({"evaluation": None}, "header",
                      ["Not evaluated: there were no labelled images apart from those it learnt from.", "-top-1"]),
    "several epochs diverged": (
        {"history": [{"epoch": epoch, "train_loss": "nan", "val_loss": 1} for epoch in (1, 2)]},
        "training", ["in epochs 1–2: training diverged"]),
    "epochs apart diverged": (
        {"history": [{"epoch": epoch, "train_loss": loss} for epoch, loss in enumerate(["inf", 1, "nan"], 1)]},
        "training", ["in epochs 1, 3: training diverged"]),
    "nothing validated": (
        {"history": [{"epoch": epoch, "train_loss": 1 / epoch} for epoch in (1, 2)], "timing": []},
        "training", ["Training 2 epochs. training Loss", "There is no validation split.", "-training validation",
                     "-diverged", "-Best", "-lies above"]),
    "validated": ({}, "training", ["-There is no validation split."]),
    "one epoch": ({"history": [{"epoch": 1, "train_loss": 1, "val_loss": 2}], "timing": []}, "training",
                  ["Training 1 epoch. Every epoch in figures", "-Loss Accuracy", "-There is no"]),
    "many epochs": ({"history": [{"epoch": epoch, "train_loss": 1} for epoch in range(1, 403)]}, "training",
                    ["One epoch in 3, in figures"]),
    "many classes": ({"evaluation": FAR}, "classes",
                     ["31 classes with images, weakest first. 1 class has no images in this split. Class Precision",
                      "-left out"]),
    "many classes with images": ({"evaluation": evaluated([*range(31)], range(31), MANY[:31])}, "classes",
                                 ["31 classes with images, weakest first. Class Precision"]),
    "a large matrix": ({"evaluation": FAR}, "confusion",
                       ["Rows are true classes, columns predictions, in the order of the data set. The diagonal is "
                        "right; marks beside it are confusions.", "-A row for", "-predicted →",
                        "class 00 class 01 1 100.0 %"]),
    "no confusion": ({"evaluation": evaluated([0, 1], [0, 1])}, "confusion",
                     ["fox 0 0 0 No image was misclassified.", "-Most confused"]),
    "mistakes without figures": ({"evaluation": None}, "mistakes",
                                 ["Worst mistakes Those made with most confidence. Look for wrong labels first. dog"]),
    "fewer pictures than mistakes": (
        {"worst": [(IMAGE, "a.png", "cat", "dog", 0.9)], "evaluation": evaluated([1] * 3, [0] * 3)}, "mistakes",
        ["1 of 3 mistakes, those made", "dog 90.0 % is cat a.png"]),
    "one mistake": ({"worst": [(IMAGE, "a.png", "cat", "dog", 0.9)], "evaluation": evaluated([1], [0])}, "mistakes",
                    ["1 of 1 mistake, those made"]),
    "mistakes without pictures": ({"worst": []}, "mistakes",
                                  ["Worst mistakes 2 mistakes; no pictures were kept.", "-None", "-Look"]),
    "no mistakes": ({"worst": [], "evaluation": evaluated([0], [0])}, "mistakes",
                    ["Worst mistakes None: every image was classified rightly.", "-kept"]),
    "several duplicates": ({"duplicates": [("a", "b"), ("c", "d")]}, "data",
                           ["2 images lie in two splits", "Images in two splits a b c d The same", "-more"]),
    "too many duplicates": ({"duplicates": [("a", "b")] * 42}, "data", ["a b and 2 more. The same picture"]),
    "no duplicates": ({"duplicates": []}, "data", ["-in two splits"]),
    "no notes": ({"notes": []}, "data", ["flattered. Images of each class"]),
    "no sizes": ({"split_sizes": {}}, "data", ["Data 1 image lies", "note two 2 files skipped", "-All"]),
    "many classes to count": ({"split_sizes": {"train": dict.fromkeys(MANY, 2)}}, "data",
                              ["Every class has 2 images in the training split.",
                               "Images of each class, largest first Class Training class 00 2", "class 31 2 All 64"]),
    "too many classes to count": (
        {"split_sizes": {"train": {str(number): 1 for number in range(1002)}}}, "data",
        ["All 1,002 2 smaller classes are left out."]),
    "one file skipped": ({"skipped": [("x", "why")]}, "data", ["1 file skipped The files File Reason x why", "-why:"]),
    "many files skipped": ({"skipped": [(f"{number}.png", f"reason {number // 2}") for number in range(42)]}, "data",
                           ["42 files skipped reason 0: 2", "reason 11: 2 9 other reasons The first 40 files File",
                            "39.png reason 19 and 2 more, all in skipped.csv."]),
    "one reason too many": ({"skipped": [(f"{number}", f"reason {number // 2}") for number in range(26)]}, "data",
                            ["1 other reason The files", "-more"]),
    "none skipped": ({"skipped": []}, "data", ["-skipped", "-File"]),
    "too many contradictions": ({"contradictions": [[("a", "cat"), ("b", "dog")]] * 43}, "data",
                                ["a (cat) b (dog) and 3 more."]),
    "no contradictions": ({"contradictions": []}, "data", ["-under two labels"]),
    "extended once": ({"extensions": ["again"]}, "recipe", ["Then it was extended: again Recipe"]),
    "extended without a command": ({"command": ""}, "recipe",
                                   ["How to repeat it It was extended 2 times", "-click"]),
    "never extended": ({"extensions": []}, "recipe", ["striate train photos Recipe", "-extended"]),
    "nested only": ({"recipe": {"augment": {"flip": 0.5}}}, "recipe", ["striate train --resume b augment flip 0.5"]),
    "without a recipe": ({"recipe": {}}, "recipe", ["-Recipe"]),
    "without versions": ({"versions": {}}, "footer", ["Made by striate."]),
    "one version": ({"versions": {"striate": "0.1"}}, "footer", ["striate 0.1", "-·"]),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_what_is_said_where_it_is_so(case, whole):
    changes, place, said = SAID[case]
    text = Page(replace(whole, **changes))[place]
    for words in said:
        if words.startswith("-"):
            assert words[1:] not in text
        else:
            assert words in text


def test_the_mark_and_the_interval_lie_where_their_shares_do(whole):
    (interval,) = Page(whole).all("i", "header")
    (mark,) = Page(whole).all("b", "header")
    left, width = map(float, re.fullmatch(r"left:([\d.]+)%;width:([\d.]+)%", interval["style"]).groups())
    assert (left, left + width) == pytest.approx((30.00, 90.32), abs=0.02)
    assert mark["style"] == "left:66.67%"


def test_bars_and_cells_are_as_long_and_dark_as_their_shares(whole):
    page = Page(whole)
    assert [bar["style"] for bar in page.all("i", "classes")] == ["--v:0.750"] * 3 + ["--v:0.500"] * 3
    lengths = [bar["style"] for bar in page.all("i", "data")]
    assert lengths == ["--v:1.000", "--v:1.000", "--v:0.500", "--v:0.500", "--v:0.000", "--v:0.000"]
    cells = [(cell.get("class"), cell.get("style")) for cell in page.all("td", "confusion")][1:10]
    none = ("none", None)
    assert cells == [
        *(("right", "--v:0.75"), (None, "--v:0.25"), none),
        *((None, "--v:0.50"), ("right", "--v:0.50"), none),
        *(none, none, none),
    ]


@pytest.mark.parametrize(("names", "long"), [(("cats", "dogs"), False), (("cats", "horse"), True)])
def test_columns_of_long_names_are_turned(names, long, whole):
    page = Page(replace(whole, evaluation=evaluated([0, 1], [0, 1], names)))
    assert [table["class"] for table in page.all("table", "confusion")] == ["matrix long" if long else "matrix"]


def test_pictures_have_their_size_their_words_and_square_pixels_where_they_are_tiny(whole):
    page = Page(whole)
    for place, words in (
        ("mistakes", ["cat, predicted dog", "dog, predicted cat"]),
        ("augmentation", ["original", "augmented", "augmented"]),
    ):
        pictures = page.all("img", place)
        assert [picture["alt"] for picture in pictures] == words
        for picture in pictures:
            assert (picture["class"], picture["width"], picture["height"]) == ("frame pixel", "6", "4")
            assert picture["src"].startswith("data:image/png;base64,")
    large = [(np.zeros((80, 60, 3), np.uint8), "a", "cat", "dog", 0.9)]
    (picture,) = Page(replace(whole, worst=large)).all("img", "mistakes")
    assert (picture["class"], picture["width"], picture["height"]) == ("frame", "60", "80")
    (heat,) = Page(replace(whole, evaluation=FAR)).all("img", "confusion")
    assert (heat["alt"], heat["class"]) == ("Confusion matrix of 32 classes as a picture", "heat pixel")


@pytest.mark.parametrize(
    ("changes", "place", "opened"),
    [
        ({}, "training", [False]),
        ({"history": [{"epoch": 1, "train_loss": 1}]}, "training", [True]),  # there is no chart
        ({"skipped": [("a", "b")] * 8}, "data", [True]),
        ({"skipped": [("a", "b")] * 9}, "data", [False]),
    ],
)
def test_details_are_open_where_nothing_else_shows_or_they_are_short(changes, place, opened, whole):
    assert ["open" in details for details in Page(replace(whole, **changes)).all("details", place)] == opened


def test_long_tables_scroll(whole):
    few, many = Page(whole), Page(replace(whole, evaluation=FAR, split_sizes={"train": dict.fromkeys(MANY, 2)}))
    for place in ("classes", "data"):
        for page, name in ((few, "scroll"), (many, "scroll tall")):
            assert next(div["class"] for div in page.all("div", place) if "scroll" in div.get("class", "")) == name


#: Where a name of any length stands: how to put it there, its section, and to how many letters it is cut.
CUT = {
    "a fact": (lambda name: {"network": name}, "header", 140),
    "a class with its scores": (lambda name: {"evaluation": evaluated([0], [0], (name, "b"))}, "classes", 60),
    "a confused class": (lambda name: {"evaluation": evaluated([0], [1], ("b", name))}, "confusion", 32),
    "what it is taken for": (lambda name: {"evaluation": evaluated([1], [0], ("b", name))}, "confusion", 32),
    "a predicted class": (lambda name: {"worst": [(IMAGE, "a", "b", name, 0.9)]}, "mistakes", 40),
    "a true class": (lambda name: {"worst": [(IMAGE, "a", name, "b", 0.9)]}, "mistakes", 40),
    "a file": (lambda name: {"worst": [(IMAGE, name, "a", "b", 0.9)]}, "mistakes", 70),
    "a class with its images": (lambda name: {"split_sizes": {"train": {name: 1, "b": 1}}}, "data", 60),
    "a skipped file": (lambda name: {"skipped": [(name, "b")]}, "data", 120),
    "a reason": (lambda name: {"skipped": [("b", name)]}, "data", 160),
    "a duplicate": (lambda name: {"duplicates": [(name, "b")]}, "data", 90),
    "its other place": (lambda name: {"duplicates": [("b", name)]}, "data", 90),
    "a place of a contradiction": (lambda name: {"contradictions": [[(name, "b")]]}, "data", 90),
    "a label of a contradiction": (lambda name: {"contradictions": [[("b", name)]]}, "data", 60),
    "a setting": (lambda name: {"recipe": {"b": name}}, "recipe", 200),
}


@pytest.mark.parametrize("what", CUT)
def test_long_names_are_cut_in_their_middle_and_whole_where_the_pointer_rests(what, whole):
    put, place, length = CUT[what]
    short, long = "n" * length, "<" + "n" * (length - 1) + ">"
    page = Page(replace(whole, **put(short)))
    assert short in page[place]
    if place != "confusion":  # whose columns always have their names to point at
        assert short not in [span.get("title") for span in page.all("span", place)]
    page = Page(replace(whole, **put(long)))
    assert long not in page[place]
    half = (length - 1) // 2
    assert f"<{'n' * (half - 1)}…{'n' * (length - 2 - half)}>" in page[place]
    assert long in [span.get("title") for span in page.all("span", place)]


def test_even_where_the_pointer_rests_three_hundred_letters_are_enough(whole):
    for put, place, _ in CUT.values():
        told = [span.get("title") for span in Page(replace(whole, **put("n" * 310))).all("span", place)]
        assert f"{'n' * 149}…{'n' * 150}" in told
        assert "n" * 310 not in told


def test_names_of_the_matrix_and_titles_are_cut_too(whole):
    name = "c" * 310
    page = Page(replace(whole, title="t" * 200, evaluation=evaluated([0], [0], (name, "b"))))
    assert page["title"] == f"{'t' * 59}…{'t' * 60} · striate report"
    assert page["header"].split()[4] == f"{'t' * 79}…{'t' * 80}"
    column, row = f"{'c' * 10}…{'c' * 11}", f"{'c' * 13}…{'c' * 14}"
    assert f"true ↓ {column} b {row} 1 0 b 0 0" in page["confusion"]
    told = f"{'c' * 149}…{'c' * 150}"
    assert told in [span.get("title") for span in page.all("span", "confusion")]
    assert told in [head.get("title") for head in page.all("th", "confusion")]
    reasons = Page(replace(whole, skipped=[("a", "r" * 200), ("b", "r" * 200)]))["data"]
    assert f"{'r' * 79}…{'r' * 80}: 2" in reasons


def test_links_go_to_papers_and_sections_and_the_page_says_what_it_is(whole):
    page = Page(whole)
    assert [link["href"] for link in page.all("a", "header")] == ["https://arxiv.org/abs/1512.03385"]
    assert {"charset": "utf-8"} in [tag for _, name, tag in page.tags if name == "meta"]
    assert [svg["class"] for svg in page.all("svg", "calibration")] == ["reliability", "histogram"]
    assert [tag["lang"] for _, name, tag in page.tags if name == "html"] == ["en"]
    html = render(whole)
    assert "--v" in html[html.index("<style>") : html.index("</style>")]
    assert html.startswith("<!DOCTYPE html>")


def test_what_is_styled_is_called_by_its_part(whole):
    html = render(whole)
    spans = re.findall(r'<span class="(\w+)">([^<]+)</span>', html)
    assert [span for span in spans if span[0] in ("train", "val")] == [
        ("train", "training"),
        ("val", "validation"),
        ("train", "right"),
        ("val", "wrong"),
    ]
    assert [(kind, text) for kind, text in spans if kind not in ("train", "val")] == [
        ("said", "dog"), ("was", "is cat 5.0\u00a0%"), ("file", "a.png"),
        ("said", "cat"), ("was", "is dog"), ("file", "b.png"),
    ]  # fmt: skip
    notes = re.findall(r'<(?:p|div) class="(note(?: quiet)?)">(?:<p>)?(\w+ \w+)', html)
    assert notes == [("note quiet", "There is"), ("note", "The loss"), ("note", "1 image")]
    page = Page(whole)
    assert [cell.get("class") for cell in page.all("td", "confusion")][-6:] == ["text wrap", "text wrap", None] * 2
    assert [cell.get("class") for cell in page.all("td", "data")] == [
        *["bar"] * 6, None, None, *["text wrap"] * 4, *["text wrap"] * 2, "text wrap",
    ]  # fmt: skip
    assert [cell.get("class") for cell in page.all("td", "classes")][:4] == ["bar", "bar", "bar", None]
    assert [row["class"] for row in page.all("div", "training") if row.get("class", "").startswith("row")] == ["row"]
    assert [row["class"] for row in page.all("div", "calibration") if row.get("class", "")[:3] == "row"] == ["row two"]


def test_what_scrolls_can_be_reached_by_the_keyboard_and_heads_say_of_what_they_are(whole):
    html = render(replace(whole, evaluation=FAR)) + render(whole)
    for tag in re.findall(r'<div class="scroll[^>]*>|<pre[^>]*>', html):
        assert 'tabindex="0"' in tag
    for head in re.findall(r"<thead>.*?</thead>", html, re.DOTALL):
        assert set(re.findall(r"<th\b([^>]*)>", head)) <= {' scope="col"', ' scope="col" class="text"'}
    for body in re.findall(r"<t(?:body|foot)>.*?</t(?:body|foot)>", html, re.DOTALL):
        assert all(' scope="row"' in head for head in re.findall(r"<th\b[^>]*>", body))
    (lead,) = re.findall(r'<div class="interval"[^>]*>', render(whole))
    assert 'aria-hidden="true"' in lead  # the sentence below says it
    assert '<nav aria-label="Sections">' in html


def test_the_page_fits_its_window_and_asks_for_no_icon(whole):
    page = Page(whole)
    metas = {tag["name"]: tag["content"] for _, name, tag in page.tags if name == "meta" and "name" in tag}
    assert metas == {"viewport": "width=device-width, initial-scale=1", "color-scheme": "light dark"}
    assert [(tag["rel"], tag["href"]) for _, name, tag in page.tags if name == "link"] == [("icon", "data:,")]
