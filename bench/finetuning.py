"""The ways to fine-tune MobileNet v2 that `transfer_vs_peers.py` compares, each run as a process of its own.

Every way is given a folder with train/CLASS/*.jpg and val/CLASS/*.jpg, and notes its accuracy on all of val after each
epoch, with the seconds so far: from when the libraries are imported and the network has its weights, to when those of
that epoch are there. Listing, reading and augmenting the pictures count, worker processes' starts too; validating does
not. striate's seconds also hold its check of every file, those of val too, and the making of its network.

Everybody may use all cores, each in its own way: PyTorch has so many threads, and worker processes and precision are
what each chooses by itself (striate may train in bfloat16 where the processor has it; the others train in float32).
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from common import cores

SIDE, LARGER = 224, 256
#: The tutorial's.
EPOCHS = 25
#: Pictures of a peer's batch in validating, which is set aside: more at once are slower on a processor.
VALIDATED = 16
#: What the weights want of pixels between 0 and 1.
MEAN = STD = [128 / 255] * 3


class Task(NamedTuple):
    """What everybody is asked: pictures, weights to start from, a seed, and how many epochs where there is a choice."""

    folder: Path
    weights: Path
    seed: int
    epochs: int

    @property
    def images(self) -> int:
        """How many there are to train on."""
        return len(list(self.folder.glob("train/*/*")))

    def network(self):
        """The network that everybody trains: striate's module, with the weights and a fresh last layer."""
        import numpy as np
        import torch

        import striate

        random.seed(self.seed)
        np.random.seed(self.seed)  # noqa: NPY002 (fastai draws from it)
        torch.manual_seed(self.seed)
        classes = len(list(self.folder.glob("train/*")))
        return striate.create_model("mobilenet_v2", weights=self.weights, num_classes=classes)


class Late(Exception):
    """The time is over."""


class Clock:
    """Seconds since it was started, without those that were set aside, and the accuracies by then.

    Attributes:
        curve: pairs of seconds and accuracy, one for each epoch.
        planned: how many there are to be.
    """

    def __init__(self, limit: float) -> None:
        self.curve: list[tuple[float, float]] = []
        self.planned, self._limit, self._aside, self._began = 1, limit, 0.0, 0.0

    def start(self, planned: int = 1) -> None:
        """From now on, for so many accuracies."""
        self.planned, self._began = planned, time.perf_counter()

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """What is done meanwhile does not count."""
        began = time.perf_counter()
        yield
        self._aside += time.perf_counter() - began

    def note(self, accuracy: float) -> None:
        """Weights with this accuracy are there.

        Raises:
            Late: they are to be the last, and more were planned.
        """
        seconds = time.perf_counter() - self._began - self._aside
        self.curve.append((round(seconds, 3), round(accuracy, 6)))
        if seconds > self._limit and len(self.curve) < self.planned:
            raise Late("the time is over")  # fastai wants a word with it


def striate_features(task: Task, clock: Clock) -> None:
    """`striate.train(folder, transfer="features")`; nothing is known of the pictures from before."""
    _striate(task, clock, "features")


def striate_auto(task: Task, clock: Clock) -> None:
    """`transfer="auto"`: the features, and where there are enough images all of the network after them."""
    _striate(task, clock, "auto")


def striate_head(task: Task, clock: Clock) -> None:
    """`transfer="head"`."""
    _striate(task, clock, "head")


def striate_top(task: Task, clock: Clock) -> None:
    """`transfer="top"`."""
    _striate(task, clock, "top")


def striate_full(task: Task, clock: Clock) -> None:
    """`transfer="full"`."""
    _striate(task, clock, "full")


def _striate(task: Task, clock: Clock, regime: str) -> None:
    import striate
    from striate.classifier import preparing, runs
    from striate.training.counting import Counter
    from striate.training.loop import Training
    from striate.training.progress import Quiet

    class OfVal(Counter):
        """What it counts is set aside."""

        def __enter__(self):
            self.time = contextlib.ExitStack()
            self.time.enter_context(clock.aside())
            return self

        def __exit__(self, *error):
            self.time.close()

    class Noting(Quiet):
        taken = 0

        def counting(self, doing):
            self.taken += 1  # the features of train are taken first, those of val then
            return OfVal(doing) if self.taken == 2 else Counter(doing)

        def start(self, epochs, steps):  # the features' classifier is there, and training by steps begins
            clock.planned += epochs
            with clock.aside():
                accuracy = striate.load(run).description.metrics["accuracy"]
            clock.note(accuracy)

        def epoch(self, row, timing):
            clock.note(row["val_accuracy"])

    class TimedTraining(Training):
        """Sets validating aside."""

        def validate(self):
            with clock.aside():
                return super().validate()

    preparing.Training = TimedTraining  # type: ignore[misc]
    runs.create_progress = lambda quiet: Noting()
    with tempfile.TemporaryDirectory() as place:
        run, os.environ["STRIATE_CACHE"] = Path(place, "run"), str(Path(place, "cache"))
        given: dict[str, Any] = {"weights": task.weights, "transfer": regime, "seed": task.seed}
        clock.start()
        classifier = striate.train(task.folder, model="mobilenet_v2", run=run, report=False, **given)
        if not clock.curve:  # nothing was trained by steps
            assert classifier.evaluation is not None
            assert classifier.evaluation.split == "val"
            clock.note(classifier.evaluation.top1)


def fastai(task: Task, clock: Clock) -> None:
    """Fastai's `fine_tune`: an epoch of the last layer alone, then all of it, at rates that fall towards the beginning.

    All else is what fastai does by itself: Adam, one cycle, its rate, its worker processes, `aug_transforms`.
    Batches are of 64; of fewer where there would be fewer than four in an epoch, since it leaves out the last one.
    """
    network = task.network()
    body, head = [network.stem, network.stages], [network.head]

    def learner(vision, dls, **more):
        return vision.Learner(dls, network, splitter=lambda _: [_parameters(body), _parameters(head)], **more)

    _fastai(task, clock, learner)


def fastai_own_head(task: Task, clock: Clock) -> None:
    """The same with the head of fastai's `vision_learner`: two poolings, batch norm, dropout, 512 units between."""
    from torch import nn

    network = task.network()

    def learner(vision, dls, **more):
        def body(model):
            return nn.Sequential(model.stem, model.stages)

        return vision.vision_learner(dls, lambda pretrained: network, cut=body, **more)

    _fastai(task, clock, learner)


def _parameters(modules) -> list:
    return [parameter for module in modules for parameter in module.parameters()]


def _fastai(task: Task, clock: Clock, learner: Callable[..., Any]) -> None:
    from fastai.vision import all as vision

    class Noting(vision.Callback):
        order = 60  # after what records the accuracy

        def before_validate(self):
            self.time = contextlib.ExitStack()
            self.time.enter_context(clock.aside())

        def after_validate(self):
            self.time.close()

        def after_epoch(self):
            clock.note(float(self.learn.final_record[-1]))

    size = 64
    while size > 2 and task.images < 4 * size:
        size //= 2
    clock.start(1 + task.epochs)
    pictures = vision.ImageDataLoaders.from_folder(
        task.folder, train="train", valid="val", bs=size, val_bs=VALIDATED, seed=task.seed, device="cpu",
        item_tfms=vision.RandomResizedCrop(SIDE, min_scale=0.35),
        batch_tfms=[*vision.aug_transforms(), vision.Normalize.from_stats(MEAN, STD)],
    )  # fmt: skip
    learn = learner(vision, pictures, metrics=vision.accuracy, cbs=Noting())
    with learn.no_bar(), learn.no_logging():
        learn.fine_tune(task.epochs)


def tutorial(task: Task, clock: Clock) -> None:
    """PyTorch's transfer-learning tutorial, "finetuning the ConvNet": its transforms, batches of 4, 25 epochs."""
    _tutorial(task, clock, frozen=False)


def tutorial_frozen(task: Task, clock: Clock) -> None:
    """The same tutorial's "ConvNet as fixed feature extractor": gradients of the last layer alone."""
    _tutorial(task, clock, frozen=True)


def _tutorial(task: Task, clock: Clock, frozen: bool) -> None:
    import torch
    from torch import nn, optim
    from torch.optim import lr_scheduler
    from torchvision import datasets, transforms

    network = task.network()
    normalise = transforms.Normalize(MEAN, STD)
    augment = transforms.Compose(
        [transforms.RandomResizedCrop(SIDE), transforms.RandomHorizontalFlip(), transforms.ToTensor(), normalise]
    )
    look = transforms.Compose(
        [transforms.Resize(LARGER), transforms.CenterCrop(SIDE), transforms.ToTensor(), normalise]
    )
    clock.start(EPOCHS)
    train, val = datasets.ImageFolder(task.folder / "train", augment), datasets.ImageFolder(task.folder / "val", look)
    batches = torch.utils.data.DataLoader(train, batch_size=4, shuffle=True, num_workers=4)
    others = torch.utils.data.DataLoader(val, batch_size=VALIDATED, num_workers=4)
    if frozen:
        network.requires_grad_(False)
        network.last_layer.requires_grad_(True)
    trained = network.last_layer if frozen else network
    criterion, optimizer = nn.CrossEntropyLoss(), optim.SGD(trained.parameters(), lr=0.001, momentum=0.9)
    scheduler = lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.1)
    for _ in range(EPOCHS):
        network.train()
        for inputs, labels in batches:
            optimizer.zero_grad()
            criterion(network(inputs), labels).backward()
            optimizer.step()
        scheduler.step()
        with clock.aside(), torch.no_grad():
            network.eval()
            right = sum(int((network(inputs).argmax(1) == labels).sum()) for inputs, labels in others)
        clock.note(right / len(val))


OURS: dict[str, Callable[[Task, Clock], None]] = {
    "features": striate_features,
    "auto": striate_auto,
    "head": striate_head,
    "top": striate_top,
    "full": striate_full,
}
THEIRS: dict[str, Callable[[Task, Clock], None]] = {
    "fastai": fastai,
    "fastai_own_head": fastai_own_head,
    "tutorial": tutorial,
    "tutorial_frozen": tutorial_frozen,
}


def main() -> None:
    import torch

    name, folder, weights, seed, epochs, limit = sys.argv[1:]
    torch.set_num_threads(cores())
    clock, cut = Clock(float(limit)), False
    try:
        (OURS | THEIRS)[name](Task(Path(folder), Path(weights), int(seed), int(epochs)), clock)
    except Late:
        cut = True
    print(json.dumps({"curve": clock.curve, "cut": cut}))


if __name__ == "__main__":
    main()
