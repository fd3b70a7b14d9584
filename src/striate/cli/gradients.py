"""striate gradients: how large the gradient is that reaches each layer of a fresh network."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.formats import Format, Out, chosen, give, picture_path, room
from striate.cli.network import NETWORK, Located, locate, tell_taken, weights_in_words
from striate.cli.output import Json, TrustOption
from striate.cli.pairs import NetworkOptions, options
from striate.cli.panels import INPUT, OUTPUT
from striate.errors import StriateError, UsageError, unknown
from striate.units import sizes

if TYPE_CHECKING:
    from torch import Tensor

    from striate.data import Dataset

#: Whether networks keep their norms, and use their auxiliary heads: as they are, without or with; or both ways.
NORMS = ("keep", "none", "both")
HEADS = ("none", "used", "both")


def command(
    networks: Annotated[list[str], typer.Argument(help=NETWORK)],
    activation: Annotated[
        list[str] | None, typer.Option(help="Use this activation function; several times to compare several.")
    ] = None,
    norm: Annotated[
        str, typer.Option(help="keep, none (batch norm and its kin left out), or both side by side.")
    ] = "keep",
    auxiliary: Annotated[str, typer.Option(help="Auxiliary heads: none, used, or both side by side.")] = "none",
    size: Annotated[
        int | None,
        typer.Option(help="Side of the images, pixels; each network's own by default.", rich_help_panel=INPUT),
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Images in the one batch.", rich_help_panel=INPUT)] = 8,
    data: Annotated[
        str | None,
        typer.Option(
            help="Take training images of this data set, as for train, in place of noise.", rich_help_panel=INPUT
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides first weights, images, labels and dropout.")] = 0,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the norms by layer to this .svg or .png.", rich_help_panel=OUTPUT)
    ] = None,
    option: NetworkOptions = None,
    form: Format = None,
    out: Out = None,
    trust: TrustOption = None,
    json: Json = False,
) -> None:
    """Show the gradient norm of each layer at first weights: plain against residual, sigmoid against ReLU."""
    form = chosen(form, out, json)
    if plot is not None:
        picture_path(plot)
    if batch_size < 2:
        raise UsageError(f"--batch-size is {batch_size}; batch norm needs at least 2 images")
    for word, value, known in (("--norm", norm, NORMS), ("--auxiliary", auxiliary, HEADS)):
        if value not in known:
            raise unknown(f"value of {word}", value, known)

    from striate.analysis import gradient_tables as tables
    from striate.analysis.gradient_plot import plot_gradients
    from striate.analysis.gradients import gradient_norms, without_norms
    from striate.data import open_dataset
    from striate.layers import ACTIVATIONS

    for name in activation or ():
        if name not in ACTIVATIONS:
            raise unknown("activation", name, ACTIVATIONS)
    dataset = open_dataset(data) if data is not None else None
    runs = []
    functions: list[str | None] = [*activation] if activation else [None]
    for network, function in itertools.product(networks, functions):
        asked = options(option) | _options(network, function, auxiliary != "none")
        found = _built(network, function, asked, size, dataset, seed, trust)
        if function == functions[0]:
            tell_taken(found)
        outputs = _outputs_of(found)
        if dataset is not None:
            _demand_fit(found, outputs, dataset)
        images, labels = _batch(dataset, found.shape, outputs, batch_size, seed)
        for normed, heads in itertools.product(_both(norm, "keep", "none"), _both(auxiliary, "none", "used")):
            parts = [found.name, function or "", "no norm" * (not normed), "auxiliary" * (not heads)]
            run = found.model if normed else without_norms(found.model)
            label = ", ".join(filter(None, parts))
            with found.at_work():
                norms = gradient_norms(run, images, labels, auxiliary=not heads, label=label, seed=seed)
            seen = f"{len(images)} images of {data or 'noise'}, {sizes(images.shape[1:])}"
            runs.append(replace(norms, weights=weights_in_words(network, seed), images=seen))
    if plot is not None:
        plot_gradients(runs, plot)
    give(
        form,
        out,
        {
            "text": lambda: tables.text(runs, room(out)),
            "markdown": lambda: tables.markdown(runs),
            "csv": lambda: tables.as_csv(runs),
        },
        lambda: {"seed": seed, "batch_size": batch_size, "data": data, "runs": [run.to_dict() for run in runs]},
        lambda path: plot_gradients(runs, path),
    )


def _both(value: str, first: str, second: str) -> list[bool]:
    """True for the first of two ways, False for the second; both where both are asked for."""
    return [True, False] if value == "both" else [value == first]


def _built(
    network: str,
    function: str | None,
    asked: dict[str, Any],
    size: int | None,
    dataset: Dataset | None,
    seed: int,
    trust: str | None,
) -> Located:
    """The network at its first weights.

    Activation and auxiliary heads are options of the builder where it has them; elsewhere rectifiers are exchanged.
    """
    import torch

    from striate.analysis.gradients import with_activation
    from striate.layers import activation as make

    suited = (len(dataset.classes), dataset.channels) if dataset else (None, None)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        found = locate(
            network,
            size=size,
            classes=suited[0],
            channels=suited[1],
            demanded=False,
            device="cpu",
            trust=trust,
            options=asked,
        )
        if function and "activation" not in asked:
            return replace(found, model=with_activation(found.model, lambda: make(function)))
        return found


def _options(network: str, function: str | None, heads: bool) -> dict[str, Any]:
    """What the builder itself can do, for a network of the catalogue."""
    from striate.models import get_card
    from striate.models.options import defaults_of

    try:
        known = defaults_of(get_card(network))
    except UsageError:
        return {}
    wanted = ({"activation": function} if function else {}) | ({"auxiliary": True} if heads else {})
    return {option: value for option, value in wanted.items() if option in known}


def _outputs_of(found: Located) -> int:
    """How many classes it tells apart. Raises StriateError where it gives no logits, or does not run."""
    from striate.layers import output_shape

    with found.at_work():
        try:
            return output_shape(found.model, (2, *found.shape))[1]
        except (AttributeError, IndexError) as error:  # several outputs, or one number
            raise UsageError(f"{found.name} is no classifier, which gives logits (N, classes)") from error
        except (RuntimeError, ValueError, AssertionError) as error:
            words = str(error).splitlines()[0]
            raise StriateError(f"{found.name} cannot be run on images {found.shape}: {words}") from error


def _demand_fit(found: Located, outputs: int, dataset: Dataset) -> None:
    """Raise UsageError where the network is not for such images; two classes may be told by one output."""
    channels, classes = found.shape[0], max(outputs, 2)
    if channels != dataset.channels or classes < len(dataset.classes):
        raise UsageError(
            f"{found.name} takes {channels}-channel images of up to {classes} classes; {dataset.source} has "
            f"{dataset.channels}-channel images of {len(dataset.classes)}"
        )


def _batch(
    dataset: Dataset | None, shape: tuple[int, ...], outputs: int, batch_size: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Images and labels: standard normal noise and random labels, or training images of the data set."""
    import numpy as np
    import torch

    if dataset is None:
        generator = torch.Generator().manual_seed(seed)
        images = torch.randn(batch_size, *shape, generator=generator)
        return images, torch.randint(max(outputs, 2), (batch_size,), generator=generator)

    from striate.data import Preprocessing

    look = Preprocessing.for_dataset(dataset, (shape[1], shape[2]))
    count = min(batch_size, len(dataset.train))
    chosen_ones = np.random.default_rng(seed).choice(len(dataset.train), count, replace=False)
    part = dataset.train.subset(chosen_ones)
    pixels = np.stack([look(part.images.read(index)) for index in range(len(part))])
    return look.normalise(torch.from_numpy(pixels).permute(0, 3, 1, 2)), torch.from_numpy(part.labels)
