"""model.safetensors of a run: the best weights so far, and all that is needed to use and understand them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from striate.classifier.run_config import RunConfig
from striate.data import Dataset
from striate.models import Network
from striate.training.model_file import Description, save_model
from striate.training.run_folder import RunFolder
from striate.training.tasks import Task
from striate.transfer.regimes import FEATURES


def saver(folder: RunFolder, config: RunConfig, dataset: Dataset) -> Callable[[torch.nn.Module, dict, Task], None]:
    """The function that writes the best weights so far as model.safetensors."""

    def save(network: torch.nn.Module, figures: dict[str, float], learnt: Task) -> None:
        description = Description(
            network=config.network.to_dict(),
            classes=dataset.classes,
            task=learnt.to_dict(),
            preprocessing=config.preprocessing,
            recipe=how_trained(config),
            data={
                "source": config.source,
                "fingerprint": dataset.fingerprint,
                "images": {split.name: len(split) for split in dataset.splits},
                "seed": config.seed,
                "val_fraction": config.val_fraction,
                **({"target": list(config.target)} if config.target else {}),
            },
            metrics=figures,
            versions=dict(config.versions),
        )
        assert isinstance(network, Network)
        save_model(folder.model, network, description)

    return save


def how_trained(config: RunConfig) -> dict[str, Any]:
    """How it was trained, in plain values; a classifier of features alone has no recipe."""
    recipe = {"name": FEATURES.name} if config.transfer == FEATURES.name else config.recipe.to_dict()
    return recipe | config.way_of_transfer
