"""The experiments that have a name; a new one is a file beside this one and a line here."""

from __future__ import annotations

from striate.errors import unknown
from striate.experiments import cats_and_dogs
from striate.experiments.steps import Experiment

EXPERIMENTS: dict[str, Experiment] = {each.name: each for each in (cats_and_dogs.EXPERIMENT,)}


def get_experiment(name: str) -> Experiment:
    """The experiment of that name.

    Raises:
        UsageError: there is none; the nearest is offered.
    """
    if name not in EXPERIMENTS:
        raise unknown("experiment", str(name), EXPERIMENTS)
    return EXPERIMENTS[name]
