import math
from datetime import datetime, timedelta, timezone

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


@pytest.mark.parametrize(
    ("text", "length", "cut"),
    [("abcdef", 6, "abcdef"), ("abcdefg", 6, "ab…efg"), ("abcdefgh", 7, "abc…fgh"), ("abcdefgh", 5, "ab…gh"),
     (12345678, 5, "12…78"), ("", 5, ""), ("a" * 30 + "b" * 31, 60, "a" * 29 + "…" + "b" * 30)],
)  # fmt: skip
def test_a_name_keeps_both_its_ends(text, length, cut):
    assert words.short(text, length) == cut
    assert len(cut) <= length


def test_names_are_cut_to_sixty_letters_unless_otherwise_said():
    assert len(words.short("x" * 61)) == 60


@pytest.mark.parametrize(
    ("value", "printed"),
    [(False, "false"), (1, "1"), (0, "0"), (1000000, "1000000"), (0.1 + 0.2, "0.3"), (1e-7, "1e-07"), (2.0, "2"),
     ((), "none"), ([0.9, None, True], "0.9, none, true"), ([[1, 2.0], "x"], "1, 2, x"), ("", ""),
     ({"a": 1}, "{'a': 1}")],
)  # fmt: skip
def test_every_kind_of_setting(value, printed):
    assert words.setting(value) == printed


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("arXiv:1512.03385", "1512.03385"),
        ("arXiv: 1207.0580", "1207.0580"),
        ("ARXIV:1207.0580v2", "1207.0580"),
        ("arXiv:120.0580", None),
        ("arxiv 1207.0580", None),
    ],
)
def test_an_arxiv_id_has_four_digits_a_dot_and_four_or_five(text, link):
    linked = words.linked(text)
    if link is None:
        assert linked == text
    else:
        assert f'<a href="https://arxiv.org/abs/{link}">arXiv:{link}</a>' in linked


@pytest.mark.parametrize(
    ("value", "printed"), [(0.12345678, "0.1235"), (123456, "1.235e+05"), (0, "0"), ("0", "0"), ("nan", "not finite"),
                           ("x", "not finite"), (math.inf, "not finite"), (None, "–"), ("", "–")],
)  # fmt: skip
def test_a_measured_number_has_four_figures(value, printed):
    assert words.figure(value) == printed


@pytest.mark.parametrize(("value", "number"), [("1.5", 1.5), (2, 2.0), (True, 1.0)])
def test_what_reads_like_a_number_is_one(value, number):
    assert words.number(value) == number


@pytest.mark.parametrize("value", [None, "", "x", [], {}])
def test_what_does_not_is_none(value):
    assert math.isnan(words.number(value))


@pytest.mark.parametrize(
    ("value", "printed"),
    [(0.999, "1 B"), (999.4, "999 B"), (999.5, "1.00 kB"), (9_995, "10.0 kB"), (99_940, "99.9 kB"), (99_950, "100 kB"),
     (999_499, "999 kB"), (999_500, "1.00 MB"), (1e9, "1.00 GB"), (1e12, "1.00 TB"), (1e15, "1000 TB"), (-5, "-5 B"),
     ("", "–")],
)  # fmt: skip
def test_a_size_changes_its_unit_where_its_figures_would(value, printed):
    assert words.size_of(value).replace("\u00a0", " ") == printed


def test_units_and_their_base_can_be_others():
    assert words.rounded(2048, ("", " Ki"), 1024) == "2.00 Ki"
    assert words.rounded(2048**2, ("", " Ki"), 1024) == "4096 Ki"


@pytest.mark.parametrize(
    ("value", "printed"),
    [(0.5, "0"), (1.5, "2"), (-1234.6, "-1,235"), ("1000", "1,000"), (math.inf, "–"), ("x", "–")],
)
def test_a_count_is_whole(value, printed):
    assert words.count(value) == printed


def test_spaces_before_units_do_not_break():
    for printed in (words.percent(0.5), words.rounded(5000), words.size_of(5), words.size_of(5000)):
        assert " " not in printed
        assert "\u00a0" in printed


@pytest.mark.parametrize(
    ("seconds", "printed"),
    [(0, "0.0 s"), (59.95, "1 min 0 s"), (60.4, "1 min 0 s"), (119.6, "2 min 0 s"), (3599.6, "1 h 0 min"),
     (7259.9, "2 h 1 min"), (100_000, "27 h 46 min")],
)  # fmt: skip
def test_a_duration_has_two_units_at_most(seconds, printed):
    assert words.duration(seconds) == printed


@pytest.mark.parametrize(
    ("values", "printed"), [([5], "5"), ([1, 2], "1–2"), ([1, 3, 4, 5, 9], "1, 3–5, 9"), ([0, 2, 4], "0, 2, 4")]
)
def test_ranges_begin_and_end_where_the_runs_do(values, printed):
    assert words.ranges(values) == printed


def test_a_date_says_its_zone():
    zone = timezone(timedelta(hours=2), "CEST")
    assert words.when(datetime(2025, 3, 4, 5, 6, 59, tzinfo=zone)) == "2025-03-04 05:06 CEST"


def test_a_noun_of_its_own_for_many():
    assert words.plural(0, "class has", "classes have") == "0 classes have"
    assert words.plural(1, "class has", "classes have") == "1 class has"
    assert words.plural(-1, "image") == "-1 images"
