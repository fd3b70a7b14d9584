"""What a function asks for: every name in use, sides as a number or a pair, and what it cannot do without."""

import functools

import pytest

from striate.models.signature import CHANNELS, CLASSES, KNOWN, SIZES, filled_in, takes, usual_for

NOTHING = dict.fromkeys(KNOWN)
ALL = {"num_classes": 7, "in_channels": 2, "input_size": (20, 20)}


def with_names(first, second, third):
    return eval(f"lambda {first}, {second}, {third}: None")


@pytest.mark.parametrize("place", range(4))
def test_every_name_in_use_is_known(place):
    names = [names[min(place, len(names) - 1)] for names in (CLASSES, CHANNELS, SIZES)]
    assert filled_in(with_names(*names), ALL) == dict(zip(names, (7, 2, 20), strict=True))


def test_a_function_gets_what_it_asks_for_and_all_options():
    def make(num_classes, width=1):
        pass

    assert filled_in(make, ALL) == {"num_classes": 7}
    assert filled_in(make, {**ALL, "width": 4}) == {"num_classes": 7, "width": 4}
    assert filled_in(make, {**ALL, "depth": 4}) == {"num_classes": 7, "depth": 4}  # it says itself that it has none
    assert filled_in(make, {**ALL, "num_classes": None}) == {}
    assert filled_in(lambda: None, ALL) == {}


def test_an_option_goes_before_what_is_known():
    assert filled_in(lambda classes, img_size: None, {**ALL, "img_size": 9}) == {"classes": 7, "img_size": 9}


@pytest.mark.parametrize(
    ("make", "size", "given"),
    [
        (lambda image_size: None, (20, 20), 20),
        (lambda image_size=32: None, [20, 20], 20),
        (lambda image_size=(32, 32): None, [20, 20], (20, 20)),
        (lambda image_size=(32, 32): None, (20, 30), (20, 30)),
        (lambda image_size=32: None, [20, 30], (20, 30)),
    ],
)
def test_a_size_is_a_number_where_one_will_do(make, size, given):
    assert filled_in(make, {**NOTHING, "input_size": size}) == {"image_size": given}


@pytest.mark.parametrize(
    ("make", "asked", "usual"),
    [
        (lambda: None, {}, {}),
        (lambda n_classes: None, {}, {"n_classes": 1000}),
        (lambda n_classes: None, {"num_classes": 4}, {}),
        (lambda n_classes=4: None, {}, {}),
        (lambda n_classes, in_chans, img_size=8: None, {}, {"n_classes": 1000, "in_chans": 3}),
        (lambda n_classes, in_chans, img_size: None, {"in_channels": 1}, {"n_classes": 1000, "img_size": 224}),
        (lambda width: None, {}, {}),
    ],
)
def test_the_usual_is_for_what_cannot_be_left_out(make, asked, usual):
    assert usual_for(make, {**NOTHING, **asked}) == usual


def test_what_does_not_say_its_arguments_asks_for_nothing():
    assert filled_in(type, ALL) == {}
    assert usual_for(type, NOTHING) == {}
    assert not takes(type, CLASSES)
    assert takes(functools.partial(lambda num_labels, width: None, width=3), CLASSES)
    assert not takes(lambda num_classes: None, SIZES)
