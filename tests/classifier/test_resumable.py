"""What of a config.json going on needs, field by field, and what is said where the checkpoint is gone."""

import json
import shutil

import pytest

from striate.classifier.resumable import FIELDS, READERS, read_config, refuse_without_checkpoint
from striate.errors import StriateError, UsageError
from striate.training.run_folder import RunFolder

#: What config.json must hold, written down a second time.
NEEDED = {
    *("network", "weights", "freeze", "preprocessing", "recipe", "fingerprint", "seed", "device", "devices"),
    *("precision", "workers", "versions", "source", "absolute_source", "val_fraction", "command", "created", "notes"),
}


@pytest.fixture
def edited(trained, tmp_path):
    """A run folder with these fields of its config.json set, and without one: edited(without="", **fields)."""

    def edit(without: str = "", **fields) -> RunFolder:
        config = json.loads((trained / "config.json").read_text(encoding="utf-8")) | fields
        config.pop(without, None)
        (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
        return RunFolder(tmp_path)

    return edit


@pytest.mark.parametrize("field", sorted(NEEDED))
def test_each_field_is_needed_and_of_its_kind(field, edited):
    for run in (edited(without=field), edited(**{field: {"list": 1} if FIELDS[field] is list else [1]})):
        with pytest.raises(StriateError, match=rf"config\.json: was edited or is another version's \({field}\)"):
            read_config(run)


def test_these_fields_are_all():
    assert FIELDS.keys() == NEEDED
    read = {"network", "preprocessing", "recipe", "seed", "device", "devices", "precision", "workers", "val_fraction"}
    assert READERS.keys() == read


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("val_fraction", 0),
        ("val_fraction", 0.25),
        ("weights", "imagenet"),
        ("weights", None),
        ("freeze", "all"),
        ("notes", []),
    ],
)
def test_values_that_may_stand_there_are_taken(field, value, edited):
    assert read_config(edited(**{field: value}))[field] == value


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"network": {"arguments": {}}}, "network: name is missing"),
        ({"network": {"name": "lenet5"}}, "network: arguments is missing"),
        ({"recipe": {"epochs": "many"}}, "recipe: "),
        ({"preprocessing": {}}, "preprocessing: "),
    ],
)
def test_what_is_wrong_inside_a_field_is_named(fields, words, edited):
    with pytest.raises(StriateError, match=words):
        read_config(edited(**fields))


@pytest.mark.parametrize("format", ["", "striate run 0", None])
def test_a_config_of_another_form_cannot_go_on(format, edited):
    with pytest.raises(StriateError, match="does not say how the run is trained"):
        read_config(edited(format=format))


def test_no_run_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        read_config(RunFolder(tmp_path / "nowhere"))


@pytest.mark.parametrize(("absolute", "named"), [("/my photos", "'/my photos'"), ("", "digits")])
def test_the_command_that_starts_anew_is_one_a_shell_takes(absolute, named, edited, trained):
    run = edited(source="digits", absolute_source=absolute)
    shutil.copy(trained / "model.safetensors", run.model)
    with pytest.raises(StriateError) as error:
        refuse_without_checkpoint(run, run.read_config())
    assert f"striate train {named} --model lenet5 --weights {run.model}" in str(error.value)
    assert f"{run.path}: last.ckpt is gone" in str(error.value)
    run.model.unlink()
    run.metrics.write_text("epoch\n1\n")
    with pytest.raises(StriateError, match=rf"Train a new run: striate train {named}$"):
        refuse_without_checkpoint(run, run.read_config())
    run.metrics.unlink()
    refuse_without_checkpoint(run, run.read_config())  # nothing was trained, so nothing is lost
