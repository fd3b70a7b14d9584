"""What of a config.json going on needs, field by field, and what is said where the checkpoint is gone."""

import json
import shutil

import pytest

from striate.classifier.resumable import (
    FIELDS,
    READERS,
    identity,
    read_config,
    refuse_other_machine,
    refuse_other_run,
    refuse_without_checkpoint,
)
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


@pytest.mark.parametrize(
    ("field", "taken", "refused"),
    [
        ("seed", [0, 2**32 - 1], [-1, 2**32]),
        ("devices", [1, 1024], [0, 1025]),
        ("workers", [0, 256], [-1, 257]),
        ("val_fraction", [0, 0.999], [-0.1, 1]),
        ("device", ["cpu", "cuda", "mps"], ["auto", "gpu", "tpu"]),
        ("precision", ["32-true", "bf16-mixed", "16-mixed", "64-true"], ["auto", "32", "16-true"]),
    ],
)
def test_each_value_may_be_one_that_training_can_have_had(field, taken, refused, edited):
    for value in taken:
        assert read_config(edited(**{field: value}))[field] == value
    for value in refused:
        with pytest.raises(
            StriateError, match=rf"config\.json: was edited or is another version's \({field}: "
        ) as error:
            read_config(edited(**{field: value}))
        assert "..)" not in str(error.value)
        assert ".)," not in str(error.value)


def test_all_that_is_wrong_is_named(edited):
    with pytest.raises(
        StriateError, match=r"\(seed, workers\), so the run cannot go on\. Bring the file back as it was"
    ):
        read_config(edited(seed="1", workers=None))
    with pytest.raises(
        StriateError, match=r"\(seed: it is -1; .* are possible, workers: it is -2; .* are possible\), so"
    ):
        read_config(edited(seed=-1, workers=-2))


@pytest.mark.parametrize(
    ("dropped", "said"),
    [
        ("dropped: finished after epoch 3", "the training is over and last.ckpt was dropped: finished after epoch 3;"),
        (None, "last.ckpt is gone;"),
    ],
)
def test_a_run_without_its_checkpoint_is_never_overwritten(dropped, said, edited):
    run = edited(**({"checkpoint": dropped} if dropped else {}))
    run.metrics.touch()
    words = f"^{run.path}: {said} so it cannot go on exactly, and is never overwritten. Train a new run: striate train "
    with pytest.raises(StriateError, match=words):
        refuse_without_checkpoint(run, run.read_config())
    run.checkpoint.touch()
    refuse_without_checkpoint(run, run.read_config())


def test_a_checkpoint_goes_with_the_configuration_that_it_was_written_with(run):
    folder = RunFolder(run)
    config = folder.read_config()
    refuse_other_run(folder, config)
    with pytest.raises(StriateError, match=r"last\.ckpt: belongs to another run than .*config\.json describes\.$"):
        refuse_other_run(folder, config | {"seed": 77})
    folder.checkpoint.unlink()
    refuse_other_run(folder, config | {"seed": 77})


def test_a_run_goes_on_where_its_device_is(edited, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    run = edited(source="photos", absolute_source="")
    refuse_other_machine(run, {"device": "cpu"})
    words = (
        f"^{run.path}: was trained on 'cuda', which is not on this machine, so it goes on elsewhere only. Train a new"
    )
    with pytest.raises(StriateError, match=words):
        refuse_other_machine(run, run.read_config() | {"device": "cuda"})
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    refuse_other_machine(run, {"device": "cuda"})


def test_what_decides_a_run_is_told_apart_whatever_the_order_of_names(trained):
    config = json.loads((trained / "config.json").read_text(encoding="utf-8"))
    turned = dict(reversed(config.items())) | {"network": dict(reversed(config["network"].items()))}
    assert identity(turned) == identity(config)
    assert len(identity(config)) == 16
    assert set(identity(config)) <= set("0123456789abcdef")
