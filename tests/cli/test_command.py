"""What stands on a command line, as it was typed, and that errors speak of it so."""

import pytest


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--epochs 0", "--epochs is 0; it must be a whole number from 1 to 1,000,000."),
        ("--lr -1", "--lr is -1.0; it must be a number from 0 to 100."),
        ("--learning-rate=-1", "--learning-rate is -1.0; it must be a number from 0 to 100."),
        ("--set learning_rate=-1", "learning_rate is -1.0; it must be a number from 0 to 100."),
        ("--set epochs=0", "epochs is 0; it must be a whole number from 1 to 1,000,000."),
        ("--epochs 3 --set epochs=2", "--epochs is given twice, as 3 and as 2 (by --set)."),
        ("--batch-size 0", "--batch-size is 0; it must be a whole number from 1 to 10,000,000."),
        ("--seed -1", "--seed is -1; whole numbers from 0 to 4,294,967,295 are possible."),
        ("--size 0", "--size is 0; whole numbers from 1 to 8,192 are possible."),
        ("--workers -1", "--workers is -1; whole numbers from 0 to 256 are possible."),
        ("--devices 0", "--devices is 0; whole numbers from 1 to 1,024 are possible."),
        ("--val-fraction 2", "--val-fraction is a share from 0 to below 1, not 2.0"),
        ("--time-limit soon", "--time-limit soon: give seconds, or write it as 90s, 15m or 2h."),
    ],
)
def test_a_value_is_told_by_what_it_was_given_with(words, said, cli):
    outcome = cli("train", "nowhere", *words.split())
    assert outcome.code == 2
    assert outcome.line() == f"striate: {said}"


def test_an_empty_argument_is_told_as_the_help_writes_it(cli):
    assert cli("train", "").line() == "striate: SOURCE is ''; give a path."
    assert cli("train", "nowhere", "--freeze", "").line() == "striate: --freeze is ''; give a name, or leave it out."


def test_what_else_can_be_given_is_told_by_its_flag(cli, colours):
    outcome = cli("train", colours, "--model", "lenet5", "--val-fraction", 0, "--set", "early_stopping=2")
    assert outcome.line().endswith("no images are set aside; give --val-fraction.")
