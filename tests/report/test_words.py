import math
from datetime import datetime, timedelta, timezone

import pytest

from striate.report import words


def test_percent_has_as_many_decimals_as_the_images_allow():
    assert words.percent(0.96444, 897).replace("\u00a0", " ") == "96.4 %"
    assert words.percent(0.96444, 10_000).replace("\u00a0", " ") == "96.44 %"
    assert words.percent(0.96444, 9_999).replace("\u00a0", " ") == "96.4 %"
    assert words.percent("") == words.percent(None) == words.percent(math.inf) == "–"


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


def test_figures_are_written_as_everywhere_with_spaces_that_do_not_break():
    assert words.percent(0.5) == "50.0\u00a0%"
    assert words.count(61_706) == "61.7\u00a0k"
    assert [words.file_size(size) for size in (5, 246_400)] == ["5\u00a0B", "246\u00a0kB"]
    assert [words.whole(value) for value in (61_706.4, "12", -1234.6, 0.5)] == ["61,706", "12", "-1,235", "0"]


@pytest.mark.parametrize("write", [words.percent, words.count, words.file_size, words.whole])
@pytest.mark.parametrize("value", [None, "", "x", math.nan, math.inf])
def test_what_is_no_number_is_a_dash(write, value):
    assert write(value) == "–"


@pytest.mark.parametrize(
    ("values", "printed"), [([5], "5"), ([1, 2], "1–2"), ([1, 3, 4, 5, 9], "1, 3–5, 9"), ([0, 2, 4], "0, 2, 4")]
)
def test_ranges_begin_and_end_where_the_runs_do(values, printed):
    assert words.ranges(values) == printed


def test_a_date_says_its_zone():
    zone = timezone(timedelta(hours=2), "CEST")
    assert words.when(datetime(2025, 3, 4, 5, 6, 59, tzinfo=zone)) == "2025-03-04 05:06 CEST"
