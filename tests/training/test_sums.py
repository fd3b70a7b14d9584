"""The figures of an epoch: means over images, not over batches, on one process or over all."""

import math
from types import SimpleNamespace

import pytest
import torch
from lightning_fabric import Fabric

from striate.training.sums import EpochSums
from striate.training.tasks import SingleLabel

TASK = SingleLabel(("a", "b"))

#: Two batches: logits, labels, and the mean losses of each.
BATCHES = [
    (torch.tensor([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]]), torch.tensor([0, 0, 0]), (0.5, 4.0)),
    (torch.tensor([[0.0, 1.0]]), torch.tensor([1]), (2.5, 8.0)),
]
#: Weighted by three images and one; three of the four are right.
MEANS = {"train_loss": 1.0, "train_one_loss": 5.0, "train_accuracy": 0.75}


class Processes:
    """Two processes, the other of which has seen four images, all wrong, with losses of 3 and 1."""

    def __init__(self, count: int = 2) -> None:
        self.device, self.world_size, self.asked = torch.device("cpu"), count, 0

    def all_reduce(self, sums: torch.Tensor, reduce_op: str) -> torch.Tensor:
        self.asked += 1
        other = torch.tensor([12.0, 4.0, 0.0, 4.0], dtype=torch.float64)[: len(sums)]
        return {"sum": sums + other, "mean": (sums + other) / 2, "max": torch.maximum(sums, other)}[reduce_op]


@pytest.fixture
def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1)


def filled(fabric, figures=("train_loss", "train_one_loss")) -> EpochSums:
    sums = EpochSums(fabric, figures, TASK)
    for logits, labels, losses in BATCHES:
        sums.add([torch.tensor(loss, requires_grad=True) for loss in losses[: len(figures)]], logits, labels)
    return sums


def test_means_are_over_images(fabric):
    sums = filled(fabric)
    assert sums.means() == sums.means(together=False) == MEANS
    assert list(sums.means()) == list(MEANS)
    assert sums.seen == 4
    assert not sums.sums.requires_grad  # no graph of a step is kept alive
    assert filled(fabric, ["train_loss"]).means() == {"train_loss": 1.0, "train_accuracy": 0.75}


def test_an_epoch_begins_with_nothing(fabric):
    sums = filled(fabric)
    sums.reset()
    assert sums.means() == dict.fromkeys(MEANS, 0.0)
    assert EpochSums(fabric, ["train_loss"], TASK).means() == {"train_loss": 0.0, "train_accuracy": 0.0}
    sums.add([torch.tensor(1.0), torch.tensor(2.0)], *BATCHES[1][:2])
    assert sums.means() == {"train_loss": 1.0, "train_one_loss": 2.0, "train_accuracy": 1.0}


def test_small_losses_count_beside_a_large_sum(fabric):
    sums = EpochSums(fabric, ["train_loss"], TASK)
    for loss in (2.0**24, 1.0):
        sums.add([torch.tensor(loss)], *BATCHES[1][:2])
    assert sums.means()["train_loss"] == (2**24 + 1) / 2


def test_processes_put_their_images_together_only_when_all_ask():
    fabric = Processes()
    sums = filled(fabric)
    assert sums.means(together=False) == MEANS
    assert fabric.asked == 0
    assert sums.means() == {"train_loss": 2.0, "train_one_loss": 3.0, "train_accuracy": 0.375}
    assert fabric.asked == 1
    assert filled(Processes(count=1)).means() == MEANS


def test_the_losses_of_some_steps_are_those_of_all_processes(fabric):
    """The other process has had four steps, whose losses are 12 together."""
    losses = [torch.tensor(1.0), torch.tensor(3.0)]
    assert EpochSums(fabric, ["train_loss"], TASK).mean_of(losses) == 2
    assert math.isnan(EpochSums(fabric, ["train_loss"], TASK).mean_of([]))
    both = EpochSums(Processes(), ["train_loss"], TASK)
    assert both.mean_of(losses) == 16 / 6
    assert both.mean_of(losses, together=False) == 2
    assert both.mean_of([]) == 3


def test_an_epoch_goes_on_from_what_a_checkpoint_kept(fabric):
    half, rest = EpochSums(fabric, ["train_loss", "train_one_loss"], TASK), filled(fabric)
    half.add([torch.tensor(0.5), torch.tensor(4.0)], *BATCHES[0][:2])
    rest.restore(half.sums.clone(), half.seen)
    assert rest.seen == 3
    rest.add([torch.tensor(2.5), torch.tensor(8.0)], *BATCHES[1][:2])
    assert rest.means() == MEANS


def test_between_epochs_nothing_is_put_back(fabric):
    sums = filled(fabric)
    sums.restore(torch.full((3,), 9.0), 0)
    assert (sums.seen, sums.means()) == (0, dict.fromkeys(MEANS, 0.0))
    sums.restore(torch.zeros(7), 0)  # an earlier version's, of which nothing is taken
    assert sums.means() == dict.fromkeys(MEANS, 0.0)


def test_the_sums_of_another_training_are_refused(fabric):
    sums = filled(fabric)
    with pytest.raises(ValueError, match=r"^2 sums of the epoch for 3 figures$"):
        sums.restore(torch.zeros(2), 5)
    assert sums.means() == MEANS


def test_the_figures_lie_where_training_does():
    elsewhere = SimpleNamespace(device=torch.device("meta"), world_size=1)
    sums = EpochSums(elsewhere, ["train_loss"], TASK)
    assert sums.sums.device.type == "meta"
    sums.restore(torch.zeros(2), 5)
    assert sums.sums.device.type == "meta"
