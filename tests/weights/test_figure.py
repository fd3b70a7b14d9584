"""Published figures: what is printed becomes a number with all that it holds for, and is printed again as it was."""

import pytest

from striate.weights import Figure, costs, count, errors


@pytest.mark.parametrize(
    ("printed", "value"),
    [("650,000", 650_000), ("39 k", 39_000), ("25.6 M", 25.6e6), ("0.39 G", 3.9e8), ("4,866 M", 4.866e9)],
)
def test_a_count_is_read_in_its_sources_letters_and_printed_in_them(printed, value):
    figure = count("parameters", printed, note="about")
    assert figure.value == pytest.approx(value)
    assert (figure.number, figure.metric, figure.note, figure.is_share) == (printed, "parameters", "about", False)
    assert (figure.source, figure.data, figure.input_size, figure.crop) == ("paper", "", None, "")


@pytest.mark.parametrize("printed", ["many", "5 K", "5M", ""])
def test_what_is_no_count_is_refused(printed):
    with pytest.raises(ValueError, match=r"ends in no letter|could not convert"):
        count("parameters", printed)


def test_the_letters_that_a_count_may_end_in_are_named():
    with pytest.raises(ValueError, match=r"^'5 K' ends in no letter of k, M, G, T$"):
        count("parameters", "5 K")


@pytest.mark.parametrize(
    ("metric", "words", "number"),
    [
        ("parameters", "parameters", "2"),
        ("multiply_adds", "multiply-adds", "2"),
        ("connections", "connections", "2"),
        ("neurons", "neurons", "2"),
        ("bytes", "bytes of the file", "2"),
        ("top1", "top-1 error, %", "12.5"),
        ("top5", "top-5 error, %", "12.5"),
    ],
)
def test_what_a_figure_is_of_in_words(metric, words, number):
    """A size of image is said of shares only, on which alone it bears."""
    share = metric in ("top1", "top5")
    figure = Figure(metric, 0.875 if share else 2, input_size=32)
    assert str(figure) == f"{words}: {number} ({'32 px, ' if share else ''}paper)"
    assert figure.is_share is share


def test_errors_in_percent_become_shares_of_right_answers():
    first, fifth = errors("22.85", 6.71, input_size=256, crop="10 crops", source="somebody", options={"a": 1})
    assert (first.metric, first.value, first.number) == ("top1", pytest.approx(0.7715), "22.85")
    assert (fifth.metric, fifth.value, fifth.number) == ("top5", pytest.approx(0.9329), "6.71")
    for figure in (first, fifth):
        assert (figure.data, figure.input_size, figure.crop) == ("ImageNet", 256, "10 crops")
        assert (figure.source, figure.options, figure.is_share) == ("somebody", {"a": 1}, True)
    assert [figure.metric for figure in errors(top5=10.07)] == ["top5"]
    (usual,) = errors(0.95)
    assert (usual.input_size, usual.crop, usual.source) == (224, "one crop", "paper")


def test_only_multiply_adds_hang_on_the_size_of_image():
    both = costs("5.3 M", "0.39 G", input_size=240, source="somebody")
    assert [(one.metric, one.input_size, one.source) for one in both] == [
        ("parameters", None, "somebody"),
        ("multiply_adds", 240, "somebody"),
    ]
    assert [one.metric for one in costs("5.3 M")] == ["parameters"]
    assert [(one.metric, one.input_size) for one in costs(None, "2.0 G")] == [("multiply_adds", 224)]


def test_a_figure_says_all_it_holds_for():
    share = Figure("top1", 0.7715, "somebody", "ImageNet", 224, "10 crops", {"shortcut": "B"}, "once")
    assert str(share) == "top-1 error, %: 22.85 (ImageNet, 10 crops, 224 px, shortcut='B', once, somebody)"
    assert str(Figure("top1", None, data="CIFAR-10")) == "top-1 error, %: none (CIFAR-10, paper)"
    assert str(count("connections", "340,908")) == "connections: 340,908 (paper)"
    assert Figure("bytes", 29e6).number == "29,000,000"
