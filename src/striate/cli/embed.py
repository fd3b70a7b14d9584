"""striate embed: the feature vector of each image, as a table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from striate.cli.formats import demand_folder
from striate.cli.output import DeviceOption, EngineOption, Json, Quiet, TrustOption, WeightsOption, loaded, print_json
from striate.cli.panels import NETWORK, OUTPUT
from striate.errors import Interrupted, UsageError
from striate.files import at_home


def command(
    images: Annotated[list[Path], typer.Argument(help="Images and folders of images.", readable=False)],
    out: Annotated[Path, typer.Option(help="The table to write, .parquet or .csv.", rich_help_panel=OUTPUT)],
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN|NETWORK",
            help="A run folder, a model's file or a pretrained network; by default the most accurate of those whose "
            "weights are on this machine.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    weights: WeightsOption = None,
    trust: TrustOption = None,
    device: DeviceOption = "auto",
    engine: EngineOption = "auto",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the vector that a network's last layer sees of each image: alike for images that look alike."""
    demand_folder(at_home(out))

    from striate.classifier.embedding_table import check_path, embedding_table
    from striate.classifier.network_choice import usual_network
    from striate.training.counting import create_counter
    from striate.training.interruption import Interruption
    from striate.units import plural

    check_path(out)
    if model is None:
        if weights is not None:
            raise UsageError("--weights are of a network: give --model with it.")
        name, file = usual_network()
        model, weights = Path(name), str(file)
    classifier = loaded(model, weights, trust, device)
    stream = classifier.vectors(images, engine)
    about = {"network": classifier.description.network["name"], "weights": str(classifier.path or weights or "")}
    done = unreadable = 0
    with (
        embedding_table(out, classifier.model.num_features, about) as table,
        create_counter("embedding", quiet or json) as shown,
        Interruption() as stop,
    ):
        for names, vectors, failed in stream:
            for error in failed:
                with shown.aside():
                    print(f"striate: {error}", file=sys.stderr)
            if names:
                table.write(names, vectors)
            done, unreadable = done + len(names), unreadable + len(failed)
            shown(done + unreadable)
            if stop.requested:
                raise Interrupted(f"interrupted after {plural(done, 'image')}; {out} is not written.")
    for note in stream.notes:
        print(f"note: {note}", file=sys.stderr)
    if json:
        found = {"file": str(out), "images": done, "unreadable": unreadable, "features": classifier.model.num_features}
        print_json({**found, **about, "notes": list(stream.notes)})
    else:
        more = f"; {unreadable:,} could not be read" if unreadable else ""
        width = classifier.model.num_features
        print(f"{plural(done, 'image')} as {width:,} features each, by {about['network']}{more}: {out}")
    if not done:
        raise typer.Exit(1)
