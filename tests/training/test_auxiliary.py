"""Auxiliary heads: built where they are asked for, trained with their weight, never run in validation."""

import pytest
import torch
from torch.nn import functional

from striate.errors import UsageError
from striate.models import create_model, get_card, list_models, outline_of
from striate.training.auxiliary import auxiliary_options, auxiliary_weight
from striate.training.objective import Objective
from striate.training.recipes import Recipe
from striate.training.tasks import SingleLabel

WEIGHTS = {"googlenet": 0.3, "googlenet_bn": 0.3, "inception_v2": 0.4, "inception_v3": 0.4, "nasnet_cifar": 0.4}


@pytest.mark.parametrize(("name", "weight"), WEIGHTS.items())
def test_the_weight_of_the_card_is_that_of_the_network(name, weight):
    with torch.device("meta"):
        model = create_model(name, auxiliary=True)
        assert not create_model(name).auxiliary
    assert get_card(name).auxiliary_weight == model.auxiliary_weight == weight
    assert auxiliary_weight(model, Recipe()) == weight
    assert auxiliary_weight(model, Recipe(auxiliary_weight=0.7)) == 0.7


def test_a_card_has_a_weight_where_its_family_has_heads():
    from striate.models.options import defaults_of

    for name in list_models():
        card = get_card(name)
        assert bool(card.auxiliary_weight) == ("auxiliary" in defaults_of(card)), name


@pytest.mark.parametrize(
    ("options", "settings", "preset", "built"),
    [
        ({"auxiliary": False}, {}, Recipe(), False),
        ({"auxiliary": True}, {}, Recipe(), True),
        ({}, {}, Recipe(), None),
        ({}, {"auxiliary_weight": "0.2"}, Recipe(), True),
        ({}, {}, Recipe(auxiliary_weight=0.2), True),
        ({}, {"auxiliary_weight": 0}, Recipe(auxiliary_weight=0.2), False),
        ({"auxiliary": True}, {"auxiliary_weight": 0.2}, Recipe(), True),
    ],
)
def test_heads_are_built_where_a_weight_or_the_option_asks_for_them(options, settings, preset, built):
    chosen = auxiliary_options(outline_of("googlenet"), {"dropout": 0.1, **options}, settings, preset)
    assert chosen.get("auxiliary") is built
    assert chosen["dropout"] == 0.1


@pytest.mark.parametrize(("auxiliary", "weight"), [(True, 0), (False, 0.3)])
def test_option_and_weight_that_contradict_each_other_are_refused(auxiliary, weight):
    with pytest.raises(UsageError, match=f"auxiliary={auxiliary} and auxiliary_weight={weight} contradict"):
        auxiliary_options(outline_of("googlenet"), {"auxiliary": auxiliary}, {"auxiliary_weight": weight}, Recipe())


def test_a_weight_for_a_network_without_heads_is_refused():
    with pytest.raises(UsageError, match=r"resnet18 has no auxiliary heads.*googlenet, .*inception_v3"):
        auxiliary_options(outline_of("resnet18"), {}, {"auxiliary_weight": 0.3}, Recipe())
    assert auxiliary_options(outline_of("resnet18"), {}, {"auxiliary_weight": 0}, Recipe()) == {}


def test_heads_without_a_weight_and_a_weight_without_heads_are_refused(small):
    model = small.network(auxiliary=True)
    model.auxiliary_weight = 0.0
    with pytest.raises(UsageError, match="no weight for their losses"):
        auxiliary_weight(model, Recipe())
    with pytest.raises(UsageError, match=r"auxiliary_weight is 0\.3, but custom is built without"):
        auxiliary_weight(small.network(), Recipe(auxiliary_weight=0.3))
    assert auxiliary_weight(small.network(), Recipe()) == 0


@pytest.mark.parametrize("loss", ["own", "squared_error"])
def test_the_loss_is_the_weighted_sum_by_hand(loss, small):
    torch.manual_seed(1)
    model = small.network(auxiliary=True).eval()
    images, labels = torch.randn(5, 1, 12, 12), torch.tensor([0, 1, 1, 0, 1])
    smoothing = 0.1 if loss == "own" else 0.0
    outcome = Objective(
        model, small.recipe(loss=loss, label_smoothing=smoothing, auxiliary_weight=0.3), SingleLabel(("a", "b"))
    )(model, images, labels)

    def criterion(logits: torch.Tensor) -> torch.Tensor:
        if loss == "own":
            return functional.cross_entropy(logits, labels, label_smoothing=0.1)
        return (logits.softmax(1) - functional.one_hot(labels, 2)).square().sum(1).mean()

    one = model.stages.one(model.stem(images))
    two = model.stages.two(one)
    main, first, second = (
        criterion(head(x))
        for head, x in ((model.head, two), (model.auxiliary["one"], one), (model.auxiliary["two"], two))
    )
    assert torch.allclose(outcome.loss, main + 0.3 * first + 0.3 * second)
    assert torch.allclose(torch.stack(outcome.parts), torch.stack([main, first, second, outcome.loss]))
    assert torch.equal(outcome.logits, model(images))


def test_every_auxiliary_parameter_is_trained_and_its_loss_is_written_down(tmp_path, small):
    model = small.network(auxiliary=True)
    before = {name: tensor.clone() for name, tensor in model.auxiliary.named_parameters()}
    run = small.training(tmp_path, small.recipe(epochs=2), model=model)
    history = run.train().history
    assert all(not torch.equal(tensor, before[name]) for name, tensor in model.auxiliary.named_parameters())
    for row in history:
        parts = row["train_loss"] + 0.5 * row["train_one_loss"] + 0.5 * row["train_two_loss"]
        assert row["train_total_loss"] == pytest.approx(parts)
    header, *rows = (tmp_path / "metrics.csv").read_text().splitlines()
    columns = "epoch,step,learning_rate,train_loss,train_accuracy,val_loss,val_accuracy,val_top5"
    assert header == f"{columns},train_one_loss,train_two_loss,train_total_loss"
    assert len(rows) == 2


def test_validation_does_not_run_the_heads(tmp_path, small):
    model, runs = small.network(auxiliary=True), []
    for head in model.auxiliary.values():
        head.register_forward_hook(lambda module, inputs, output: runs.append(module.training))
    small.training(tmp_path, small.recipe(epochs=2), model=model).train()
    assert len(runs) == 2 * 2 * 4  # heads, epochs, steps
    assert all(runs)


def test_without_heads_the_tables_are_as_ever(tmp_path, small):
    small.training(tmp_path, small.recipe(epochs=1)).train()
    header = (tmp_path / "metrics.csv").read_text().splitlines()[0]
    assert header == "epoch,step,learning_rate,train_loss,train_accuracy,val_loss,val_accuracy,val_top5"
