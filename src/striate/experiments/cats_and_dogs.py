"""Cats and dogs: what each remedy against overfitting brings where there are two thousand photographs.

Chollet (2017), "Deep Learning with Python", sections 5.2 and 5.3. A small network learns two classes of photographs
from random weights and overfits; half of the inputs of its dense layer are dropped; its pictures are augmented; then a
dense layer of 256 is trained on the frozen convolutions of VGG-16, without and with augmentation, and at last the
convolutions' last block with it. Each step changes one thing of the step before it.

What is as in the book: both networks, pictures of 150x150, batches of 20, RMSprop at 1e-4, 2e-5 (frozen) and 1e-5 (the
last block), rates that stay, no weight decay, the augmentations, one image in three set aside to validate on, and one
sigmoid for two classes. What is not:

- The weights of the best epoch are kept and measured, where the book reads the last epochs off a curve.
- Pictures are cut to a square about their middle, not squashed, and brought to the mean and deviation of the images, or
  of the weights' own, not divided by 255.
- Dropout stands before the dense layer on VGG-16, not behind it, and stays when the pictures are augmented. The book
  has no step with dropout alone. Frozen features are computed anew each epoch, not once.
- Zoom is one factor for both axes, between 1 / 1.2 and 1.2; shear is 0.2 radians, as Keras read it then.
- Another network than VGG-16 has two outputs and a softmax, and hidden dropout behind its dense layer.
- The short form (the default) has fewer epochs; the rate on a frozen base is five times the book's for it.

An epoch of the book is 100 batches of 20. Where there are more or fewer images to train on, there are fewer or more
epochs, so that about as many pictures go by (`epochs_for`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from striate.augment.policies import get_policy
from striate.caller import either
from striate.classifier.places import open_place
from striate.data import Dataset
from striate.data.targets import SINGLE_LABEL
from striate.errors import StriateError, UsageError
from striate.experiments.steps import Asked, Experiment, Step
from striate.models import create_model, get_card
from striate.models.catalogue import own_name
from striate.models.choice import choose, is_named
from striate.models.recognition import network_of
from striate.training.recipes import Recipe
from striate.units import plural

SMALL = "keras_cats_dogs"
#: VGG-16's convolutions under one dense layer of 256 and one sigmoid, and the network whose weights it takes.
BASE, VGG = "vgg16_cats_dogs", "vgg_d"
SIZE = 150
#: The book's 2,000 images to train on and 1,000 to validate on.
IMAGES, VAL_FRACTION = 2000, 1 / 3
#: Of fewer images to train on there is not even one batch.
LEAST = BATCH = 20
#: The fewest epochs of the defaults, however many images there are.
FEWEST_EPOCHS = 2

PLAIN = Recipe(
    name="cats_and_dogs",
    batch_size=BATCH,
    optimizer="rmsprop",
    learning_rate=1e-4,
    momentum=0.0,
    weight_decay=0.0,
    schedule="constant",
    warmup_epochs=0.0,
)
AUGMENTED = replace(PLAIN, augment=get_policy("cats_dogs"))
#: Rates on a frozen base, the book's and that of the short form, and of the last block with it.
FROZEN, SHORT_FROZEN, LAST_BLOCK = 2e-5, 1e-4, 1e-5

#: Network, weights and options of steps with a `freeze`, and the part that "last" stands for, are put in by `filled`.
STEPS = (
    Step(
        name="scratch",
        does="four convolutions and a dense layer, from random weights",
        claim=0.72,
        epochs=15,
        full=30,
        train={"model": SMALL, "recipe": PLAIN},
    ),
    Step(
        name="dropout",
        does="the same; half of the dense layer's inputs are dropped",
        epochs=15,
        full=30,
        train={"model": SMALL, "recipe": PLAIN, "options": {"dropout": 0.5}},
    ),
    Step(
        name="augmentation",
        does="the same; pictures turned, shifted, slanted, zoomed and mirrored",
        claim=0.82,
        epochs=30,
        full=100,
        train={"model": SMALL, "recipe": AUGMENTED, "options": {"dropout": 0.5}},
    ),
    Step(
        name="frozen",
        does="a dense layer of 256 on pretrained convolutions, which are frozen",
        claim=0.90,
        epochs=5,
        full=30,
        train={"recipe": replace(PLAIN, learning_rate=FROZEN), "freeze": "all"},
    ),
    Step(
        name="frozen_augmented",
        does="the same; pictures augmented as above",
        claim=0.96,
        epochs=5,
        full=30,
        train={"recipe": replace(AUGMENTED, learning_rate=FROZEN), "freeze": "all"},
    ),
    Step(
        name="fine_tuned",
        does="goes on from there, with the last block of the convolutions unfrozen",
        claim=0.97,
        epochs=5,
        full=100,
        train={"recipe": replace(AUGMENTED, learning_rate=LAST_BLOCK), "freeze": "last"},
        start="frozen_augmented",
    ),
)


def images(asked: Asked) -> Dataset:
    """The photographs in colour, of which one in three validates where they are not divided already.

    Raises:
        UsageError: they are not of two classes, or too few.
    """
    dataset = open_place(asked.source, seed=asked.seed, val_fraction=VAL_FRACTION, channels=3)
    if dataset.task != SINGLE_LABEL or len(dataset.classes) != 2:
        kind = plural(len(dataset.classes), "class", "classes") if dataset.task == SINGLE_LABEL else dataset.task
        raise UsageError(f"{dataset.source}: cats_and_dogs tells two classes apart, and these images have {kind}.")
    if len(dataset.train) < LEAST or dataset.val is None:
        held = "" if dataset.val else " and none to validate on"
        raise UsageError(
            f"{dataset.source}: {plural(len(dataset.train), 'image')} to train on{held}; cats_and_dogs needs {LEAST} "
            "at least, and some to validate on."
        )
    return dataset


def filled(asked: Asked, dataset: Dataset) -> tuple[Step, ...]:
    """The steps with the pretrained network, its weights, the epochs and what all have in common.

    Where the weights cannot be had, the steps that need them say so in `missing`.

    Raises:
        UsageError: an unknown network or weights, or images too small for one of the networks.
    """
    model, weights = base_of(asked)
    options = {"dropout": 0.5} if model == BASE else {"hidden": 256, "hidden_dropout": 0.5}
    size = asked.size or SIZE
    _parts(SMALL, {}, size)
    freeze = {"all": "all", "last": _parts(model, options, size)[-2]}
    missing, steps = _missing(model, weights), []
    for step in STEPS:
        more: dict[str, Any] = {"size": size, "seed": asked.seed, "batch_size": BATCH}
        more["epochs"] = epochs_for(step, asked, len(dataset.train))
        if "freeze" in step.train:
            more |= {"model": model, "options": options, "freeze": freeze[step.train["freeze"]]}
            more |= {} if step.start else {"weights": weights}
            more |= {} if asked.full or step.start else {"learning_rate": SHORT_FROZEN}
        steps.append(replace(step, train={**step.train, **more}, missing=missing if "freeze" in step.train else ""))
    return tuple(steps)


def epochs_for(step: Step, asked: Asked, count: int) -> int:
    """Those asked for; else so many that of `count` images as many go by as of the book's 2,000 in the step's."""
    if asked.epochs is not None:
        return asked.epochs
    wanted = step.full if asked.full else step.epochs
    return max(FEWEST_EPOCHS, round(wanted * IMAGES / count))


def base_of(asked: Asked) -> tuple[str, Any]:
    """The pretrained network and its weights; VGG-16's own weights stand for its convolutions.

    Raises:
        UsageError: there is no such network, or it has no published weights and none are given.
    """
    model, weights = asked.model, asked.weights
    if model is None:
        named = weights is None or is_named(get_card(BASE), weights)
        model = BASE if named else network_of(weights).name  # type: ignore[arg-type]
        model = BASE if model == VGG else model
    card = get_card(model)
    if weights is None and not card.weights:
        raise UsageError(f"{model} has no published weights: give a file of them, or a network that has some.")
    return own_name(model), card.weights[0].name if weights is None else weights


def _parts(model: str, options: dict[str, Any], size: int) -> list[str]:
    """Stem and stages of a network that takes images of this size.

    Raises:
        UsageError: it does not.
    """
    with torch.device("meta"):  # no weight is made
        network = create_model(model, num_classes=2, input_size=size, **options)
        network.check_input(torch.empty(2, network.in_channels, size, size))
    return list(network.parts())


def _missing(model: str, weights: Any) -> str:
    """Why published weights cannot be had; empty where they can.

    Raises:
        UsageError: the network has none of that name.
        StriateError: a file is not there, or does not fit.
    """
    card = get_card(model)
    if not is_named(card, weights):
        create_model(model, weights=weights)
        return ""
    choice = choose(card, weights)
    try:
        choice.path()
    except StriateError as error:
        other = either("--model mobilenet_v2 --weights FILE", 'model="mobilenet_v2", weights=FILE')
        return f"{error}, or take another network's: {other}"
    return ""


EXPERIMENT = Experiment(
    name="cats_and_dogs",
    question="Two thousand photographs of two classes: what does each remedy against overfitting bring?",
    source="Chollet (2017), Deep Learning with Python, sections 5.2 and 5.3",
    conditions="2,000 photographs of cats and dogs to train on, 1,000 to validate on, the book's epochs",
    steps=STEPS,
    images=images,
    filled=filled,
)
