"""Running an experiment: each step is an ordinary run, what is done is taken, what was stopped goes on."""

import csv
import json
from dataclasses import replace

import pytest

import striate
from striate.errors import Interrupted, UsageError
from striate.experiments import running
from striate.experiments.shelf import EXPERIMENTS
from striate.experiments.steps import Experiment, Step
from striate.training.intervals import wilson_interval
from striate.training.recipes import Recipe

RECIPE = Recipe(name="tiny", batch_size=8, learning_rate=0.01, warmup_epochs=0)
FIRST = Step(name="first", does="from nothing", claim=0.5, epochs=2, full=3, train={"model": "lenet5", "size": 16})
SECOND = Step(
    name="second", does="from the first", epochs=2, full=3, train={"model": "lenet5", "size": 16}, start="first"
)
THIRD = Step(name="third", does="cannot be done", epochs=1, full=1, missing="no weights")


def filled(asked, _):
    epochs = asked.epochs or 2
    train = {"recipe": RECIPE, "epochs": epochs, "seed": asked.seed}
    return [replace(step, train={**step.train, **train}) for step in (FIRST, SECOND, THIRD)]


@pytest.fixture(autouse=True)
def shelf(monkeypatch):
    """A small experiment called "small"."""
    small = Experiment(
        name="small",
        question="What?",
        source="Nobody (1900)",
        conditions="nothing",
        steps=(FIRST, SECOND, THIRD),
        images=lambda asked: striate.open_dataset(asked.source, seed=asked.seed, val_fraction=1 / 3),
        filled=filled,
    )
    monkeypatch.setitem(EXPERIMENTS, "small", small)


@pytest.fixture(scope="module")
def photos(tmp_path_factory, paint):
    """Two classes that are alike, so that accuracies move from epoch to epoch."""
    return paint(tmp_path_factory.mktemp("two") / "photos", names=("ash", "smoke"), count=12, seed=3)


def run_small(photos, run, **options):
    return striate.experiment("small", photos, run=run, quiet=True, workers=0, **options)


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_says_what_the_run_folders_say(photos, tmp_path):
    results = run_small(photos, tmp_path / "run")
    assert results.done
    first, second, third = results.outcomes
    assert [each.state for each in results.outcomes] == ["done", "done", "missing"]
    assert third.why == "no weights"
    for outcome in (first, second):
        folder = tmp_path / "run" / outcome.name
        metrics, timing = rows(folder / "metrics.csv"), rows(folder / "timing.csv")
        best = max(float(row["val_accuracy"]) for row in metrics)
        assert outcome.accuracy == best
        assert (outcome.low, outcome.high) == wilson_interval(round(best * 8), 8)  # 24 images, one in three
        assert outcome.train_accuracy == float(metrics[-1]["train_accuracy"])
        assert outcome.name != "first" or metrics[0]["train_accuracy"] != metrics[-1]["train_accuracy"]
        assert (outcome.epochs, outcome.of_epochs) == (2, 2)
        spent = sum(float(row["seconds"]) + float(row["validation_seconds"]) for row in timing)
        assert outcome.seconds == pytest.approx(spent)
        assert striate.load(folder).classes == ("ash", "smoke")
    assert json.loads((tmp_path / "run/second/config.json").read_text())["weights"].endswith("first/model.safetensors")
    written = json.loads((tmp_path / "run/experiment.json").read_text())
    assert written.pop("format") == "striate experiment 1"
    assert written == json.loads(json.dumps(results.to_dict()))
    page = (tmp_path / "run/experiment.md").read_text()
    assert f"| first | {first.accuracy:.1%} | {first.low:.1%} to {first.high:.1%} |" in page
    assert "- missing: third: no weights" in page
    assert (tmp_path / "run/curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_step_that_is_done_is_taken_and_others_are_not_overwritten(photos, tmp_path, monkeypatch):
    before = run_small(photos, tmp_path / "run")

    def never(*_, **__):
        raise AssertionError("nothing is to be trained")

    with monkeypatch.context() as patched:
        patched.setattr(running, "train", never)
        patched.setattr(running, "resume", never)
        assert run_small(photos, tmp_path / "run") == before
        with pytest.raises(UsageError, match="step first was begun with epochs 2, and now it would be 3"):
            run_small(photos, tmp_path / "run", epochs=3)
        with pytest.raises(UsageError, match="on other images"):
            run_small(photos, tmp_path / "run", seed=1)


def test_after_ctrl_c_the_same_command_goes_on_to_the_same_weights(photos, tmp_path, monkeypatch):
    whole = run_small(photos, tmp_path / "whole")
    begin = running.train

    def stopped(*arguments, run, **options):
        """In the second step Ctrl-C comes before the first epoch is over."""
        if run.name != "second":
            return begin(*arguments, run=run, **options)
        begin(*arguments, run=run, **options | {"time_limit": 1e-6})
        raise Interrupted("stopped")

    with monkeypatch.context() as patched:
        patched.setattr(running, "train", stopped)
        with pytest.raises(Interrupted, match=r"stopped in step second .* Go on with the same command\.$"):
            run_small(photos, tmp_path / "run")
    written = json.loads((tmp_path / "run/experiment.json").read_text())
    assert [(each["state"], each["why"]) for each in written["steps"]] == [
        ("done", ""),
        ("stopped", "interrupted"),
        ("missing", "no weights"),
    ]
    again = run_small(photos, tmp_path / "run")
    assert [each.accuracy for each in again.outcomes] == [each.accuracy for each in whole.outcomes]
    assert again.done


def test_the_time_limit_leaves_the_rest_for_another_time(photos, tmp_path):
    results = run_small(photos, tmp_path / "run", time_limit=0.001)
    assert not results.done
    assert [(each.name, each.why) for each in results.outcomes[:2]] == [
        ("first", "time limit"),
        ("second", "time limit"),
    ]
    assert run_small(photos, tmp_path / "run").done


def test_a_step_that_the_time_limit_cuts_is_not_done_and_none_starts_from_it(photos, tmp_path, monkeypatch):
    begin = running.train

    def cut(*arguments, **options):
        return begin(*arguments, **options | {"time_limit": 2})

    with monkeypatch.context() as patched:
        patched.setattr(running, "train", cut)
        results = run_small(photos, tmp_path / "run", time_limit=100, epochs=5000)
    first, second, _ = results.outcomes
    assert (first.state, first.why, first.of_epochs) == ("stopped", "time limit", 5000)
    assert 0 < first.epochs < 5000
    assert first.accuracy is not None
    assert (second.state, second.why) == ("waiting", "time limit")
    assert not (tmp_path / "run" / "second").exists()


def test_a_folder_with_something_else_is_left_alone(photos, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(UsageError, match="mine exists already and holds no experiment"):
        run_small(photos, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]
    with pytest.raises(UsageError, match="among the images"):
        run_small(photos, photos / "runs")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"epochs": 2, "full": True}, "give one of them"),
        ({"time_limit": "soon"}, "time_limit soon"),
        ({"size": -1}, "size is -1"),
    ],
)
def test_impossible_values_are_refused_before_anything_is_read(asked, said, tmp_path):
    with pytest.raises(UsageError, match=said):
        run_small(tmp_path / "nowhere", tmp_path / "run", **asked)
    with pytest.raises(UsageError, match=r"unknown experiment 'smal'\. Did you mean 'small'"):
        striate.experiment("smal", tmp_path)
