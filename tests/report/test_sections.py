"""What the sections say: verdicts, cautions, the two losses, and a confusion matrix that is a picture."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from striate.report import ReportContent
from striate.report.content import Mistake
from striate.report.sections import augmented, calibration, classes, confusion, cost, headline, mistakes, progress
from striate.training.metrics import Evaluation


def evaluated(confidence: float, right: int, images: int = 20) -> Evaluation:
    """Predictions of one class of two with this confidence, the first `right` of them right."""
    probabilities = np.tile([confidence, 1 - confidence], (images, 1))
    return Evaluation(("a", "b"), np.arange(images) >= right, probabilities)


@pytest.mark.parametrize(
    ("right", "verdict"),
    [
        (11, "surer than it should be"),  # 0.8 against 0.55
        (16, "about as sure as it should be"),
        (19, "less sure than it could be"),
    ],
)
def test_whether_it_is_as_sure_as_it_is_right(right, verdict):
    found = calibration(evaluated(0.8, right))
    assert found["verdict"] == verdict
    assert found["mean"] == "80.0\u00a0%"
    assert found["top1"] == f"{right * 5:.1f}\u00a0%"


@pytest.mark.parametrize(
    ("split", "caution"), [("test", ""), ("val", "chose the best epoch"), ("train", "the images it learnt from")]
)
def test_what_was_measured_on_is_cautioned_about(split, caution):
    found = headline(ReportContent("x", evaluation=evaluated(0.8, 16), split=split, history=[{"epoch": 1}]))["result"]
    assert caution in found["caution"]
    assert bool(found["caution"]) == bool(caution)


def test_the_baseline_is_the_share_of_the_commonest_class():
    labels = np.array([0, 1, 1, 1, 2, 2, 0, 1, 1, 1])
    evaluation = Evaluation(("a", "b", "c"), labels, np.tile([0.5, 0.3, 0.2], (10, 1)))  # it names "a" throughout
    found = headline(ReportContent("x", evaluation=evaluation))["result"]
    assert "Always naming the commonest class: 60.0\u00a0%." in found["sentence"]
    assert (found["figure"], found["unit"]) == ("20.0", "%")


def test_facts_that_are_not_there_are_left_out():
    content = ReportContent("x", network="lenet5", frozen="stem to stage2")
    assert headline(content)["facts"] == [("Network", "lenet5", ""), ("Frozen", "stem to stage2", "")]


def losses(*pairs: tuple[object, object]) -> ReportContent:
    history = [{"epoch": epoch, "train_loss": train, "val_loss": val} for epoch, (train, val) in enumerate(pairs, 1)]
    return ReportContent("x", history=history, differences=["one reason", "another"])


@pytest.mark.parametrize(
    ("content", "gap"),
    [
        (losses((2.0, 1.0), (1.5, 0.75)), "(1.5 against 0.75): one reason; another."),
        (losses((2.0, 1.0), (0.5, 0.75)), ""),  # it overfits, which is another matter
        (losses((0.7, 0.75), (0.75, 0.75)), ""),
        (losses((2.0, 1.0), ("nan", 0.75)), "(2 against 1)"),
        (losses((2.0, "")), ""),
        (replace(losses((2.0, 1.0)), differences=[]), ""),  # and nothing is known that would make it so
    ],
)
def test_why_training_loss_lies_above_validation_loss_is_said_where_it_does(content, gap):
    found = progress(content)["gap"]
    assert gap in found
    assert bool(found) == bool(gap)


def test_a_large_confusion_matrix_is_a_picture_with_a_row_for_each_true_class():
    classes = tuple(f"class {number:02}" for number in range(40))
    labels = np.repeat(np.arange(40), 4)
    predicted = labels.copy()
    predicted[4 * 3] = 7  # one picture of class 3 is taken for class 7
    found = confusion(Evaluation(classes, labels, np.eye(40)[predicted]))
    assert found["pairs"] == [("class 03", "class 07", 1, 0.25)]
    data = found["picture"].source.partition("base64,")[2]
    opacity = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))[..., 3]
    assert opacity.shape == (40, 40)
    assert opacity[3, 7] == 128  # the root of a quarter
    assert opacity[7, 3] == 0
    assert opacity[3, 3] == round(0.75**0.5 * 255)
    assert opacity[5, 5] == 255


def columns(**named) -> ReportContent:
    """Content whose history has these columns."""
    rows = [dict(zip(named, values, strict=True)) for values in zip(*named.values(), strict=True)]
    return ReportContent("x", history=[{"epoch": place, **row} for place, row in enumerate(rows, 1)])


@pytest.mark.parametrize(
    ("train", "val", "broken"),
    [
        (["1", "nan", "inf", "0.5"], ["1", "1", "1", "1"], "2–3"),
        (["1", "1", "1", "1"], ["1", "1", "1", "nan"], ""),  # validation of sound weights may overflow
        (["", "", "", ""], ["1", "nan", "1", "inf"], "2, 4"),
        ([None, "", "1", "1"], ["", None, "", ""], ""),
    ],
)
def test_epochs_whose_loss_is_no_number_are_named(train, val, broken):
    assert progress(columns(train_loss=train, val_loss=val))["broken"] == broken


def test_the_best_epoch_is_the_most_accurate_one_and_of_equal_ones_that_of_lower_loss():
    content = columns(val_accuracy=[0.5, 0.75, "", 0.75, 0.7], val_loss=[0.1, 0.9, 0.0, 0.8, "nan"])
    assert progress(content)["best"] == "Best validation accuracy: 75.0\u00a0%, epoch 4."
    assert progress(columns(train_loss=[1, 2]))["best"] == ""


@pytest.mark.parametrize(
    ("named", "validated"),
    [
        ({"val_loss": [1, 2]}, True),
        ({"val_accuracy": [0.5, 1]}, True),
        ({"train_loss": [1, 2], "val_loss": ["", ""]}, False),
    ],
)
def test_whether_there_was_validation(named, validated):
    assert progress(columns(**named))["validated"] is validated


def test_curves_are_drawn_of_more_than_one_epoch():
    content = columns(train_loss=[2, 1], train_accuracy=[0.1, 0.2], learning_rate=[0.1, 0.01])
    assert [title for title, _ in progress(content)["charts"]] == ["Loss", "Accuracy", "Learning rate"]
    assert progress(columns(train_loss=[2]))["charts"] == []
    assert progress(ReportContent("x")) is None


@pytest.mark.parametrize(
    ("timing", "line"),
    [
        (
            [
                {"seconds": 30, "validation_seconds": 10, "images_per_second": 100, "loading_share": 0.1},
                {"seconds": 50, "validation_seconds": 14, "images_per_second": 300, "loading_share": 0.3},
                {"seconds": "40", "validation_seconds": "12", "images_per_second": "2000", "loading_share": "0.5"},
            ],
            "2 min 36 s in all, 36.0 s of it validating; 300 images a second (median epoch); "
            "30.0\u00a0% of training waiting for data",
        ),
        ([{"seconds": 3, "loading_share": 0.25}], "3.0 s in all; 25.0\u00a0% of it waiting for data"),
        ([], ""),
    ],
)
def test_the_time_it_took(timing, line):
    content = ReportContent("x", history=[{"epoch": 1, "train_loss": 1}], timing=timing)
    assert progress(content)["time"] == line


def test_the_table_of_epochs_has_a_column_for_what_was_measured():
    content = columns(
        train_loss=[2.34567, 1],
        val_top5=[0.99, 1],
        val_loss=["", 0.5],
        train_accuracy=["", ""],
        learning_rate=[0.1, 0.05],
    )
    assert progress(content)["table"] == {
        "head": ["Epoch", "Learning rate", "Training loss", "Validation loss", "Validation top-5"],
        "rows": [["1", "0.1", "2.346", "–", "99.0\u00a0%"], ["2", "0.05", "1", "0.5", "100.0\u00a0%"]],
        "step": 1,
    }


@pytest.mark.parametrize(("epochs", "step", "kept"), [(200, 1, 200), (201, 2, 101), (400, 2, 201), (401, 3, 135)])
def test_a_long_table_of_epochs_keeps_every_so_manieth_and_the_last(epochs, step, kept):
    table = progress(columns(train_loss=list(range(epochs))))["table"]
    first, last = table["rows"][0][0], table["rows"][-1][0]
    assert (table["step"], len(table["rows"]), first, last) == (step, kept, "1", str(epochs))


def scored(number: int) -> Evaluation:
    """Three classes that differ in precision and recall, and others with an image each that is found."""
    names = tuple(f"c{place:02}" for place in range(number + 3))
    labels = np.array([0] * 4 + [1] * 4 + [*range(3, number + 3)])  # class 2 has no images
    predicted = np.array([0, 0, 0, 1, 1, 1, 0, 0, *range(3, number + 3)])
    return Evaluation(names, labels, np.eye(number + 3)[predicted])


def test_few_classes_keep_their_order_and_means_leave_out_those_without_images():
    found = classes(scored(2))
    assert [score.name for score in found["scores"]] == ["c00", "c01", "c02", "c03", "c04"]
    assert found["means"] == pytest.approx([(3 / 5 + 2 / 3 + 2) / 4, (3 / 4 + 1 / 2 + 2) / 4, (2 / 3 + 4 / 7 + 2) / 4])
    left = (found["total"], found["left_out"], found["without_images"], found["many"], found["images"])
    assert left == (5, 0, 0, False, 10)


@pytest.mark.parametrize(("more", "many"), [(27, False), (28, True)])
def test_of_many_classes_the_weakest_come_first_and_those_without_images_are_counted(more, many):
    found = classes(scored(more))
    names = [score.name for score in found["scores"]]
    assert found["many"] is many
    assert names == (["c01", "c00", *(f"c{place:02}" for place in range(3, 31))] if many else sorted(names))
    assert (found["without_images"], found["total"]) == ((1, 30) if many else (0, 30))


def test_weakness_is_of_both_precision_and_recall():
    labels = np.array([0] * 6 + [1] * 2 + [*range(2, 31)])
    predicted = np.array([0, 0, 0, 0, 1, 1, 1, 1, *range(2, 31)])  # recall 4/6 and 1, F1 4/5 and 2/3
    found = classes(Evaluation(tuple(map(str, range(31))), labels, np.eye(31)[predicted]))
    assert [score.name for score in found["scores"]][:2] == ["1", "0"]


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        (
            {"parameters": 61_706, "trainable_parameters": 850, "multiply_adds": 416_520, "size_bytes": 246_824},
            [
                ("Parameters", "61.7 k", "61,706 exactly, 850 of them trained"),
                ("Multiply-adds", "417 k", "for one image"),
                ("Size on disk", "247 kB", "the model file"),
            ],
        ),
        ({"parameters": 10, "trainable_parameters": 10}, [("Parameters", "10", "10 exactly")]),
        ({"parameters": 10}, [("Parameters", "10", "10 exactly")]),
        ({"latency_ms": 12.3456, "latency_setup": "on one thread"}, [("Latency", "12.3 ms", "on one thread")]),
        ({"latency_ms": 0.5}, [("Latency", "0.5 ms", "for one image")]),
        ({"latency_ms": "nan"}, []),
    ],
)
def test_what_it_costs(given, rows):
    assert [tuple(text.replace("\u00a0", " ") for text in row) for row in cost(ReportContent("x", cost=given))] == rows


def test_the_sizes_of_the_splits_stand_beside_the_source():
    sizes = {"train": {"a": 1000, "b": 500}, "val": {"a": 0, "b": 0}, "test": {"b": 7, "c": 1}}
    content = ReportContent("x", source="photos", split_sizes=sizes)
    assert headline(content)["facts"] == [("Data", "photos", "3 classes; 1,500 training, 8 test images")]


def test_the_headline_figure_is_whole():
    found = headline(ReportContent("x", evaluation=replace(evaluated(0.8, 16), loss=0.512345)))["result"]
    low, high = evaluated(0.8, 16).top1_interval
    assert found["interval"] == (low * 100, high * 100, 80.0)
    ends = [f"{end:.1%}".replace("%", "\u00a0%") for end in (low, high)]
    told = f"16 of 20 images right; 95 % interval {ends[0]} to {ends[1]} (Wilson)."
    assert (found["sentence"][: len(told)], found["more"]) == (told, "")
    assert found["sentence"].endswith(" Loss 0.5123.")


def test_the_histogram_of_confidence_parts_right_from_wrong(monkeypatch):
    from striate.report import charts

    given = []
    monkeypatch.setattr(charts, "confidence_histogram", lambda right, wrong: given.append((right, wrong)))
    calibration(evaluated(0.8, 16))
    ((right, wrong),) = given
    assert (len(right), len(wrong)) == (16, 4)


@pytest.mark.parametrize(("number", "pairs", "few"), [(30, 8, True), (31, 12, False)])
def test_up_to_thirty_classes_confusion_is_a_table(number, pairs, few):
    labels = np.arange(number)
    found = confusion(Evaluation(tuple(map(str, labels)), labels, np.eye(number)[(labels + 1) % number]))
    assert (len(found["table"]), found["picture"] is None) == ((number, True) if few else (0, False))
    assert (len(found["pairs"]), found["size"], found["mistakes"]) == (pairs, number, number)
    assert found["classes"] == (tuple(map(str, labels)) if few else ())


def test_a_huge_confusion_matrix_adds_up_neighbouring_classes():
    from striate.report.sections import _pooled

    labels = np.arange(500)
    predicted = labels.copy()
    predicted[7] = 400
    pooled = _pooled(Evaluation(tuple(map(str, labels)), labels, np.eye(500)[predicted]))
    assert pooled.shape == (167, 167)  # three classes to a cell
    assert pooled[2].tolist() == [0, 0, 2 / 3, *[0] * 130, 1 / 3, *[0] * 33]


def test_galleries_show_so_many_and_no_more():
    image = np.zeros((8, 8, 3), np.uint8)
    worst = [Mistake(image, f"{place}", "a", "b", 0.9) for place in range(30)]
    content = ReportContent("x", worst=worst, evaluation=evaluated(0.8, 16), augmented=[(image, [image] * 9)] * 8)
    found = mistakes(content)
    assert [mistake.name for _, mistake in found["shown"]] == [str(place) for place in range(24)]
    assert found["wrong"] == 4
    assert [len(versions) for _, versions in augmented(content)] == [7] * 6
    assert mistakes(ReportContent("x", worst=worst[:1]))["wrong"] is None
    assert mistakes(ReportContent("x")) is None


@pytest.fixture
def drawn(monkeypatch) -> dict[str, tuple]:
    """What each chart is drawn from, by its name."""
    from striate.report import charts

    asked: dict[str, tuple] = {}

    def curves(name, lines, **options):
        asked[name] = (lines, options)
        return name if lines else ""

    monkeypatch.setattr(charts, "curves", curves)
    return asked


def test_each_chart_is_drawn_from_its_own_columns(drawn):
    from striate.report.charts import MUTED, TRAIN, VAL, Curve

    content = columns(
        train_loss=[4, 3], val_loss=["5", "nan"], train_accuracy=[0.1, None], val_accuracy=[0.2, ""],
        learning_rate=[0.01, 0.001], val_top5=[0.7, 0.8],
    )  # fmt: skip
    assert progress(content)["charts"] == [(name, name) for name in ("Loss", "Accuracy", "Learning rate")]
    nan = pytest.approx(float("nan"), nan_ok=True)
    assert drawn == {
        "Loss": ([Curve("training", [1, 2], [4, 3], TRAIN), Curve("validation", [1, 2], [5, nan], VAL)], {}),
        "Accuracy": (
            [Curve("training", [1, 2], [0.1, nan], TRAIN), Curve("validation", [1, 2], [0.2, nan], VAL)],
            {"share": True},
        ),
        "Learning rate": ([Curve("learning rate", [1, 2], [0.01, 0.001], MUTED)], {"from_zero": True}),
    }


def test_a_curve_without_a_number_is_not_drawn(drawn):
    found = progress(columns(train_loss=[4, 3], val_loss=["", None], learning_rate=[1, 1]))
    assert [line.label for line in drawn["Loss"][0]] == ["training"]
    assert "Accuracy" not in drawn
    assert [title for title, _ in found["charts"]] == ["Loss", "Learning rate"]


@pytest.mark.parametrize(
    ("told", "epochs", "best"),
    [([3, 4, 7], [3, 4, 7], 7), ([None, "", "x"], [1, 2, 3], 3), (["5", None, "9"], [5, 2, 9], 9)],
)
def test_epochs_are_those_of_the_rows_or_their_places(told, epochs, best, drawn):
    rows = [
        {"epoch": epoch, "train_loss": loss, "val_accuracy": share}
        for epoch, loss, share in zip(told, ("nan", 1, "inf"), (0.1, 0.2, 0.3), strict=True)
    ]
    found = progress(ReportContent("x", history=rows))
    assert drawn["Loss"][0][0].epochs == epochs
    assert found["best"] == f"Best validation accuracy: 30.0\u00a0%, epoch {best}."
    assert found["broken"] == ", ".join(map(str, (epochs[0], epochs[2])))
    without = [{name: value for name, value in row.items() if name != "epoch"} for row in rows]
    progress(ReportContent("x", history=without))
    assert drawn["Loss"][0][0].epochs == [1, 2, 3]


@pytest.mark.parametrize(
    ("confidence", "verdict"),
    [
        (0.77, "less sure than it could be"),
        (0.781, "about as sure as it should be"),
        (0.819, "about as sure as it should be"),
        (0.83, "surer than it should be"),
    ],
)
def test_two_percent_apart_is_near_enough(confidence, verdict):
    assert calibration(evaluated(confidence, 16))["verdict"] == verdict


def test_calibration_is_drawn_of_this_evaluation(monkeypatch):
    from striate.report import charts

    given = []
    monkeypatch.setattr(charts, "reliability", given.append)
    found = calibration(evaluated(0.8, 12))
    assert given[0].ece == pytest.approx(0.2)
    assert found["ece"] == "20.0\u00a0%"


def test_every_fact_has_its_term_and_stands_in_order():
    content = ReportContent(
        "x", network="n", card="c", start="s", frozen="f", unfrozen="u", source="d", created="yesterday", stopped_by="e"
    )
    assert headline(content) == {
        "facts": [
            ("Network", "n", "c"),
            ("Started from", "s", ""),
            ("Frozen", "f", ""),
            ("Unfrozen", "u", ""),
            ("Data", "d", ""),
            ("When", "yesterday", ""),
            ("Ended by", "e", ""),
        ],
        "result": None,
    }


def test_figures_of_many_images_have_two_decimals():
    many = evaluated(0.8, 8_000, images=10_000)
    found = headline(ReportContent("x", evaluation=many))["result"]
    assert found["figure"] == "80.00"
    assert found["sentence"].startswith(  # Wilson: 0.8 ± 1.96 root(0.16 / 10,000)
        "8,000 of 10,000 images right; 95 % interval 79.20\u00a0% to 80.77\u00a0% (Wilson). Always naming the "
        "commonest class: 80.00\u00a0%."
    )


@pytest.mark.parametrize(("loss", "told"), [(float("nan"), ""), (float("inf"), ""), (0.0, "0."), (1.23456, "1.235.")])
def test_a_loss_that_is_no_number_is_not_told(loss, told):
    found = headline(ReportContent("x", evaluation=replace(evaluated(0.8, 16), loss=loss)))["result"]
    assert found["sentence"].partition(" Loss ")[2] == told


def test_losses_of_auxiliary_heads_have_columns_of_their_own():
    content = columns(train_loss=[1, 2], train_first_loss=[3, 4], val_loss=[5, 6])
    table = progress(content)["table"]
    assert table["head"] == ["Epoch", "Training loss", "Training loss, first", "Validation loss"]
    assert table["rows"] == [["1", "1", "3", "5"], ["2", "2", "4", "6"]]


def test_none_right_among_the_first_five_is_a_figure_too():
    evaluation = Evaluation(tuple("abcdef"), np.array([5]), np.array([[0.3, 0.2, 0.2, 0.15, 0.1, 0.05]]))
    assert headline(ReportContent("x", evaluation=evaluation))["result"]["more"] == ", 0.0\u00a0% top-5"


def test_epochs_told_twice_or_out_of_order_are_named_once_and_in_order():
    rows = [{"epoch": epoch, "train_loss": "nan"} for epoch in (5, 3, 3, 4, 8)]
    assert progress(ReportContent("x", history=rows))["broken"] == "3–5, 8"
