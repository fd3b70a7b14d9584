"""The command itself: its commands and flags, how it leaves, and what it says when memory does not suffice."""

import io
import os
import sys

import pytest
import typer

import striate
from striate.cli import app as module
from striate.cli.app import COMMANDS
from striate.errors import StriateError, UsageError

#: What a command that runs out of memory is advised to do.
LESS_MEMORY = {
    "train": "try a smaller --batch-size or --size",
    "advise": "it needs a machine with more of it",
    "evaluate": "it needs a machine with more of it",
    "predict": "it needs a machine with more of it",
    "embed": "it needs a machine with more of it",
    "grow": "it needs a machine with more of it",
    "recipes": "it needs a machine with more of it",
    "models": "it needs a machine with more of it",
    "card": "it needs a machine with more of it",
    "summary": "try a smaller --size or --input",
    "compare": "try a smaller --size",
    "field": "try a smaller --size or --input",
    "layer": "it needs a machine with more of it",
    "scale": "it needs a machine with more of it",
    "recommend": "try a smaller --size",
    "check": "it needs a machine with more of it",
    "augment": "try a smaller --size",
    "kernel": "it needs a machine with more of it",
    "gradients": "try a smaller --batch-size or --size",
    "experiment": "try a smaller --size",
    "weights": "it needs a machine with more of it",
}


@pytest.fixture
def failing(monkeypatch):
    """Runs `striate WORDS` whose command comes to this: failing(error or exit code, *words) -> exit code."""
    monkeypatch.setattr(module, "heed_interrupts", lambda alone: None)
    monkeypatch.setattr(module, "leave", sys.exit)
    monkeypatch.delenv("STRIATE_DEBUG", raising=False)

    def run(outcome: object, *words: str) -> int:
        def come_to(_, **options):
            assert options == {"prog_name": "striate", "standalone_mode": False, "obj": False}
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        monkeypatch.setattr(type(module._command()), "__call__", come_to)
        monkeypatch.setattr(sys, "argv", ["striate", *words])
        with pytest.raises(SystemExit) as leaving:
            module.run()
        return leaving.value.code

    return run


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_that_gain_by_it_keep_memory_and_only_in_a_process_of_their_own(name, cli, monkeypatch, capsys):
    kept = []
    monkeypatch.setattr(module, "keep_memory", kept.append)
    monkeypatch.setattr(module, "heed_interrupts", lambda alone: None)
    monkeypatch.setattr(module, "leave", sys.exit)
    assert cli(name, "--help").code == 0  # called by a program
    assert kept == []
    with pytest.raises(SystemExit):
        module.run(alone=True)
    capsys.readouterr()
    largest = {
        **dict.fromkeys(("predict", "embed", "evaluate", "advise"), 64 << 20),
        **dict.fromkeys(("train", "experiment", "field", "check"), 160 << 20),
    }
    assert kept == ([largest[name]] if name in largest else [])


def test_a_wrong_word_in_the_variable_of_memory_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(module, "heed_interrupts", lambda alone: None)
    monkeypatch.setattr(sys, "argv", ["striate", "check", "nowhere"])
    monkeypatch.setenv("STRIATE_MALLOC", "never")
    with pytest.raises(SystemExit) as leaving:
        module.run(alone=True)
    assert leaving.value.code == 2
    assert capsys.readouterr() == ("", "striate: STRIATE_MALLOC is 'never'; it is on or off.\n")


def test_every_command_is_there_and_is_called_by_its_name(cli):
    lines = cli("--help").out.splitlines()
    groups: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("╭─ "):
            groups[line.strip("╭─╮ ")] = []
        elif line.startswith("│ ") and line[2] != " ":
            list(groups.values())[-1].append(line.strip("│ ").split()[0])
    options = groups.pop("Options")
    assert options == ["--version", "--help"]
    assert groups == {group: list(names) for group, names in module.GROUPS.items()}
    listed = [name for names in groups.values() for name in names]
    assert sorted(listed) == sorted(LESS_MEMORY)
    (weights,) = module.app.registered_groups
    assert weights.typer_instance.info.name == "weights"
    assert {name: f"striate.cli.{name}" for name in listed if name != "weights"} == {
        command.name: command.callback.__module__ for command in module.app.registered_commands
    }
    assert {name: f"striate.cli.weights_{name}" for name in ("list", "fetch", "verify", "where")} == {
        command.name: command.callback.__module__ for command in weights.typer_instance.registered_commands
    }


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_by_either_name_is_printed_and_is_no_failure(flag, cli):
    outcome = cli("models", flag)
    assert (outcome.code, outcome.err) == (0, "")
    assert "Usage: striate models " in outcome.out


def test_no_completion_is_offered(cli):
    assert "completion" not in cli("--help").out
    assert cli("--show-completion").code == 2


def test_the_version_is_the_packages_and_is_no_failure(cli):
    assert cli("--version") == (0, f"{striate.__version__}\n", "")


def test_a_bare_call_is_wrong_usage_that_prints_the_help(cli):
    bare = cli()
    assert (bare.code, bare.err) == (2, "")
    assert bare.out.strip() == cli("--help").out.strip()


@pytest.mark.parametrize(
    ("outcome", "code", "said"),
    [
        (None, 0, ""),
        (0, 0, ""),
        (3, 3, ""),
        (130, 130, "striate: interrupted\n"),
        (KeyboardInterrupt(), 130, "striate: interrupted\n"),
        (typer.Abort(), 130, "striate: interrupted\n"),
        (StriateError("gone"), 1, "striate: gone\n"),
        (UsageError("no"), 2, "striate: no\n"),
        (ValueError("odd"), 1, "striate: odd (ValueError; STRIATE_DEBUG=1 shows where)\n"),
    ],
    ids=repr,
)
def test_what_a_command_comes_to_is_the_exit_code_and_a_line(outcome, code, said, failing, capsys, monkeypatch):
    monkeypatch.setattr("striate.cli.interrupt.leave", sys.exit)
    assert failing(outcome) == code
    assert capsys.readouterr() == ("", said)


def test_wrong_words_end_with_one_full_stop_and_the_way_to_the_help(cli):
    assert cli("scale", "lenet5", "--axis", "width").line().endswith("). `striate --help` explains.")
    assert cli("scale").line().lower() == "striate: missing argument 'network'. `striate --help` explains."


@pytest.mark.parametrize("name", LESS_MEMORY)
def test_out_of_memory_names_the_options_of_the_command_that_help(name, failing, capsys):
    assert failing(MemoryError(), name, "--json") == 1
    assert capsys.readouterr().err == f"striate: out of memory; {LESS_MEMORY[name]}\n"


def test_the_command_that_ran_out_of_memory_is_the_first_word_that_is_one(failing, capsys):
    failing(RuntimeError("CUDA out of memory. Tried"), "--verbose", "train", "summary")
    assert capsys.readouterr().err == "striate: out of memory; try a smaller --batch-size or --size\n"
    failing(MemoryError())
    assert capsys.readouterr().err == "striate: out of memory; it needs a machine with more of it\n"


def test_every_command_can_run_out_of_memory():
    assert LESS_MEMORY.keys() == COMMANDS.keys()


class Gone(io.StringIO):
    """A stream whose reader has left."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.descriptor = descriptor

    def fileno(self) -> int:
        return self.descriptor

    def write(self, text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise BrokenPipeError


@pytest.mark.parametrize("outcome", [None, BrokenPipeError(), StriateError("said to nobody")], ids=repr)
def test_a_reader_who_left_is_no_reason_to_say_anything(outcome, failing, monkeypatch):
    pipes = [os.pipe() for _ in range(2)]
    for name, (read, write) in zip(("stdout", "stderr"), pipes, strict=True):
        os.close(read)
        monkeypatch.setattr(sys, name, Gone(write))
    try:
        assert failing(outcome) == 1
        for _, write in pipes:
            assert os.write(write, b"for nobody") == 10  # no broken pipe when Python takes itself down
    finally:
        for _, write in pipes:
            os.close(write)
