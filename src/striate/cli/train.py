"""striate train: from images to a run folder."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from striate.cli.command import given
from striate.cli.output import Json, Quiet, print_json
from striate.cli.pairs import options, pairs
from striate.cli.panels import MACHINE, NETWORK, RUN, TRAINING
from striate.errors import UsageError

#: What may be said when a run goes on; everything else was decided when it began.
WITH_RESUME = {
    "resume",
    "extend",
    "data",
    "trust",
    "workers",
    "cache",
    "time_limit",
    "drop_checkpoint",
    "json",
    "quiet",
}

#: Names of recipes for the help, which has no time to import what knows them; a test compares the two.
RECIPES = (
    "photos",
    "finetune",
    "transfer_head",
    "transfer_all",
    "tiny",
    "mnist_fast",
    "mnist_accurate",
    "lenet_1998",
    "cifar10_fast",
)


def command(
    context: typer.Context,
    source: Annotated[
        str | None,
        typer.Argument(
            help="A folder with one folder per class, a table, list, archive or Parquet file, an address, or a name "
            "such as mnist."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Its name, which `striate models` lists, torchvision:NAME, timm:NAME or file.py:FUNCTION; by default "
            "the recipe's, else what suits the images.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            help="Weights to start from: a name on the network's card, or what says the network itself: a run, a file, "
            "or hf:ORG/NAME of the Hugging Face Hub.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    grow_from: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="A run, or its model file, whose network --model is made deeper: its layers are copied. --freeze "
            "copied trains the new ones first, --set unfreeze=3:none all from epoch 3 on.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    grow_rule: Annotated[
        str,
        typer.Option(
            help="With --grow-from: new layers begin as identity or random; paper copies what VGG's authors did.",
            rich_help_panel=NETWORK,
        ),
    ] = "identity",
    size: Annotated[
        int | None,
        typer.Option(
            help="Side of the images it sees, pixels; by default what suits the images and the weights.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    resize: Annotated[
        str | None,
        typer.Option(
            help="How images are brought to that size: crop (their middle), letterbox (whole, on black), stretch "
            "(whole, whatever their aspect) or none; by default what suits.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    freeze: Annotated[
        str | None,
        typer.Option(
            help="Train only what comes after this part: stem, a stage's name, or all, after which comes the head; "
            "--set unfreeze=5:none trains the rest from epoch 5 on.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    transfer: Annotated[
        str | None,
        typer.Option(
            help="How pretrained weights are used: features, head, top, full, scratch or auto, which is the default "
            "for photographs where weights can be had; with --epochs, full.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    views: Annotated[
        int | None,
        typer.Option(
            help="Augmented copies of each training image whose features are taken and kept, too; by default 4 where "
            "images are few, or what follows trains on such copies.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    shallow: Annotated[
        str | None,
        typer.Option(
            help="The classifier of the features: softmax, svm or cosine (the nearest class mean); by default what "
            "suits.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="An option of the network, such as shortcut=B; `striate card` lists them. hidden=256,128 puts hidden "
            "layers of those widths into its head. Given again for another.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help=f"How to train: {', '.join(RECIPES)}; `striate recipes` tells what each is for. By default that of "
            "the transfer; without one finetune with weights, else tiny for small images, else photos.",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(help="Passes over the training images; the recipe's by default.", rich_help_panel=TRAINING),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            help="Images per step; the recipe's by default, less where there are few images.", rich_help_panel=TRAINING
        ),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            "--learning-rate", "--lr", help="Its peak; by default the recipe's, to suit.", rich_help_panel=TRAINING
        ),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            help="How training images are augmented: by a policy (`striate augment --list`); by default the recipe's.",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    balance: Annotated[
        str | None,
        typer.Option(
            help="What is done about classes of few images: weights (they count more), sampler (they come more often) "
            "or none, the default.",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Any field of the recipe, such as augment.rotate=15; `striate recipes --fields` explains them all. "
            "Given again for another.",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="What a table's labels are: single-label, multi-label or regression; by default what they look like.",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN[,...]",
            help="The columns of a table that hold the labels or values; by default those called so.",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    val_fraction: Annotated[
        float,
        typer.Option(
            help="Share of the training images to validate on, where there is no such split.", rich_help_panel=TRAINING
        ),
    ] = 0.1,
    seed: Annotated[
        int, typer.Option(help="Decides split, first weights, order and augmentations.", rich_help_panel=TRAINING)
    ] = 0,
    run: Annotated[
        Path | None, typer.Option(help="The folder to write; by default a new one in runs/.", rich_help_panel=RUN)
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with this run.", readable=False, rich_help_panel=RUN)
    ] = None,
    extend: Annotated[int, typer.Option(help="With --resume: epochs to add.", rich_help_panel=RUN)] = 0,
    data: Annotated[
        str | None,
        typer.Option(help="With --resume: where its images lie now, if they moved.", rich_help_panel=RUN),
    ] = None,
    trust: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.py",
            help="With --resume: the file whose code makes the network, where it is your own.",
            rich_help_panel=RUN,
        ),
    ] = None,
    time_limit: Annotated[
        str | None,
        typer.Option(
            help="Stop cleanly after so long: 90s, 15m, 2h, or a number of seconds; never by default.",
            rich_help_panel=RUN,
        ),
    ] = None,
    drop_checkpoint: Annotated[
        bool,
        typer.Option(
            "--drop-checkpoint",
            help="Remove last.ckpt at the end: the run cannot be extended then.",
            rich_help_panel=RUN,
        ),
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.", rich_help_panel=MACHINE)] = "auto",
    devices: Annotated[int, typer.Option(help="How many devices.", rich_help_panel=MACHINE)] = 1,
    precision: Annotated[str, typer.Option(help="auto, 32, bf16, 16 or 64.", rich_help_panel=MACHINE)] = "auto",
    workers: Annotated[
        int | None,
        typer.Option(
            help="Processes that read and augment images; by default as many as help.", rich_help_panel=MACHINE
        ),
    ] = None,
    cache: Annotated[
        str,
        typer.Option(
            help="Where decoded pictures are kept: ram, disk (a file that later runs use, too), off, or auto, where "
            "they fit and it pays.",
            rich_help_panel=MACHINE,
        ),
    ] = "auto",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a classifier on images and write a run folder with its report."""
    if resume is not None:
        if wrong := [flag for name, flag in given(context).items() if name not in WITH_RESUME]:
            raise UsageError(
                f"a run goes on as it began, so {', '.join(wrong)} cannot be given with --resume; "
                "--extend N adds epochs."
            )
    elif extend:
        raise UsageError("--extend adds epochs to a run: give --resume RUN with it.")
    elif data is not None:
        raise UsageError("--data says where a run's images lie now: give --resume RUN with it.")
    elif trust is not None:
        raise UsageError("--trust says whose code makes the network of a run: give --resume RUN with it.")
    elif source is None:
        raise UsageError("give the images to train on: striate train FOLDER; or a run to go on with: --resume RUN.")

    from striate.classifier import resume as resume_run
    from striate.classifier import train
    from striate.classifier.values import seconds

    limit = 0.0 if time_limit is None else seconds("--time-limit", time_limit)
    if resume is not None:
        given_cache = cache if "cache" in given(context) else None
        classifier = resume_run(
            resume,
            extend=extend,
            data=data,
            time_limit=limit,
            quiet=quiet,
            workers=workers,
            cache=given_cache,
            trust=trust,
            drop_checkpoint=drop_checkpoint,
        )
    else:
        assert source is not None
        classifier = train(
            source,
            model=model,
            weights=weights,
            grow_from=grow_from,
            grow_rule=grow_rule,
            recipe=recipe,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            policy=policy,
            balance=balance,
            settings=pairs(set_, "--set"),
            options=options(option),
            size=size,
            resize=resize,
            freeze=freeze,
            transfer=transfer,
            views=views,
            shallow=shallow,
            task=task,
            target=target,
            val_fraction=val_fraction,
            seed=seed,
            run=run,
            device=device,
            devices=devices,
            precision=precision,
            workers=workers,
            cache=cache,
            time_limit=limit,
            quiet=quiet,
            drop_checkpoint=drop_checkpoint,
            command=shlex.join(["striate", *sys.argv[1:]]),
        )
    if os.environ.get("LOCAL_RANK", "0") == "0":  # of several processes the first speaks
        _print_result(classifier, json)


def _print_result(classifier: Any, json: bool) -> None:
    from striate.cli.evaluations import evaluation_lines

    folder, evaluation = classifier.path, classifier.evaluation
    split = evaluation.split
    if json:
        figures = evaluation.to_dict()
        print_json({"run": str(folder), "split": split, **figures, "report": str(folder / "report.html")})
        return
    print(evaluation_lines(evaluation, split))
    print(f"model   {folder / 'model.safetensors'}")
    print(f"report  {folder / 'report.html'}")
