"""The recipe of a run: which it is, and how it is made to suit the images."""

from dataclasses import replace

import pytest
from safetensors.torch import save_file

from striate.classifier.plan import plan_run
from striate.classifier.request import Request
from striate.data import open_dataset
from striate.errors import UsageError
from striate.models import create_model
from striate.training.shelf import get_recipe


def plan_of(folder, **asked):
    """What is planned for a folder, on the processor in single precision."""
    return plan_run(open_dataset(folder), Request(source=folder, device="cpu", precision="32", **asked))


@pytest.mark.parametrize(
    ("weights", "size", "recipe"),
    [(None, 64, "tiny"), (None, 65, "photos"), ("own", 65, "transfer_all"), ("own", 64, "transfer_all")],
)
def test_a_recipe_goes_by_weights_before_size(colours, tmp_path, weights, size, recipe):
    file = tmp_path / "own.safetensors"
    save_file(create_model("resnet20_cifar", num_classes=3).state_dict(), file)
    asked = {"model": "resnet20_cifar", "size": size, "weights": file if weights else None}
    assert plan_of(colours, **asked).recipe.name == recipe
    assert plan_of(colours, **asked, recipe="mnist_fast").recipe.name == "mnist_fast"


def test_a_batch_is_made_to_suit_with_its_rate_unless_it_is_asked_for(colours):
    def plan(**settings):
        chosen = plan_of(colours, model="lenet5", settings=settings)
        told = [note.partition("; ")[2] for note in chosen.notes if "batches of 2 images, since" in note]
        return chosen.recipe.batch_size, chosen.recipe.learning_rate, told

    rate = get_recipe("tiny").learning_rate
    assert plan() == (2, rate * 2 / 32, [f"learning rate {rate / 16:.3g} to suit"])
    assert plan(batch_size=16) == (16, rate, [])
    suits = f"a learning rate of {rate / 16:.3g} would suit them, 0.5 was asked for"
    assert plan(learning_rate=0.5) == plan(learning_rate="0.5") == (2, 0.5, [suits])
    assert plan(learning_rate=0.5, optimizer="adam") == (2, 0.5, ["learning rate 0.5 as asked for"])
    two = replace(get_recipe("tiny"), batch_size=2)
    same = plan_of(colours, model="lenet5", recipe=two)
    assert (same.recipe.learning_rate, same.notes) == (rate, ())


def test_a_loss_that_does_not_fit_is_refused(colours):
    with pytest.raises(UsageError, match="RBF outputs"):
        plan_of(colours, model="lenet5", settings={"loss": "rbf"})
