"""Text tables to the letter: whole, narrower and narrower, as Markdown and as CSV."""

import csv
import io

import pytest

from striate.text_tables import (
    Column,
    Table,
    clipped,
    csv_text,
    described,
    displayed,
    shortened,
    shortened_path,
    wrapped,
)

TABLE = Table(
    (
        Column("layer", right=False, least=8),
        Column("type", right=False, rank=1),
        Column("parameters"),
        Column("FLOPs", rank=3),
        Column("field", rank=2),
    ),
    [
        ("stem.convolution", "Conv2d", "9,408", "236.0 M", "7"),
        ("head", "Linear", "", "1.02 M", ""),
    ],
)
SUMMED = Table(TABLE.columns, TABLE.rows, [("together", "", "10,000", "237.0 M", "")])


def test_a_table_without_a_width_is_whole():
    assert TABLE.text().splitlines() == [
        "─" * 52,
        "layer             type    parameters    FLOPs  field",
        "─" * 52,
        "stem.convolution  Conv2d       9,408  236.0 M      7",
        "head              Linear               1.02 M",
        "─" * 52,
    ]
    assert TABLE.left_out() == []
    assert TABLE.text(52) == TABLE.text(1000) == TABLE.text()
    assert TABLE.fits(52)


def test_rows_of_totals_have_a_rule_of_their_own_and_rules_can_be_left_away():
    lines = SUMMED.text().splitlines()
    assert lines[-2:] == ["─" * 52, "together                      10,000  237.0 M"]
    assert SUMMED.text(ruled=False).splitlines() == [line for line in lines if not line.startswith("─")]


@pytest.mark.parametrize(
    ("width", "header", "row", "left_out"),
    [
        # by hand: the columns are 16, 6, 10, 7 and 5 wide with gaps of 2; names can be 8 wide
        (51, "layer            type    parameters    FLOPs  field",
         "stem.co…olution  Conv2d       9,408  236.0 M      7", "parts of layer"),
        (44, "layer     type    parameters    FLOPs  field", "ste…tion  Conv2d       9,408  236.0 M      7",
         "parts of layer"),
        (43, "layer             type    parameters  field", "stem.convolution  Conv2d       9,408      7", "FLOPs"),
        (36, "layer      type    parameters  field", "stem…tion  Conv2d       9,408      7", "FLOPs, parts of layer"),
        (34, "layer           type    parameters", "stem.c…olution  Conv2d       9,408",
         "FLOPs, field, parts of layer"),
        (28, "layer     type    parameters", "ste…tion  Conv2d       9,408", "FLOPs, field, parts of layer"),
        (27, "layer     parameters  field", "ste…tion       9,408      7", "type, FLOPs, parts of layer"),
        (20, "layer     parameters", "ste…tion       9,408", "type, FLOPs, field, parts of layer"),
    ],
)  # fmt: skip
def test_a_narrow_table_loses_the_least_important_columns_then_the_middle_of_names(width, header, row, left_out):
    lines = TABLE.text(width).splitlines()
    assert max(map(len, lines)) <= width
    assert (lines[1], lines[3]) == (header, row)
    assert {lines[0], lines[2], lines[-1]} == {"─" * max(map(len, lines[1:-1]))}
    assert TABLE.left_out(width) == [("left out", f"{left_out}; 52 columns or a pipe show all")]
    assert TABLE.fits(width) is ("FLOPs" not in left_out)


def test_a_terminal_too_narrow_for_any_table_gets_cut_lines_and_never_a_second_line():
    lines = TABLE.text(15).splitlines()
    assert lines[1:4:2] == ["layer     para…", "ste…tion      …"]
    assert lines[0] == "─" * 15
    assert len(lines) == len(TABLE.text().splitlines())
    assert not TABLE.fits(15)
    left_out = "type, FLOPs, field, parts of layer, ends of rows; 52 columns or a pipe show all"
    assert TABLE.left_out(15) == [("left out", left_out)]


def test_a_name_is_not_cut_to_less_than_its_header():
    table = Table([Column("a long header", right=False, least=3), Column("figure")], [["x" * 40, "1"]])
    assert table.text(21, ruled=False).splitlines() == ["a long header  figure", f"{'x' * 6}…{'x' * 6}       1"]
    assert table.text(20, ruled=False).splitlines()[0] == "a long header  figu…"


def test_markdown_says_how_columns_stand_and_a_pipe_ends_no_cell():
    table = Table([Column("name", right=False), Column("a|b")], [["x|y", "1"]], [["all", "2"]])
    assert table.markdown() == ["| name | a\\|b |", "|---|---:|", "| x\\|y | 1 |", "| all | 2 |"]


def test_csv_has_plain_values_and_joined_sizes():
    text = csv_text([{"name": "a,b", "shape": [1, 2.5], "field": None}, {"name": "c", "shape": [], "field": 3}])
    assert text == 'name,shape,field\n"a,b",1x2.5,\nc,,3\n'
    assert [row["name"] for row in csv.DictReader(io.StringIO(text))] == ["a,b", "c"]


@pytest.mark.parametrize(
    ("text", "length", "cut"),
    [("abcdef", 6, "abcdef"), ("abcdefg", 6, "ab…efg"), ("abcdefgh", 7, "abc…fgh"), ("abcdefgh", 5, "ab…gh"),
     ("", 5, ""), ("a" * 30 + "b" * 31, 60, "a" * 29 + "…" + "b" * 30), ("abc", 1, "…"), ("abc", 2, "…c")],
)  # fmt: skip
def test_a_name_keeps_both_its_ends(text, length, cut):
    assert shortened(text, length) == cut
    assert len(cut) <= length


@pytest.mark.parametrize(("text", "width", "cut"), [("abcdef", 6, "abcdef"), ("abcdefg", 6, "abcde…"), ("abc", 1, "…")])
def test_a_sentence_keeps_its_beginning(text, width, cut):
    assert clipped(text, width) == cut


@pytest.mark.parametrize(
    ("width", "cut"),
    [(30, "stages.stage2.1.residual.conv1"), (29, "s.stage2.1.residual.conv1"), (24, "s.s2.1.residual.conv1"),
     (20, "s.s2.1.r.conv1"), (13, "…s2.1.r.conv1"), (4, "…nv1")],
)  # fmt: skip
def test_a_layers_name_keeps_its_numbers_and_its_end(width, cut):
    assert shortened_path("stages.stage2.1.residual.conv1", width) == cut


def test_a_last_part_loses_its_middle_before_the_first_are_lost():
    name = "blocks.0.layers.squeeze.scale_activation"
    assert shortened_path(name, 24) == "b.0.l.s.scale_activation"
    cut = [shortened_path(name, width) for width in (20, 14, 12)]
    assert cut == ["b.0.l.s.scale…vation", "b.0.l.s.sc…ion", "….l.s.sc…ion"]


@pytest.mark.parametrize(
    ("name", "cut"),
    [("features.denseblock4.denselayer24.conv1", "f.d4.d24.conv1"),
     ("Mixed_5b.branch3x3dbl_2.conv", "M5b.b3x3dbl2.conv"), ("1.0.(mul, sort)", "1.0.(mul, sort)"),
     ("inception_a.window_attention.x", "ia.wa.x")],
)  # fmt: skip
def test_a_part_becomes_its_first_letter_and_what_follows_from_its_first_digit(name, cut):
    assert shortened_path(name, len(cut)) == cut


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("猫", 2), ("e\u0301", 1), ("…×─", 3), ("", 0)])
def test_letters_of_east_asia_take_two_columns_and_accents_none(text, columns):
    assert displayed(text) == columns


def test_a_table_of_wide_letters_is_as_wide_as_it_looks():
    table = Table([Column("class", right=False, least=5), Column("images")], [["猫と犬と鳥", "5"], ["dog", "10"]])
    assert table.text(ruled=False).splitlines() == ["class       images", "猫と犬と鳥       5", "dog             10"]
    narrow = table.text(15, ruled=False).splitlines()
    assert narrow == ["class    images", "猫…と鳥       5", "dog          10"]
    assert {displayed(line) for line in narrow} == {15}


def test_what_is_said_stands_beside_its_heading_and_wraps_under_itself():
    pairs = [("parameters", "11 (44 B)"), ("note", "run without 1 of its hooks, plain functions")]
    assert described(pairs).splitlines() == [
        "parameters  11 (44 B)",
        "note        run without 1 of its hooks, plain functions",
    ]
    assert described(pairs, 34, least=12).splitlines() == [
        "parameters    11 (44 B)",
        "note          run without 1 of its",
        "              hooks, plain",
        "              functions",
    ]
    assert described([]) == ""


def test_a_line_is_broken_between_words_and_a_long_word_is_not_broken():
    assert wrapped("one two  three", None) == "one two  three"
    assert wrapped("one two three", 8, "  ") == "one two\n  three"
    assert wrapped("a " + "x" * 30 + " b-c", 10) == f"a\n{'x' * 30}\nb-c"
