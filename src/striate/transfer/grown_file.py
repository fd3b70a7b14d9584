"""Growing from files: the trained network of a run becomes the beginning of a deeper one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from striate.caller import either
from striate.errors import UsageError
from striate.models import ConvNet, ModelSpec, create_model
from striate.models.recognition import spec_in
from striate.models.signature import KNOWN
from striate.training.model_file import load_model, refuse_pickle, save_model
from striate.transfer.growing import Grown, grow
from striate.transfer.lineage import check_growth, options_from
from striate.weights.files import weights_file


def shallow_spec(run: str | Path) -> ModelSpec:
    """The network of a run folder or of its model.safetensors.

    Raises:
        UsageError: the file does not say what network it is.
        StriateError: there is none, or it is damaged.
    """
    path = weights_file(run)
    refuse_pickle(path)
    spec = spec_in(path)
    if spec is None:
        raise UsageError(f"{path}: does not say what network it is; grow from a run, or from its model.safetensors.")
    return spec


def grow_from(run: str | Path, deep: ConvNet, rule: str = "identity") -> Grown:
    """Begin a deep network with the layers of a run's; see `grow`.

    Raises:
        UsageError: as `grow`.
        StriateError: the file is missing, damaged, or not a model that was trained here.
    """
    shallow, _ = load_model(weights_file(run))
    if not isinstance(shallow, ConvNet):
        raise UsageError(f"{run}: {shallow.spec.name} is not of the catalogue, so it does not grow.")
    return grow(shallow, deep, rule)


def grow_into(
    run: str | Path, deep: str, out: str | Path, options: Mapping[str, Any] | None = None, rule: str = "identity"
) -> Grown:
    """Write a deeper network that begins with the layers of a run's as a model file, to be used or trained on.

    By the rule "identity" it predicts what the run's network does. Its new layers are drawn with seed 0.

    Args:
        run: a run folder, or a model.safetensors.
        deep: name of the deeper network.
        out: the file to write.
        options: of the deep network, where they are not to be the shallow one's.
        rule: as for `grow`.

    Raises:
        UsageError: the file is there already, or the network cannot grow into that one; the line says what can.
        StriateError: the run's file is missing or damaged.
    """
    out, spec = Path(out), shallow_spec(run)
    if out.exists():
        raise UsageError(f"{out}: is there already; name another file with {either('--out', 'out')}.")
    check_growth(spec, deep, options, rule)
    shallow, description = load_model(weights_file(run))
    assert isinstance(shallow, ConvNet)
    known = {name: value for name, value in spec.arguments.items() if name in KNOWN}
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        network = create_model(deep, **known, **options_from(spec, deep, options))
    grown = grow(shallow, network, rule)
    same = rule == "identity" and not grown.fresh
    metrics = description.metrics if same else {}
    save_model(out, network, replace(description, network=network.spec.to_dict(), recipe={}, metrics=metrics))
    return grown
