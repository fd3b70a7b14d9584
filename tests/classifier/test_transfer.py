"""train --transfer: what each regime trains, what it begins with, and what it leaves alone."""

import csv
import json
import math
import re
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import striate
from striate.classifier import beginning as beginning_module
from striate.classifier import deciding, execution, preparing, runs
from striate.classifier.taking import TimeIsUp
from striate.data import open_dataset, remembered
from striate.errors import StriateError, UsageError
from striate.training.checkpoints import load_checkpoint, load_state_alone
from striate.training.divergence import Diverged
from striate.training.metrics import Evaluation
from striate.training.model_file import load_model
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder
from striate.training.tasks import MultiLabel, SingleLabel
from striate.transfer import copies
from striate.transfer.head import UnfitHead, check_head

SMALL = {"quiet": True, "report": False, "workers": 0}


def weights(run):
    return load_file(run / "model.safetensors")


def rows(run):
    with open(run / "metrics.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def notes(run):
    return json.loads((run / "config.json").read_text(encoding="utf-8"))


def test_the_batch_is_told_of_where_there_are_steps_and_as_what_might_be_where_there_may_be(source, photos, tmp_path):
    told = {}
    for transfer in ("features", "auto", "full"):
        run = tmp_path / transfer
        settings = {} if transfer == "features" else {"epochs": 1}
        striate.train(photos, weights=source, transfer=transfer, run=run, settings=settings, **SMALL)
        told[transfer] = [note.partition(", since")[0] for note in notes(run)["notes"] if "batches of" in note]
    usual = "batches of 2 images"
    assert told == {"features": [], "auto": [f"should it be trained: {usual}"], "full": [usual]}


def test_large_photographs_are_known_again_wherever_they_are_decoded(source, tmp_path, monkeypatch):
    """Their features are of what a decoder gives at an eighth of the size, in memory or not, the second time too."""
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(remembered, "SETTLED", -(10**12))
    rng, photos = np.random.default_rng(0), tmp_path / "photos"
    for label, level in (("dark", 60), ("light", 160)):
        (photos / label).mkdir(parents=True)
        for row in range(10):
            pixels = rng.integers(0, 60, (600, 800, 3), np.uint8) + np.uint8(level)
            Image.fromarray(pixels).save(photos / label / f"{row}.jpg")
    said = []
    for limit in (None, None, 0):
        run = tmp_path / f"run{len(said)}"
        data = open_dataset(photos, remember=True, memory_limit=limit)
        said.append(striate.train(data, weights=source, transfer="features", run=run, **SMALL).evaluation.probabilities)
    np.testing.assert_array_equal(said[0], said[1])
    np.testing.assert_array_equal(said[0], said[2])


def test_hidden_layers_of_ones_own_have_no_features_to_classify(source, photos, tmp_path, capsys):
    hidden = {"weights": source, "options": {"hidden": [8]}, **SMALL}
    with pytest.raises(UnfitHead, match="would be random, so there are no features") as refused:
        striate.train(photos, model="resnet20_cifar", transfer="features", run=tmp_path / "run", **hidden)
    assert "head.dense1" in str(refused.value)
    assert not (tmp_path / "run").exists()
    settings = {"epochs": 1}
    striate.train(photos, model="resnet20_cifar", transfer="head", run=tmp_path / "run", settings=settings, **hidden)
    assert [row["epoch"] for row in rows(tmp_path / "run")] == ["1"]


def test_a_time_limit_that_passes_while_features_are_taken_loses_none(source, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("striate.transfer.features.images_at_once", lambda *given, **options: 4)
    ours = {"weights": source, "transfer": "features", "run": tmp_path / "run", **SMALL}
    with pytest.raises(TimeIsUp, match=r"^the time limit passed when 4 of 36 train images had gone through"):
        striate.train(photos, time_limit=1e-6, **ours)
    assert not (tmp_path / "run").exists()
    striate.train(photos, **ours | {"quiet": False})
    assert "; 4 were known; " in capsys.readouterr().err


def test_training_has_the_time_that_the_features_left(source, photos, tmp_path, monkeypatch):
    begin = execution.begin

    def slowly(*given):
        time.sleep(0.3)
        return begin(*given[:-1])

    monkeypatch.setattr(execution, "begin", slowly)
    run = tmp_path / "run"
    found = striate.train(photos, weights=source, transfer="full", time_limit=0.2, run=run, **SMALL)
    assert found.evaluation.top1 == 1.0
    position = load_state_alone(run / "last.ckpt")["position"]
    assert (position["step"], position["stopped_by"]) == (1, "time limit")


def test_what_comes_before_it_is_of_its_time_as_well(photos, tmp_path, monkeypatch):
    plan = runs.plan_run

    def slowly(*given):
        time.sleep(0.5)
        return plan(*given)

    monkeypatch.setattr(runs, "plan_run", slowly)
    given = {"model": "lenet5", "transfer": "scratch", "epochs": 1000, **SMALL}
    striate.train(photos, time_limit=0.5, run=tmp_path / "run", **given)
    position = load_state_alone(tmp_path / "run" / "last.ckpt")["position"]
    assert (position["step"], position["stopped_by"]) == (1, "time limit")


def test_features_are_a_linear_classifier_of_the_network_as_it_was(source, photos, tmp_path):
    found = striate.train(photos, weights=source, transfer="features", run=tmp_path / "run", **SMALL)
    before, after = weights(source), weights(tmp_path / "run")
    assert after["head.classifier.weight"].shape[0] == 2
    assert all(torch.equal(before[name], after[name]) for name in before if not name.startswith("head.classifier"))
    assert found.evaluation.top1 == 1.0
    again = striate.load(tmp_path / "run").evaluate(photos)
    assert again.loss == pytest.approx(found.evaluation.loss, rel=1e-3)
    assert again.split == found.evaluation.split == "val"
    (row,) = rows(tmp_path / "run")
    assert (row["epoch"], row["train_loss"]) == ("0", "")
    assert float(row["val_accuracy"]) == 1.0
    config = notes(tmp_path / "run")
    assert (config["transfer"], config["freeze"]) == ("features", "all")


def test_the_classifier_is_the_one_of_its_features(source, photos, tmp_path):
    found = striate.train(photos, weights=source, transfer="features", run=tmp_path / "run", **SMALL)
    network, _ = load_model(source / "model.safetensors")
    fresh = striate.load(tmp_path / "run")
    pictures = sorted(photos.rglob("*.png"))
    vectors = torch.from_numpy(striate.Classifier(network, found.description).embed(pictures))
    layer = fresh.model.last_layer
    with torch.no_grad():
        expected = layer(vectors).softmax(1).numpy()
    np.testing.assert_allclose(fresh.predict_proba(pictures), expected, atol=1e-4)


@pytest.mark.parametrize(("regime", "moves"), [("head", "head"), ("top", "stages.stage3"), ("full", "stem")])
def test_regimes_that_train_begin_with_it_and_move_what_they_should(source, photos, tmp_path, regime, moves, capsys):
    run = tmp_path / "run"
    options = {**SMALL, "quiet": False}
    striate.train(photos, weights=source, transfer=regime, epochs=1, run=run, settings={"average": 0}, **options)
    said = capsys.readouterr().err
    assert "features of 184 images (with 4 augmented copies of each to train on) by resnet20_cifar" in said
    assert f"transfer '{regime}', recipe 'transfer_" in said
    before = weights(source)
    moved = _moved(before, run)
    frozen = {"head": ("stem.", "stages."), "top": ("stem.", "stages.stage1."), "full": ()}[regime]
    assert any(name.startswith(moves) for name in moved)
    assert not any(name.startswith(frozen) for name in moved) if frozen else True
    config = notes(run)
    assert config["transfer"] == regime
    if frozen:
        assert config["freeze"] is not None


def _moved(before, run):
    """Names of the tensors that the checkpoint has otherwise than the source."""
    tensors, _ = load_checkpoint(run / "last.ckpt")
    after = {name.removeprefix("model/"): tensor for name, tensor in tensors.items() if name.startswith("model/")}
    return {name for name, tensor in after.items() if name in before and not torch.equal(tensor, before[name])}


def test_the_best_is_kept_also_where_it_is_the_beginning(source, photos, tmp_path, monkeypatch, capsys):
    """At an absurd rate nothing gets better than the features were."""
    run = tmp_path / "run"
    monkeypatch.setattr("striate.training.divergence.Guard.check_losses", lambda *given, **more: None)
    monkeypatch.setattr("striate.training.divergence.Guard.check_epochs", lambda *given, **more: None)
    settings = {"learning_rate": 1.0, "average": 0, "warmup_epochs": 0, "optimizer": "sgd"}
    given = {**SMALL, "quiet": False, "report": True}
    found = striate.train(photos, weights=source, transfer="full", epochs=2, settings=settings, run=run, **given)
    assert found.description.metrics["epoch"] == 0
    told = "Kept is the classifier of features that it began with, accuracy 100.00%: no epoch was better."
    assert told in capsys.readouterr().err
    assert told in (run / "report.html").read_text(encoding="utf-8")
    assert found.evaluation.top1 == 1.0
    assert [row["epoch"] for row in rows(run)] == ["1", "2"]


WILD = {"learning_rate": 100.0, "optimizer": "sgd", "average": 0, "clip_norm": 0, "warmup_epochs": 0}


@pytest.mark.parametrize(
    ("rate", "clip", "how"), [(10.0, 1.0, "rose above 3"), (100.0, 0, "became infinite or not a number")]
)
def test_fine_tuning_that_diverges_begins_again_lower(source, photos, tmp_path, monkeypatch, rate, clip, how):
    run = tmp_path / "run"
    monkeypatch.setattr("striate.classifier.lowering.LOWER", 1e-3 / rate)
    settings = {**WILD, "learning_rate": rate, "clip_norm": clip}
    found = striate.train(photos, weights=source, transfer="full", epochs=2, settings=settings, run=run, **SMALL)
    assert found.evaluation.top1 == 1.0
    (note,) = [note for note in notes(run)["notes"] if "began again" in note]
    assert re.search(rf"^the loss {how} in epoch 1, by step .*: it began again at a lower rate, 0.001$", note)
    assert notes(run)["recipe"]["learning_rate"] == pytest.approx(1e-3)
    assert [row["epoch"] for row in rows(run)] == ["1", "2"]
    striate.resume(run, extend=1, quiet=True, report=False)
    assert len(rows(run)) == 3


def test_what_diverges_at_every_rate_keeps_its_features(source, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("striate.classifier.lowering.LOWER", 1.0)
    run, given = tmp_path / "run", {**SMALL, "quiet": False}
    found = striate.train(photos, weights=source, transfer="full", settings=WILD, run=run, **given)
    assert found.evaluation.top1 == 1.0
    said = notes(run)
    assert len([note for note in said["notes"] if "began again" in note]) == 3
    assert said["notes"][-1].endswith("kept is the classifier of the features that it began with")
    assert said["notes"][-1] in capsys.readouterr().err
    assert (said["transfer"], said["views"]) == ("features", copies.VIEWS)
    assert not (run / "last.ckpt").exists()
    assert striate.load(run).evaluate(photos).top1 == 1.0
    with pytest.raises(StriateError, match="fitted to the end"):
        striate.resume(run, quiet=True)


def test_what_diverges_and_began_with_no_features_is_told(photos, tmp_path, monkeypatch, source):
    monkeypatch.setattr("striate.classifier.lowering.LOWER", 1.0)
    monkeypatch.setattr(execution, "_begin", lambda *given: None)
    with pytest.raises(Diverged, match="Train again with a lower"):
        striate.train(photos, weights=source, transfer="full", settings=WILD, run=tmp_path / "run", **SMALL)


@pytest.mark.parametrize(
    ("task", "loss", "guessing"),
    [
        (SingleLabel(("a", "b", "c")), "own", math.log(3)),
        (SingleLabel(("a",)), "own", math.log(2)),
        (SingleLabel(("a", "b", "c")), "squared_error", math.inf),
        (MultiLabel(("a", "b", "c")), "own", math.inf),
    ],
)
def test_what_guessing_gives_is_known_of_cross_entropy(source, task, loss, guessing):
    config = SimpleNamespace(recipe=Recipe(loss=loss))
    assert preparing._guessing(task, config, SimpleNamespace(loss="cross_entropy")) == guessing


def test_another_optimizer_has_the_decay_that_is_usual_with_it(source, photos, tmp_path):
    given = {"weights": source, "transfer": "full", "epochs": 1, **SMALL}
    for number, (settings, decay) in enumerate(
        [
            ({"optimizer": "sgd"}, 5e-4),
            ({"optimizer": "sgd", "weight_decay": 0.02}, 0.02),
            ({"optimizer": "adamw"}, 0.05),
        ]
    ):
        run = tmp_path / f"run{number}"
        striate.train(photos, settings=settings, run=run, **given)
        assert notes(run)["recipe"]["weight_decay"] == decay
        told = [note for note in notes(run)["notes"] if "weight decay" in note]
        line = "weight decay 0.0005, as is usual with sgd; the recipe's 0.05 is for adamw"
        assert told == ([line] if decay == 5e-4 else [])


@pytest.mark.sampled
@pytest.mark.parametrize("regime", ["head", "full"])
def test_a_run_that_was_stopped_goes_on_bit_for_bit(source, photos, tmp_path, regime):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    common = {"weights": source, "transfer": regime, "epochs": 2, **SMALL}
    striate.train(photos, run=whole, **common)
    striate.train(photos, run=parts, time_limit=0.001, **common)
    for _ in range(80):
        if (parts / "metrics.csv").exists() and len(rows(parts)) == 2:
            break
        striate.resume(parts, quiet=True, report=False, time_limit=0.001)
    assert (parts / "metrics.csv").read_text() == (whole / "metrics.csv").read_text()
    first, second = weights(whole), weights(parts)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_finished_classifier_of_features_has_nothing_to_go_on_with(source, photos, tmp_path):
    striate.train(photos, weights=source, transfer="features", run=tmp_path / "run", **SMALL)
    with pytest.raises(StriateError, match="its classifier was fitted to the end"):
        striate.resume(tmp_path / "run", quiet=True)


def test_scratch_starts_from_nothing_and_takes_no_weights(source, photos, tmp_path):
    with pytest.raises(UsageError, match="transfer is scratch"):
        striate.train(photos, weights=source, transfer="scratch", run=tmp_path / "run", **SMALL)
    with pytest.raises(UsageError, match="transfer 'feature'"):
        striate.train(photos, weights=source, transfer="feature", run=tmp_path / "run", **SMALL)
    found = striate.train(photos, model="lenet5", transfer="scratch", epochs=1, run=tmp_path / "run", **SMALL)
    assert "transfer" not in notes(tmp_path / "run")
    assert found.model.weights_source is None


def test_a_head_that_is_not_linear_in_the_features_is_refused(paint, tmp_path):
    with pytest.raises(UnfitHead, match=r"differ by 0\.5 of the largest"):
        check_head("it", np.array([[1.0, 1.0]], np.float32), np.array([[2.0, 1.0]], np.float32))
    photos = paint(tmp_path / "photos", names=["red", "blue"], count=6, side=40)
    source = tmp_path / "source"
    striate.train(photos, model="squeezenet1_0", epochs=1, size=40, run=source, **SMALL)
    with pytest.raises(UnfitHead, match="--transfer head trains it"):
        striate.train(photos, weights=source, transfer="features", run=tmp_path / "run", **SMALL)
    assert not (tmp_path / "run").exists()
    found = striate.train(photos, weights=source, transfer="head", epochs=1, run=tmp_path / "run", **SMALL)
    assert found.description.metrics["epoch"] == 1


def test_a_run_that_is_killed_before_its_first_epoch_goes_on(source, photos, tmp_path, monkeypatch):
    """Wherever between the classifier of features and the first step it dies."""
    common = {"weights": source, "transfer": "full", "epochs": 1, **SMALL}
    striate.train(photos, run=tmp_path / "whole", **common)
    for number, name in enumerate(("prepare", "saver")):
        run = tmp_path / f"run{number}"
        with monkeypatch.context() as patch:
            patch.setattr(execution, name, lambda *given: (_ for _ in ()).throw(RuntimeError("killed")))
            patch.setattr(RunFolder, "remove_if_unstarted", lambda folder: None)
            with pytest.raises(RuntimeError):
                striate.train(photos, run=run, **common)
        striate.resume(run, quiet=True, report=False)
        assert (run / "metrics.csv").read_text() == (tmp_path / "whole" / "metrics.csv").read_text()


def test_batch_norms_keep_their_statistics_and_learn_scale_and_shift(source, photos, tmp_path):
    striate.train(photos, weights=source, transfer="full", epochs=1, run=tmp_path / "run", **SMALL)
    before, _ = load_model(source / "model.safetensors")
    tensors, _ = load_checkpoint(tmp_path / "run" / "last.ckpt")
    norms = [name for name, module in before.named_modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for name in norms:
        for kept in ("running_mean", "running_var"):
            assert torch.equal(tensors[f"model/{name}.{kept}"], before.get_buffer(f"{name}.{kept}"))
    assert any(
        not torch.equal(tensors[f"model/{name}.weight"], before.get_parameter(f"{name}.weight")) for name in norms
    )


@pytest.mark.parametrize(("far", "regime"), [(0.01, "features"), (0.3, "full")])
def test_auto_does_what_suits_the_images(source, photos, tmp_path, monkeypatch, capsys, far, regime):
    monkeypatch.setattr(deciding, "distance_of", lambda *given: far)
    # The colours are told apart by their features already, after which nothing would be trained.
    monkeypatch.setattr(Evaluation, "score", 0.9)
    given = {"settings": {"epochs": 1}, **SMALL, "quiet": False}
    striate.train(photos, weights=source, transfer="auto", run=tmp_path / "run", **given)
    assert notes(tmp_path / "run")["transfer"] == {"features": "features", "full": "auto"}[regime]
    assert (tmp_path / "run" / "last.ckpt").exists() == (regime == "full")
    told = capsys.readouterr().err
    alike = "like" if regime == "features" else "far from"
    assert f"transfer auto: {regime}, for 18 images a class, {alike} those of the pretraining" in told
    advice = RunFolder(tmp_path / "run").read_advice()
    assert advice["choice"]["regime"] == regime
    (network,) = advice["networks"]
    assert (network["network"], network["images"], network["distance"]) == ("resnet20_cifar", 36, far)
    assert [*network["stages"]] == ["stage1", "stage2", "features"]
    assert re.search(r"forecast: features 1?\d\d\.\d% in [^,]+, head [^,]+, top [^,]+, full [^,]+$", told, re.MULTILINE)


@pytest.mark.parametrize(
    ("limit", "longest", "regime"), [(0, 1e-3, "features"), (0, 1e9, "full"), ("1h", 1e-3, "full")]
)
def test_auto_begins_no_training_that_takes_too_long(
    source, photos, tmp_path, monkeypatch, capsys, limit, longest, regime
):
    monkeypatch.setattr(deciding, "distance_of", lambda *given: 0.3)
    monkeypatch.setattr(deciding, "LONGEST", longest)
    monkeypatch.setattr(Evaluation, "score", 0.9)
    given = {"settings": {"epochs": 1}, **SMALL, "quiet": False, "time_limit": limit}
    striate.train(photos, weights=source, transfer="auto", run=tmp_path / "run", **given)
    assert (tmp_path / "run" / "last.ckpt").exists() == (regime == "full")
    assert RunFolder(tmp_path / "run").read_advice()["choice"]["regime"] == regime
    assert ("; transfer='full' would come to " in capsys.readouterr().err) == (regime == "features")


def test_auto_stops_where_nothing_is_left_to_gain(source, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(deciding, "distance_of", lambda *given: 0.3)
    found = striate.train(photos, weights=source, run=tmp_path / "run", **SMALL)
    assert found.evaluation.top1 == 1.0
    assert not (tmp_path / "run" / "last.ckpt").exists()
    assert notes(tmp_path / "run")["transfer"] == "features"


def test_features_that_were_kept_are_compared_with_the_network(source, photos, tmp_path, monkeypatch):
    """What the cache gives is not what the network gives: refused, and nothing is left."""
    real = beginning_module.Extractor.take
    monkeypatch.setattr(
        beginning_module.Extractor,
        "take",
        lambda self, split, **told: type(taken := real(self, split, **told))(taken.values * 1.5, taken.columns),
    )
    with pytest.raises(UnfitHead):
        striate.train(photos, weights=source, transfer="features", run=tmp_path / "run", **SMALL)
    assert not (tmp_path / "run").exists()


def test_augmented_copies_are_taken_once_and_fitted_to(source, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    fit, together = beginning_module.fit_once, []
    monkeypatch.setattr(
        beginning_module, "fit_once", lambda *given, **more: together.append(more["copies"]) or fit(*given, **more)
    )
    given = {"weights": source, "transfer": "features", "settings": {"augment.rotate": 20}, **SMALL, "quiet": False}
    plain = striate.train(photos, run=tmp_path / "plain", views=0, **given)
    capsys.readouterr()
    found = striate.train(photos, run=tmp_path / "run", views=2, **given)
    told = capsys.readouterr().err
    assert (
        "features of 112 images (with 2 augmented copies of each to train on) by resnet20_cifar; 40 were known" in told
    )
    assert together == [1, 3]  # no copy is predicted by what was fitted to another of the same image
    assert not torch.equal(found.model.last_layer.weight, plain.model.last_layer.weight)
    assert notes(tmp_path / "run")["views"] == found.description.recipe["views"] == 2
    striate.train(photos, run=tmp_path / "again", views=2, **given)
    assert "112 were known" in capsys.readouterr().err
    assert weights(tmp_path / "again").keys() == weights(tmp_path / "run").keys()
    assert all(torch.equal(one, weights(tmp_path / "run")[name]) for name, one in weights(tmp_path / "again").items())
    # of other strengths they are others
    striate.train(photos, run=tmp_path / "other", views=1, **given | {"settings": {"augment.rotate": 21}})
    assert "features of 76 images (with 1 augmented copy of each to train on) by resnet20_cifar; 40 were known" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("transfer", "work", "views"),
    [("features", 3.6e8, 0), ("features", 7.5e8, 2), ("features", 1e11, 4), ("head", 0, 4), ("auto", 0, 0)],
)
def test_as_many_copies_are_taken_as_cost_little_or_begin_a_training(
    source, photos, tmp_path, monkeypatch, capsys, transfer, work, views
):
    """ResNet-20 takes 10.2 million multiply-adds for an image of 16 pixels, so 368 million for 36."""
    monkeypatch.setattr(copies, "CHEAP", work)
    monkeypatch.setattr(deciding, "distance_of", lambda *given: 0.01)
    settings = {"epochs": 1} if transfer == "head" else None
    given = {**SMALL, "quiet": False}
    striate.train(photos, weights=source, transfer=transfer, settings=settings, run=tmp_path / "run", **given)
    told = f" (with {views} augmented copies of each to train on)" if views else ""
    if transfer != "head":
        assert notes(tmp_path / "run")["views"] == views
    assert f"features of {40 + 36 * views} images{told} by resnet20_cifar" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "told"), [("softmax", "softmax, strength"), ("svm", "svm, strength"), ("cosine", "nearest class mean")]
)
def test_the_classifier_of_features_can_be_chosen(source, photos, tmp_path, capsys, kind, told):
    found = striate.train(
        photos, weights=source, transfer="features", shallow=kind, run=tmp_path / "run", **SMALL | {"quiet": False}
    )
    assert f"a linear classifier of them ({'the ' if kind == 'cosine' else ''}{told}" in capsys.readouterr().err
    assert notes(tmp_path / "run")["shallow"] == found.description.recipe["shallow"] == kind


def test_a_classifier_of_features_is_refused_where_there_are_none(source, photos, tmp_path):
    given = {"run": tmp_path / "run", **SMALL}
    with pytest.raises(UsageError, match="unknown shallow classifier 'forest'"):
        striate.train(photos, weights=source, transfer="features", shallow="forest", **given)
    with pytest.raises(UsageError, match="views is -1"):
        striate.train(photos, weights=source, transfer="features", views=-1, **given)
    with pytest.raises(UsageError, match="and transfer is scratch"):
        striate.train(photos, transfer="scratch", views=2, **given)
    with pytest.raises(UsageError, match="pretrained features, and this run has none"):
        striate.train(photos, model="lenet5", shallow="svm", **given)
    table = tmp_path / "values.csv"
    lines = [f"{path},{number}.5" for number, path in enumerate(sorted(photos.rglob("*.png")))]
    table.write_text("\n".join(["image,label", *lines]), encoding="utf-8")
    with pytest.raises(UsageError, match="shallow is svm, which is for one class an image"):
        striate.train(table, task="regression", weights=source, transfer="features", shallow="svm", **given)
    assert not (tmp_path / "run").exists()


def test_the_report_keeps_the_evidence(source, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(deciding, "distance_of", lambda *given: 0.01)
    striate.train(photos, weights=source, transfer="auto", run=tmp_path / "run", **SMALL | {"report": True})
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Why it was trained so" in page
    assert "features (chosen)" in page
    assert "Linear probes of 36 training images" in page
