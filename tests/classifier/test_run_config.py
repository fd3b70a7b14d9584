"""What of a config.json going on needs, field by field, and what a run is told from others by."""

import json
from dataclasses import replace

import pytest

from striate.classifier.run_config import FORMAT, KINDS, READERS, RunConfig, identity
from striate.errors import StriateError, UsageError
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder

#: What config.json must hold, written down a second time.
NEEDED = {
    *("network", "weights", "freeze", "preprocessing", "recipe", "fingerprint", "seed", "device", "devices"),
    *("precision", "workers", "versions", "source", "absolute_source", "val_fraction", "command", "created", "notes"),
}


@pytest.mark.parametrize("field", sorted(NEEDED))
def test_each_field_is_needed_and_of_its_kind(field, edited):
    for run in (edited(without=field), edited(**{field: {"list": 1} if KINDS[field] is list else [1]})):
        with pytest.raises(StriateError, match=rf"config\.json: was edited or is another version's \({field}\)"):
            RunConfig.read(run)


def test_these_fields_are_all():
    assert KINDS.keys() == NEEDED
    read = {"network", "preprocessing", "recipe", "seed", "device", "devices", "precision", "workers", "val_fraction"}
    assert READERS.keys() == read | {
        "classes",
        "notes",
        "task",
        "target",
        "transfer",
        "views",
        "shallow",
        "grown",
        "cache",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("val_fraction", 0),
        ("val_fraction", 0.25),
        ("weights", "imagenet"),
        ("weights", None),
        ("freeze", "all"),
        ("notes", []),
        ("cache", "off"),
    ],
)
def test_values_that_may_stand_there_are_taken(field, value, edited):
    found = getattr(RunConfig.read(edited(**{field: value})), field)
    assert (list(found) if field == "notes" else found) == value


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"network": {"arguments": {}}}, "network: name is missing"),
        ({"network": {"name": "lenet5"}}, "network: arguments is missing"),
        ({"recipe": {"epochs": "many"}}, "recipe: "),
        ({"preprocessing": {}}, "preprocessing: "),
        ({"cache": "tape"}, "cache: unknown cache 'tape'"),
    ],
)
def test_what_is_wrong_inside_a_field_is_named(fields, words, edited):
    with pytest.raises(StriateError, match=words):
        RunConfig.read(edited(**fields))


@pytest.mark.parametrize("format", ["", "striate run 0", None])
def test_a_config_of_another_form_cannot_go_on(format, edited):
    with pytest.raises(StriateError, match="does not say how the run is trained"):
        RunConfig.read(edited(format=format))


def test_no_run_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        RunConfig.read(RunFolder(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("field", "taken", "refused"),
    [
        ("seed", [0, 2**32 - 1], [-1, 2**32]),
        ("devices", [1, 1024], [0, 1025]),
        ("workers", [0, 256], [-1, 257]),
        ("val_fraction", [0, 0.999], [-0.1, 1]),
        ("device", ["cpu", "cuda", "mps"], ["auto", "gpu", "tpu"]),
        ("views", [0, 1000], [-1, 1001]),
        ("shallow", ["svm", "softmax", "cosine"], ["", "forest"]),
        ("precision", ["32-true", "bf16-mixed", "16-mixed", "64-true"], ["auto", "32", "16-true"]),
    ],
)
def test_each_value_may_be_one_that_training_can_have_had(field, taken, refused, edited):
    for value in taken:
        assert getattr(RunConfig.read(edited(**{field: value})), field) == value
    for value in refused:
        with pytest.raises(
            StriateError, match=rf"config\.json: was edited or is another version's \({field}: "
        ) as error:
            RunConfig.read(edited(**{field: value}))
        assert "..)" not in str(error.value)
        assert ".)," not in str(error.value)


def test_all_that_is_wrong_is_named(edited):
    with pytest.raises(
        StriateError, match=r"\(seed, workers\), so the run cannot go on\. Bring the file back as it was"
    ):
        RunConfig.read(edited(seed="1", workers=None))
    with pytest.raises(
        StriateError, match=r"\(seed: it is -1; .* are possible, workers: it is -2; .* are possible\), so"
    ):
        RunConfig.read(edited(seed=-1, workers=-2))


def test_what_decides_a_run_is_told_apart_whatever_the_order_of_names(trained):
    config = json.loads((trained / "config.json").read_text(encoding="utf-8"))
    turned = dict(reversed(config.items())) | {"network": dict(reversed(config["network"].items()))}
    assert identity(turned) == identity(config)
    assert len(identity(config)) == 16
    assert set(identity(config)) <= set("0123456789abcdef")


def test_what_the_classifier_of_features_is_fitted_to_decides_a_run_too(trained):
    config = json.loads((trained / "config.json").read_text(encoding="utf-8"))
    said = [config, *(config | more for more in ({"views": 0}, {"views": 2}, {"shallow": "svm"}))]
    assert len({identity(one) for one in said}) == 4
    assert identity(config | {"shallow": ""}) == identity(config)


def test_what_is_written_is_what_is_read(trained, tmp_path):
    written, config = RunFolder(trained).read_config(), RunConfig.read(RunFolder(trained))
    assert json.loads(json.dumps(config.to_dict())) == written
    assert (written["format"], config.classes) == (FORMAT, ("blue", "green", "red"))
    assert config.threads == written["threads"] > 0
    assert config.identity == identity(written) == identity(json.loads(json.dumps(config.to_dict())))
    dropped = replace(config, checkpoint="dropped: finished after epoch 2")
    RunFolder(tmp_path).write_config(dropped.to_dict())
    assert RunConfig.read(RunFolder(tmp_path)) == dropped != config


def test_a_run_of_the_first_form_goes_on_and_stays_the_same_run(edited, trained):
    """Its recipe lacks the fields that came later; what it is told by is what its checkpoint was written with."""
    written = RunFolder(trained).read_config()
    recipe = {name: value for name, value in written["recipe"].items() if name != "clip_norm"}
    older = RunConfig.read(edited(without="classes", format="striate run 1", recipe=recipe))
    assert older.recipe == Recipe.from_dict(written["recipe"])
    assert older.identity == identity(written | {"recipe": recipe}) != RunConfig.read(RunFolder(trained)).identity
    assert older.classes == ()
