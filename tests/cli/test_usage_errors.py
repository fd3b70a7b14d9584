"""Wrong usage: one line, exit code 2, and no folder left behind."""

from pathlib import Path

import pytest

#: What is wrong with a `striate train` of good data, and what its line must say.
WRONG = {
    "network": (["--model", "resnet_20_cifr"], ["unknown network 'resnet_20_cifr'", "Did you mean 'resnet"]),
    "recipe": (["--recipe", "finetun"], ["unknown recipe 'finetun'", "'finetune'"]),
    "device": (["--device", "tpu"], ["device 'tpu' is unknown", "cpu"]),
    "precision": (["--precision", "8"], ["precision '8' is unknown", "bf16"]),
    "workers": (["--workers", "-1"], ["--workers is -1"]),
    "time limit": (["--time-limit", "soon"], ["--time-limit soon", "90s"]),
    "batch larger than the data": (["--batch-size", "100000"], ["100000", "27 images", "--batch-size 6"]),
    "batch of none": (["--batch-size", "0"], ["--batch-size is 0"]),
    "no epochs": (["--epochs", "0"], ["--epochs is 0"]),
    "rate": (["--lr", "-1"], ["--lr is -1"]),
    "size": (["--size", "0"], ["--size is 0"]),
    "seed": (["--seed", "-1"], ["--seed is -1"]),
    "time below zero": (["--time-limit=-5"], ["--time-limit -5", "90s"]),
    "word for a number": (["--epochs", "many"], ["--epochs", "integer"]),
    "field": (["--set", "augment.rotat=3"], ["unknown field 'augment.rotat'", "'augment.rotate'"]),
    "field's value": (["--set", "epochs=many"], ["epochs=many", "a whole number"]),
    "field without value": (["--set", "epochs"], ["--set epochs", "name=value"]),
    "option": (["--option", "shortcut=B"], ["shortcut"]),
    "part to freeze": (["--freeze", "stage9"], ["unknown stage of lenet5 'stage9'"]),
    "weights": (["--weights", "imagenet"], ["lenet5 has no published weights"]),
    "validation share": (["--val-fraction", "2"], ["--val-fraction", "not 2"]),
    "devices": (["--devices", "0"], ["--devices is 0"]),
    "uneven batches": (["--devices", "3", "--batch-size", "4"], ["batch of 4", "3 devices"]),
    "extension of nothing": (["--extend", "3"], ["--resume RUN"]),
    "new place of nothing": (["--data", "there"], ["--data", "--resume RUN"]),
    "flag": (["--epoch", "3"], ["No such option: --epoch", "--epochs"]),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_usage_is_one_line_that_mends_it(wrong, cli, colours):
    arguments, words = WRONG[wrong]
    outcome = cli("train", colours, "--model", "lenet5", *arguments)
    assert outcome.code == 2
    line = outcome.line()
    for word in words:
        assert word in line
    assert not list(Path.cwd().iterdir())


def test_bad_requests_are_refused_before_the_data_is_opened(cli, tmp_path):
    outcome = cli("train", tmp_path / "nowhere", "--recipe", "nonsense")
    assert outcome.code == 2
    assert "unknown recipe" in outcome.line()


@pytest.mark.parametrize(("network", "least"), [("lenet5", "12x12"), ("keras_mnist", "18x18")])
def test_images_smaller_than_the_network_takes_name_the_size(network, least, cli, colours):
    outcome = cli("train", colours, "--model", network, "--size", 8)
    assert outcome.code in (1, 2)
    assert f"the smallest it takes is {least}" in outcome.line()
    assert "8x8" in outcome.line()


def test_small_pictures_are_enlarged_for_a_network_that_needs_more(cli, paint, tmp_path):
    tiny = paint(tmp_path / "tiny", side=4)
    outcome = cli("train", tiny, "--model", "lenet5", "--epochs", 1, "--workers", 0)
    assert outcome.code == 0
    assert "lenet5 at 28x28" in outcome.err


def test_no_source_and_no_run(cli):
    outcome = cli("train")
    assert outcome.code == 2
    assert "striate train FOLDER" in outcome.line()


@pytest.mark.parametrize("flag", ["--seed", "--device", "--epochs", "--lr", "--run"])
def test_a_run_goes_on_as_it_began(flag, cli, run):
    outcome = cli("train", "--resume", run, flag, "1")
    assert outcome.code == 2
    assert f"{flag} cannot be given with --resume" in outcome.line()


def test_resume_of_no_run(cli, tmp_path, colours):
    for folder, words in ((tmp_path / "nowhere", "does not exist"), (colours, "is no run folder")):
        outcome = cli("train", "--resume", folder)
        assert outcome.code == 2
        assert words in outcome.line()
    assert not (colours / ".lock").exists()


def test_an_existing_folder_is_never_overwritten(cli, colours, run, tmp_path):
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    outcome = cli("train", colours, "--run", run, "--model", "lenet5")
    assert outcome.code == 2
    assert f"--resume {run}" in outcome.line()
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()} == before

    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "todo.txt").write_text("water the plants")
    outcome = cli("train", colours, "--run", tmp_path / "notes", "--model", "lenet5")
    assert outcome.code == 2
    assert "never overwritten" in outcome.line()
    assert "--resume" not in outcome.line()
    assert [path.name for path in (tmp_path / "notes").iterdir()] == ["todo.txt"]


def test_unknown_command_and_network(cli):
    outcome = cli("trian")
    assert outcome.code == 2
    assert "Did you mean" in outcome.line()
    outcome = cli("summary", "resnet_18x")
    assert outcome.code == 2
    assert "'resnet_18'" in outcome.line()
    assert cli("models", "zzz*").code == 2
    assert cli("predict").code == 2
