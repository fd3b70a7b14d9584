"""The style sheet: every colour it uses has a value on light, dark and printed pages, and every rule has a use."""

import re
from importlib.resources import files

import pytest

from striate.report.charts import INK

PACKAGE = files("striate.report")
CSS = PACKAGE.joinpath("style.css").read_text(encoding="utf-8")
TEMPLATE = "".join(
    PACKAGE.joinpath(name).read_text(encoding="utf-8") for name in ("template.html", "macros.html", "checkup.html")
)
#: Where the page's colours are set: at the top, for a dark page, for a printed one.
LIGHT, DARK, PRINT = (
    dict(re.findall(r"(--[\w-]+): ([^;]+);", block)) for block in re.findall(r":root \{([^}]*)\}", CSS)
)


def channels(colour: str) -> list[int]:
    """Red, green and blue of #rgb, #rrggbb or "r g b"."""
    if not colour.startswith("#"):
        return [int(part) for part in colour.split()]
    digits = colour[1:]
    return [int(digits[place : place + 2], 16) for place in (0, 2, 4)] if len(digits) == 6 else [
        int(digit * 2, 16) for digit in digits
    ]  # fmt: skip


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    linear = [(c / 255) / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def test_every_colour_that_is_used_is_set_for_each_kind_of_page():
    used = set(re.findall(r"var\((--[\w-]+)\)", CSS + TEMPLATE + "".join(INK.values()))) - {"--v"}
    assert used == LIGHT.keys() == DARK.keys() == PRINT.keys()
    assert "@media (prefers-color-scheme: dark)" in CSS
    assert "@media print" in CSS


@pytest.mark.parametrize("page", [LIGHT, DARK, PRINT], ids=["light", "dark", "print"])
def test_words_and_curves_stand_out_from_the_paper(page):
    for name, least in (("--ink", 7), ("--muted", 4.5), ("--train", 3), ("--val", 3)):
        assert contrast(page[name], page["--paper"]) >= least, name
    assert contrast(page["--ink"], page["--panel"]) >= 7
    assert 1.25 < contrast(page["--line"], page["--paper"]) < 1.75  # seen, and no more than that
    assert 1.05 < contrast(page["--panel"], page["--paper"]) < 1.15
    for name in ("--line", "--panel", "--muted", "--paper", "--ink"):  # greys
        assert max(channels(page[name])) - min(channels(page[name])) <= 16
    for name in ("--train", "--val"):
        own, shades = channels(page[name]), channels(page[f"{name}-rgb"])
        assert max(abs(one - other) for one, other in zip(own, shades, strict=True)) <= 20
    assert contrast(page["--train"], page["--val"]) > 1


@pytest.mark.parametrize("page", [LIGHT, DARK, PRINT], ids=["light", "dark", "print"])
def test_training_is_blue_and_validation_orange(page):
    for name in ("--train", "--train-rgb"):
        red, green, blue = channels(page[name])
        assert red < green < blue
    for name in ("--val", "--val-rgb"):
        red, green, blue = channels(page[name])
        assert red > green > blue


def test_every_rule_has_a_class_of_the_page_and_every_class_a_rule():
    ruled = set(re.findall(r"\.([a-z]+)\b(?=[^{}]*\{)", CSS))
    named = {word for value in re.findall(r'class="([^"]*)"', TEMPLATE) for word in re.findall(r"[a-z]+", value)}
    named |= set(re.findall(r"'\s?([a-z]+)' if", TEMPLATE)) | {"frame", "heat", "chart"}
    assert ruled <= named
    for name in ("right", "none", "pixel", "tall", "long", "val", "frame", "heat", "bar", "chart"):
        assert name in ruled


def rule_of(selector: str) -> str:
    (rule,) = re.findall(rf"^{re.escape(selector)} \{{([^}}]*)\}}", CSS, re.MULTILINE)
    return rule


@pytest.mark.parametrize(
    ("selector", "colour"),
    [
        (".key span::before", "train"),
        (".key .val::before", "val"),
        (".interval i", "train"),
        (".interval b", "train"),
        (".bar i::before", "train"),
        (".matrix td", "val"),
        (".matrix td.right", "train"),
        (".gallery .said", "val"),
        (".note", "val"),
    ],
)
def test_right_is_painted_as_training_and_wrong_as_validation(selector, colour):
    assert re.findall(r"--(train|val)\b", rule_of(selector)) == [colour]


@pytest.mark.parametrize("selector", [".bar i::before", ".matrix td", ".matrix td.right"])
def test_shares_decide_lengths_and_shades(selector):
    rule = rule_of(selector)
    assert "var(--v)" in rule
    if "matrix" in selector:
        assert ("--train-rgb" in rule) == selector.endswith("right")


def test_paper_is_light_by_day_and_in_print_and_dark_by_night():
    assert luminance(LIGHT["--paper"]) > 0.9
    assert luminance(PRINT["--paper"]) == 1
    assert luminance(PRINT["--ink"]) == 0
    assert luminance(DARK["--paper"]) < 0.05


def test_braces_are_closed():
    assert CSS.count("{") == CSS.count("}")
