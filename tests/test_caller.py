"""How errors name what a caller gave: by Python's arguments, or by the flags of a command line."""

import pytest

import striate
from striate.caller import by_flags, either, said
from striate.errors import UsageError


def test_python_is_spoken_to_by_arguments():
    assert (said("epochs"), either("--run", "run")) == ("epochs", "run")


def test_a_command_line_is_spoken_to_by_the_flags_that_stand_on_it():
    with by_flags({"epochs": "--epochs"}):
        assert (said("epochs"), said("momentum"), either("--run", "run")) == ("--epochs", "momentum", "--run")
        with by_flags({}):
            assert (said("epochs"), either("--run", "run")) == ("epochs", "--run")
        assert said("epochs") == "--epochs"
    assert (said("epochs"), either("--run", "run")) == ("epochs", "run")


def test_after_an_error_python_is_spoken_to_again():
    with pytest.raises(UsageError, match=r"^--seed is -1; whole"), by_flags({"seed": "--seed"}):
        striate.train("nowhere", seed=-1)
    with pytest.raises(UsageError, match=r"^seed is -1; whole"):
        striate.train("nowhere", seed=-1)
