"""What a run folder says of auxiliary heads, early stopping, precision and time, from `train` to `load`."""

import json

import numpy as np
import pytest
import torch

import striate
from striate.classifier import resume, train
from striate.classifier.plan import plan_run
from striate.classifier.request import Request
from striate.classifier.run_config import identity
from striate.data import open_dataset
from striate.errors import UsageError
from striate.training.checkpoints import load_checkpoint

#: GoogLeNet with the stem for large images, which on small ones costs little: two steps.
TINY = {"size": 32, "options": {"stem": "paper"}, "epochs": 1, "batch_size": 13}


@pytest.fixture(scope="module")
def heads(colours, tmp_path_factory):
    """A run of GoogLeNet on images of 32x32, its auxiliary heads built because a weight was asked for."""
    run = tmp_path_factory.mktemp("runs") / "heads"
    chosen = {"auxiliary_weight": 0.2, "average": 0.9}
    train(
        colours,
        model="googlenet_bn",
        **TINY,
        settings=chosen,
        run=run,
        quiet=True,
        workers=0,
        device="cpu",
        precision="32",
    )
    return run


def test_all_auxiliary_parameters_have_changed(heads):
    config = json.loads((heads / "config.json").read_text())
    assert config["recipe"]["auxiliary_weight"] == 0.2
    assert config["network"]["arguments"]["auxiliary"] is True
    torch.manual_seed(config["seed"])
    first = striate.create_model(config["network"]["name"], **config["network"]["arguments"])
    tensors = load_checkpoint(heads / "last.ckpt")[0]
    saved = striate.load(heads).model.state_dict()
    names = [name for name, _ in first.named_parameters() if name.startswith("auxiliary.")]
    assert sum(first.get_parameter(name).numel() for name in names) > 4_000_000
    for name in names:
        values = first.get_parameter(name)
        for trained in (tensors[f"model/{name}"], tensors[f"average/{name}"], saved[name]):
            assert trained.ne(values).any(), name


def test_the_result_predicts_without_its_heads_and_the_report_shows_their_losses(heads, colours):
    classifier = striate.load(heads)
    for head in classifier.model.auxiliary.values():
        head.register_forward_pre_hook(lambda *_: pytest.fail("an auxiliary head ran"))
    assert len(classifier.predict(colours)) == 30
    page = (heads / "report.html").read_text()
    assert "Training loss, inception4a" in page
    assert "of it validating" in page
    header = (heads / "metrics.csv").read_text().splitlines()[0]
    assert header.endswith("train_inception4a_loss,train_inception4d_loss,train_total_loss")


@pytest.mark.slow
def test_it_goes_on_with_its_heads(heads):
    before = load_checkpoint(heads / "last.ckpt")[0]
    resume(heads, extend=1, quiet=True, report=False)
    after = load_checkpoint(heads / "last.ckpt")[0]
    names = [name for name in before if name.startswith("model/auxiliary.") and name.endswith("weight")]
    assert names
    assert all(not torch.equal(before[name], after[name]) for name in names)


@pytest.mark.parametrize(("name", "weight"), [("googlenet", 0.3), ("inception_v3", 0.4)])
def test_the_option_alone_takes_the_networks_own_weight(name, weight, colours):
    dataset = open_dataset(colours)
    config = plan_run(dataset, Request(source=dataset, model=name, options={"auxiliary": True}, device="cpu", size=96))
    assert config.recipe.auxiliary_weight == weight
    assert config.network.arguments["auxiliary"] is True


@pytest.mark.parametrize(
    ("options", "settings", "line"),
    [
        ({}, {"auxiliary_weight": 0.3}, "lenet5 has no auxiliary heads"),
        ({}, {"learning_rate": 1e9}, "learning_rate is 1000000000.0"),
        ({}, {"early_stopping": 3}, "no images are set aside"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_there_is_a_folder(options, settings, line, colours, tmp_path):
    with pytest.raises(UsageError, match=line):
        train(colours, model="lenet5", options=options, settings=settings, val_fraction=0, run=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_watcher_is_told_of_an_early_end_and_of_the_best_epoch(colours, tmp_path, capfd):
    run = tmp_path / "run"
    still = {"early_stopping": 2, "warmup_epochs": 0}
    options = {"model": "lenet5", "epochs": 40, "learning_rate": 0.0, "workers": 0, "device": "cpu"}
    train(colours, **options, settings=still, run=run, report=False)
    (line,) = [line for line in capfd.readouterr().err.splitlines() if line.startswith("stopped early")]
    assert line.startswith("stopped early after epoch 3 of 40: none of the last 2 epochs was better. ")
    assert "epoch 1: val loss" in line


@pytest.mark.parametrize("precision", ["16", "64"])
def test_every_precision_trains_and_no_library_speaks(precision, colours, tmp_path, capfd, recwarn):
    settings = {"clip_norm": 1.0}
    options = {"model": "keras_mnist", "epochs": 1, "workers": 0, "device": "cpu", "precision": precision}
    run = tmp_path / "run"
    classifier = train(colours, **options, settings=settings, run=run, quiet=True, report=False)
    assert np.isfinite(classifier.evaluation.loss)
    assert capfd.readouterr() == ("", "")
    assert not [warning for warning in recwarn if "fp16" in str(warning.message)]
    tensors, state = load_checkpoint(run / "last.ckpt")
    assert bool(state["scale"]) == (precision == "16")
    expected = {"16": torch.float32, "64": torch.float64}[precision]
    assert tensors["model/head.classifier.weight"].dtype == expected


@pytest.mark.parametrize("field", ["network", "recipe", "preprocessing", "fingerprint", "seed", "freeze"])
def test_a_checkpoint_fits_no_run_that_differs_in(field, trained):
    config = json.loads((trained / "config.json").read_text())
    assert load_checkpoint(trained / "last.ckpt")[1]["identity"] == identity(config)
    assert identity(config | {field: "other"}) != identity(config)


def test_what_does_not_decide_a_run_is_no_part_of_itsidentity(trained):
    config = json.loads((trained / "config.json").read_text())
    assert identity(config | {"workers": 5, "command": "x", "notes": ["y"]}) == identity(config)
