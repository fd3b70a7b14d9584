"""Figures as they are written everywhere: to the letter, and where a figure changes its unit or its decimals."""

import math

import pytest

from striate import units


@pytest.mark.parametrize(
    ("value", "printed"),
    [(0, "0"), (999, "999"), (999.6, "1.00 k"), (1000, "1.00 k"), (9_994, "9.99 k"), (9_996, "10.0 k"),
     (99_940, "99.9 k"), (99_960, "100 k"), (999_499, "999 k"), (999_500, "1.00 M"), (5e15, "5000 T"),
     (-2e6, "-2.00 M"), (61_706, "61.7 k"), (138_357_544, "138 M"), (4_089_184_256, "4.09 G")],
)  # fmt: skip
def test_a_count_has_three_figures(value, printed):
    assert units.count(value) == printed


@pytest.mark.parametrize(
    ("value", "printed"),
    [(0, "0"), (999, "999"), (1000, "1.00 k"), (4097, "4.10 k"), (9_990, "9.99 k"), (10_000, "10.0 k"),
     (149_520_384, "149.5 M"), (10**6, "1.00 M"), (10**7, "10.0 M"), (123_456_789, "123.5 M"), (2 * 10**9, "2.00 G"),
     (10**10, "10.0 G"), (10**12, "1.00 T"), (25 * 10**12, "25.0 T"), (999_949, "999.9 k"), (999_950, "1.00 M"),
     (999_960_000, "1.00 G"), (1_234_567 * 10**9, "1234.6 T"), (10**15, "1000.0 T")],
)  # fmt: skip
def test_in_a_column_a_count_keeps_its_tenths(value, printed):
    assert units.count(value, tenths=True) == printed


@pytest.mark.parametrize(
    ("value", "printed"),
    [(0.999, "1 B"), (512, "512 B"), (999.4, "999 B"), (999.5, "1.00 kB"), (9_995, "10.0 kB"), (99_940, "99.9 kB"),
     (99_950, "100 kB"), (246_400, "246 kB"), (999_499, "999 kB"), (999_500, "1.00 MB"), (98_000_000, "98.0 MB"),
     (1e9, "1.00 GB"), (1e12, "1.00 TB"), (1e15, "1000 TB"), (-5, "-5 B")],
)  # fmt: skip
def test_a_kilobyte_is_a_thousand_bytes(value, printed):
    assert units.decimal_size(value) == printed


@pytest.mark.parametrize(
    ("value", "printed"),
    [(0, "0 B"), (12, "12 B"), (1023, "1023 B"), (1024, "1 KiB"), (99 * 1024, "99 KiB"), (802_816, "784 KiB"),
     (1023 * 2**10, "1023 KiB"), (1024 * 2**10 - 1, "1.0 MiB"), (2**20, "1.0 MiB"), (int(99.9 * 2**20), "99.9 MiB"),
     (100 * 2**20 - 1, "100 MiB"), (100 * 2**20, "100 MiB"), (150 * 2**20, "150 MiB"), (1024 * 2**20 - 1, "1.0 GiB"),
     (2**31, "2.0 GiB"), (150 * 2**30, "150 GiB"), (2**41, "2048 GiB")],
)  # fmt: skip
def test_a_kibibyte_is_1024_bytes(value, printed):
    assert units.binary_size(value) == printed


@pytest.mark.parametrize(
    ("kibibytes", "printed"),
    [(784, "784 KiB"), (182, "182 KiB"), (253.5, "254 KiB"), (169, "169 KiB"), (36, "36 KiB")],
)
def test_the_memory_of_alexnets_layers_is_in_kibibytes(kibibytes, printed):
    assert units.binary_size(kibibytes * 1024) == printed


@pytest.mark.parametrize(
    ("text", "shown"),
    [("50.0 MB", "50 MB"), ("1.00 G", "1 G"), ("1.50 G", "1.5 G"), ("300 M", "300 M"), ("3.01 G", "3.01 G"),
     ("10.0 k", "10 k"), ("100", "100"), ("20 ms", "20 ms"), ("0.05 s", "0.05 s"), ("1.0", "1")],
)  # fmt: skip
def test_what_somebody_gave_loses_the_zeros_that_measure_nothing(text, shown):
    assert units.trimmed(text) == shown


@pytest.mark.parametrize(
    ("value", "printed"),
    [(0, "0"), (61_706, "61,706"), (61_706.4, "61,706"), (-1234.6, "-1,235"), (0.5, "0"), (1.5, "2"),
     (2**53 + 1, "9,007,199,254,740,993")],
)  # fmt: skip
def test_a_whole_number_is_exact(value, printed):
    assert units.whole(value) == printed


def test_a_share_is_told_in_percent():
    assert [units.percent(0.96444), units.percent(0.96444, 2), units.percent(1, 0)] == ["96.4%", "96.44%", "100%"]
    assert units.percent(math.nan) == "nan%"  # nothing to print is for whoever prints to say


def test_one_and_many_have_their_nouns():
    said = [units.plural(amount, "image") for amount in (0, 1, 2, 2000, -1)]
    assert said == ["0 images", "1 image", "2 images", "2,000 images", "-1 images"]
    assert [units.plural(amount, "class has", "classes have") for amount in (0, 1)] == ["0 classes have", "1 class has"]


def test_how_often_things_occur():
    assert units.tally({"sort": 1, "cumsum": 12345}) == "sort (1), cumsum (12,345)"
    assert units.tally({8: 24, 16: 1}) == "8 (24), 16 (1)"
    assert units.tally({}) == ""


@pytest.mark.parametrize(
    ("values", "all_of_them", "along_axes"),
    [((3, 224, 224), "3×224×224", "3×224×224"), ((3, 3), "3×3", "3"), ((1, 2.5), "1×2.5", "1×2.5"),
     ((4.0, 4.0), "4×4", "4"), ((1_234_567,), "1234567", "1234567"), ((), "", "")],
)  # fmt: skip
def test_numbers_along_axes(values, all_of_them, along_axes):
    assert units.sizes(values) == all_of_them
    assert units.along_axes(values) == along_axes
    assert units.along_axes(None) == ""


@pytest.mark.parametrize(
    ("seconds", "printed"),
    [(0, "0.0 s"), (4.24, "4.2 s"), (59.94, "59.9 s"), (59.95, "1 min 0 s"), (59.97, "1 min 0 s"), (60.4, "1 min 0 s"),
     (119.6, "2 min 0 s"), (200, "3 min 20 s"), (3599, "59 min 59 s"), (3599.6, "1 h 0 min"), (3600, "1 h 0 min"),
     (7259.9, "2 h 1 min"), (7500, "2 h 5 min"), (100_000, "27 h 46 min")],
)  # fmt: skip
def test_a_duration_has_two_units_at_most(seconds, printed):
    assert units.duration(seconds) == printed


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.4, "59s"), (59.5, "1m00s"), (59.6, "1m00s"), (60, "1m00s"), (61, "1m01s"), (185, "3m05s"),
     (3599, "59m59s"), (3599.7, "1h00m"), (3600, "1h00m"), (3660, "1h01m"), (7199, "1h59m"), (7620, "2h07m"),
     (90000, "25h00m")],
)  # fmt: skip
def test_a_clock_at_its_edges(seconds, text):
    assert units.clock(seconds) == text
