"""What is decided for the user is told by every command that builds a network, which then takes the other, too."""

import json

import pytest

TAKEN = "note: resnet18 has its stem for small images (64 pixels or less), which shrinks them less; --option stem=paper"


def figure(command: str, out: str) -> float:
    """A number that is larger with the stem of the paper, which shrinks images more."""
    said = json.loads(out)
    if command == "compare":
        return said["networks"][0]["receptive_field"][0]
    if command == "field":
        return said["theoretical"][0]
    return sum(layer["name"].startswith("stem.conv") for layer in said["runs"][0]["layers"])


@pytest.mark.parametrize("command", ["compare", "field --samples 1", "gradients --batch-size 2"])
def test_the_note_names_an_option_that_the_command_takes(command, cli):
    name, *words = command.split()
    left_open = cli(name, "resnet18", "--size", 64, *words, "--json")
    asked = cli(name, "resnet18", "--size", 64, *words, "--option", "stem=paper", "--json")
    assert TAKEN in left_open.err
    assert (asked.code, asked.err) == (0, "")
    assert figure(name, asked.out) >= figure(name, left_open.out)
    assert asked.out != left_open.out
