"""A run whose network grows from that of another: as it is asked for, planned, written in config.json, and begun."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from striate.caller import either
from striate.errors import StriateError, UsageError
from striate.files import at_home
from striate.models import ConvNet, Network
from striate.transfer import RULES, check_growth, grow_from, options_from, shallow_spec
from striate.weights import describe
from striate.weights.files import weights_file


def check_asked(
    run: str | Path | None, rule: str, model: Any, weights: str | Path | None, options: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Refuse to grow what cannot, before an image is read.

    Args:
        run: the run folder or model file to grow from; None where nothing grows.
        rule: one of `striate.transfer.RULES`.
        model: the deep network.
        weights: others to start from, which do not go with it.
        options: those asked for.

    Returns:
        The options of the deep network, and the names of the layers that will be copied.

    Raises:
        UsageError: it cannot grow from that network.
        StriateError: there is no such run, or it is damaged.
    """
    if run is None:
        if rule != RULES[0]:
            raise UsageError(
                f"{either('--grow-rule', 'grow_rule')} says how a network grows: give "
                f"{either('--grow-from RUN', 'grow_from')} with it."
            )
        return dict(options), ()
    if weights is not None:
        raise UsageError(
            f"{either('--weights and --grow-from', 'weights and grow_from')} both say what training starts from; give "
            "one of them."
        )
    if model is not None and not isinstance(model, str):
        raise UsageError("a module that is handed over does not grow; give the name of a network of the catalogue.")
    shallow = shallow_spec(run)
    grown = check_growth(shallow, model, options, rule)
    assert model is not None  # or it would have been refused
    return options_from(shallow, model, options), grown.copied


def starting_file(run: str | Path | None, weights: str | Path | None) -> str | Path | None:
    """Where the weights that training starts from say how they want their images."""
    return weights if run is None else weights_file(run)


def plan_growth(network: Network, run: str | Path | None, rule: str) -> tuple[dict[str, Any], list[str]]:
    """Grow a network as the run will, for a look at it: what config.json keeps, and a line on it.

    Args:
        network: the deep one, changed in place.
        run: what it grows from; None where it does not.
        rule: as `check_asked`.

    Raises:
        UsageError: it cannot grow from that network.
        StriateError: the run is damaged.
    """
    if run is None:
        return {}, []
    assert isinstance(network, ConvNet)
    grown = grow_from(run, network, rule)
    network.weights_source = describe(weights_file(run))
    place = at_home(run).absolute()
    lists = {name: list(getattr(grown, name)) for name in ("copied", "new", "fresh")}
    told = f"grown from {place} ({grown.shallow}): {grown.words}"
    return {"from": str(place), "shallow": grown.shallow, "rule": rule, **lists}, [told]


def regrow(network: Network, written: Mapping[str, Any], afresh: bool) -> None:
    """Let a network be what config.json says it grew into.

    Args:
        network: the deep one, with its first weights or those of a checkpoint to come.
        written: what `plan_growth` said.
        afresh: whether training begins, and no checkpoint has the weights.

    Raises:
        StriateError: the run that it grows from is gone, or another.
    """
    if not written:
        return
    if afresh:
        assert isinstance(network, ConvNet)
        grown = grow_from(written["from"], network, written["rule"])
        if list(grown.copied) != written["copied"]:
            raise StriateError(f"{written['from']}: not the network any more that was to grow; start a new run.")
    network.copied, network.fresh = tuple(written["copied"]), tuple(written["fresh"])


def read_growth(written: Any) -> dict[str, Any]:
    """What config.json says of it.

    Raises:
        ValueError: it cannot be what `plan_growth` wrote.
    """
    lists = all(
        isinstance(written.get(name), list) and all(isinstance(each, str) for each in written[name])
        for name in ("copied", "new", "fresh")
    )
    if not lists or not isinstance(written.get("from"), str) or written.get("rule") not in RULES:
        raise ValueError("it does not say what was copied from where")
    return dict(written)
