import math
from datetime import datetime

import pytest

from striate.report import words


@pytest.mark.parametrize(
    ("value", "printed"),
    [(0, "0"), (999, "999"), (999.6, "1.00 k"), (1000, "1.00 k"), (9_994, "9.99 k"), (9_996, "10.0 k"),
     (99_960, "100 k"), (5e15, "5000 T"), (-2e6, "-2.00 M"), (61_706, "61.7 k"), (999_999, "1.00 M"),
     (138_357_544, "138 M"), (4_089_184_256, "4.09 G"), (None, "–"), (math.nan, "–")],
)  # fmt: skip
def test_large_numbers_keep_three_figures(value, printed):
    assert words.rounded(value).replace("\u00a0", " ") == printed


@pytest.mark.parametrize(
    ("seconds", "printed"),
    [
        (4.24, "4.2 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (59.97, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations(seconds, printed):
    assert words.duration(seconds) == printed


def test_percent_has_as_many_decimals_as_the_images_allow():
    assert words.percent(0.96444, 897).replace("\u00a0", " ") == "96.4 %"
    assert words.percent(0.96444, 10_000).replace("\u00a0", " ") == "96.44 %"
    assert words.percent(0.96444, 9_999).replace("\u00a0", " ") == "96.4 %"
    assert words.percent("") == words.percent(None) == words.percent(math.inf) == "–"


def test_sizes_of_files_and_counts_have_their_units():
    assert [words.size_of(size).replace("\u00a0", " ") for size in (512, 246_400, 98_000_000)] == [
        "512 B",
        "246 kB",
        "98.0 MB",
    ]
    assert [words.count(value) for value in (61_706.4, "12", None, math.nan)] == ["61,706", "12", "–", "–"]


def test_one_and_many_have_their_nouns():
    assert [words.plural(amount, "image") for amount in (0, 1, 2, 2000)] == [
        "0 images",
        "1 image",
        "2 images",
        "2,000 images",
    ]
    assert [words.plural(amount, "class", "classes") for amount in (1, 3)] == ["1 class", "3 classes"]


def test_long_names_lose_their_middle():
    assert words.short("a" * 60) == "a" * 60
    cut = words.short("a" * 50 + "b" * 50, 21)
    assert len(cut) == 21
    assert cut.startswith("aaaa")
    assert cut.endswith("bbbb")


def test_runs_of_epochs_are_joined():
    assert words.ranges([1, 2, 3, 7, 9, 10]) == "1–3, 7, 9–10"
    assert words.ranges([]) == ""


def test_settings_read_as_they_are_typed():
    assert [words.setting(value) for value in (None, {}, True, 0.0005, (0.8, 1.2), [], "sgd")] == [
        "none",
        "none",
        "true",
        "0.0005",
        "0.8, 1.2",
        "none",
        "sgd",
    ]


def test_a_number_not_finite_differs_from_one_missing():
    assert words.figure(math.nan) == "not finite"
    assert words.figure("") == "–"
    assert words.figure("0.123456") == "0.1235"


def test_arxiv_ids_become_links_and_markup_does_not():
    linked = words.linked("<b> arXiv:1512.03385")
    assert linked == '&lt;b&gt; <a href="https://arxiv.org/abs/1512.03385">arXiv:1512.03385</a>'


def test_dates():
    assert words.when(datetime(2025, 3, 4, 15, 30, 9)) == "2025-03-04 15:30"
    assert words.when("yesterday") == "yesterday"
