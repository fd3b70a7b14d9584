"""striate experiment: the lectures' experiments, listed, explained, and run on images of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli.output import DeviceOption, Json, Quiet, print_json, print_table, terminal_width
from striate.cli.panels import MACHINE, NETWORK, RUN, TRAINING
from striate.errors import UsageError
from striate.text_tables import Column, Table, clipped, described
from striate.units import percent

if TYPE_CHECKING:
    from striate.experiments.steps import Experiment

LISTED = (
    Column("experiment", right=False),
    Column("steps", rank=2),
    Column("question", right=False, rank=1, least=34, cut=clipped),
)
STEPS = (
    Column("step", right=False),
    Column("epochs"),
    Column("--full", rank=2),
    Column("the source", rank=3),
    Column("what is done", right=False, rank=1, least=24, cut=clipped),
)


def command(
    name: Annotated[str | None, typer.Argument(help="An experiment; without one they are listed.")] = None,
    source: Annotated[
        str | None, typer.Argument(metavar="FOLDER", help="Its images, as for train; without them it is explained.")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            help="The folder to write; by default its name in runs/. Given again, it goes on.", rich_help_panel=RUN
        ),
    ] = None,
    time_limit: Annotated[
        str | None,
        typer.Option(
            help="Stop cleanly after so long: 90s, 15m, 2h, or a number of seconds; never by default.",
            rich_help_panel=RUN,
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Of every step, instead of its own.", rich_help_panel=TRAINING)
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="The source's own epochs and rates: hours.", rich_help_panel=TRAINING)
    ] = False,
    seed: Annotated[
        int, typer.Option(help="Decides split, first weights, order and augmentations.", rich_help_panel=TRAINING)
    ] = 0,
    model: Annotated[
        str | None,
        typer.Option(help="The network of the pretrained steps, instead of its own.", rich_help_panel=NETWORK),
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="Its weights: a name on its card, a run or a file.", rich_help_panel=NETWORK)
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(help="Side of the images that the networks see, pixels.", rich_help_panel=NETWORK),
    ] = None,
    device: DeviceOption = "auto",
    workers: Annotated[
        int | None,
        typer.Option(
            help="Processes that read and augment images; by default as many as help.", rich_help_panel=MACHINE
        ),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run an experiment of the lectures on a folder of images, and show its steps side by side.

    What is done already in its folder is taken from there, so the same command goes on after Ctrl-C.
    """
    from striate.experiments.shelf import EXPERIMENTS, get_experiment

    if name is None:
        _list(list(EXPERIMENTS.values()), json)
        return
    if source is None:
        if run is not None:
            raise UsageError(f"give the images to run it on: striate experiment {name} FOLDER")
        _explain(get_experiment(name), json)
        return

    from striate.classifier.values import seconds
    from striate.experiments import experiment
    from striate.experiments.outcomes import table_of

    results = experiment(
        name,
        source,
        run=run,
        epochs=epochs,
        full=full,
        model=model,
        weights=weights,
        size=size,
        seed=seed,
        time_limit=0.0 if time_limit is None else seconds("--time-limit", time_limit),
        workers=workers,
        device=device,
        quiet=quiet,
    )
    if json:
        print_json(results.to_dict())
        return
    print_table(table_of(results), ruled=True)
    print(described(results.notes(), terminal_width()))
    print(f"written to {results.path}: experiment.md, experiment.json, curves.png, and a run folder for each step")
    if not results.done:
        print("the same command goes on with what is not done")


def _list(experiments: list[Experiment], json: bool) -> None:
    if json:
        print_json({"experiments": [_plain(each) for each in experiments]})
        return
    print_table(Table(LISTED, [[each.name, str(len(each.steps)), each.question] for each in experiments]))


def _explain(chosen: Experiment, json: bool) -> None:
    """What an experiment asks, its steps, and what its source says of each."""
    if json:
        print_json(_plain(chosen))
        return
    print(described([(chosen.name, chosen.question)], terminal_width()))
    rows = [
        [
            step.name,
            str(step.epochs),
            str(step.full),
            "" if step.claim is None else percent(step.claim, 0),
            step.does,
        ]
        for step in chosen.steps
    ]
    print_table(Table(STEPS, rows))
    notes = [
        ("source", f"{chosen.source}; {chosen.conditions}"),
        ("run it", f"striate experiment {chosen.name} FOLDER"),
    ]
    print(described(notes, terminal_width()))


def _plain(chosen: Experiment) -> dict[str, object]:
    steps = [
        {"name": step.name, "does": step.does, "claim": step.claim, "epochs": step.epochs, "full": step.full}
        for step in chosen.steps
    ]
    said = {name: getattr(chosen, name) for name in ("name", "question", "source", "conditions")}
    return {**said, "steps": steps}
