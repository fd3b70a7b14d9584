"""striate predict: classify images."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from striate.cli.formats import demand_folder
from striate.cli.output import (
    DeviceOption,
    EngineOption,
    Json,
    ModelArgument,
    Quiet,
    TrustOption,
    WeightsOption,
    loaded,
)
from striate.cli.panels import OUTPUT
from striate.errors import Interrupted, StriateError, UsageError
from striate.files import at_home


def command(
    run: ModelArgument,
    images: Annotated[list[Path], typer.Argument(help="Images and folders of images.", readable=False)],
    top: Annotated[int, typer.Option(help="How many classes to name.")] = 1,
    unsure: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Mark images whose most probable class is less probable, such as 0.8."),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write a table of all.", rich_help_panel=OUTPUT)
    ] = None,
    sort_into: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Copy each image into DIR/CLASS, with --unsure those into DIR/unsure; nothing there is overwritten.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="With --sort-into: links in place of copies.", rich_help_panel=OUTPUT)
    ] = False,
    weights: WeightsOption = None,
    trust: TrustOption = None,
    device: DeviceOption = "auto",
    engine: EngineOption = "auto",
    json: Json = False,
    json_lines: Annotated[
        bool,
        typer.Option(
            "--json-lines", help="Print a JSON object a line for each image, as it comes.", rich_help_panel=OUTPUT
        ),
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Classify images; one that cannot be read is named on standard error, and the rest go on."""
    if unsure is not None and not 0 < unsure <= 1:
        raise UsageError(f"--unsure is {unsure:g}; give a share above 0 and up to 1, such as 0.8 for 80 %.")
    if link and sort_into is None:
        raise UsageError("--link says how images are sorted: give --sort-into DIR with it.")
    if json and json_lines:
        raise UsageError("--json prints one object at the end, --json-lines one for each image; give one of them.")
    if csv is not None:
        demand_folder(at_home(csv))

    from striate.classifier.prediction_table import prediction_table
    from striate.classifier.sorting import Sorting
    from striate.cli.json_lines import JsonLines
    from striate.cli.long_json import LongJson
    from striate.cli.telling import Told
    from striate.data.targets import SINGLE_LABEL
    from striate.training.counting import create_counter
    from striate.training.interruption import Interruption

    classifier = loaded(run, weights, trust, device)
    if classifier.task.kind != SINGLE_LABEL and (sort_into or unsure is not None):
        raise UsageError(
            f"{run} does not name one class for each image, so --sort-into and --unsure do not go with it; --csv and "
            "--json give all it says."
        )
    sorting = None if sort_into is None else Sorting(sort_into, classifier.classes, images, link)
    stream = classifier.stream(images, top, engine)
    with ExitStack() as open_files:
        columns = (classifier.task, top, unsure is not None)
        table = None if csv is None else open_files.enter_context(prediction_table(csv, *columns))
        counter = open_files.enter_context(create_counter("predicting", quiet or json or json_lines))
        as_json = JsonLines() if json_lines else LongJson("predictions") if json else None
        told = Told(unsure, as_json, table, sorting, counter)
        stop = open_files.enter_context(Interruption())
        try:
            for prediction in stream:
                told.tell(prediction)
                if stop.requested:
                    raise Interrupted(f"interrupted after {told.done(csv)}.")
        except StriateError as error:
            if not isinstance(error, Interrupted) and told.count:
                error.args = (f"{error} Done before: {told.done(csv)}.",)
            raise
    told.finish(stream, csv)
    if told.unreadable == told.count:
        raise typer.Exit(1)
