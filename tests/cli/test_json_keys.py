"""The JSON that programs read: one object on standard output with exactly these keys, and no NaN in it."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

FIGURES = {
    "images",
    "loss",
    "top1",
    "top1_low",
    "top1_high",
    "top5",
    "balanced_accuracy",
    "macro_f1",
    "ece",
    "per_class",
    "confusion",
}
SCORE = {"name", "precision", "recall", "f1", "support"}
CARD = {
    *("name", "family", "paper", "introduces", "input_size", "parameters", "min_size", "small_min_size", "num_classes"),
    *("in_channels", "fixed_size", "published", "peers", "weights", "deviations", "errata", "aliases", "options"),
    *("auxiliary_weight", "base"),
}
FIGURE = {"metric", "value", "source", "data", "input_size", "crop", "options", "note", "printed"}
SOURCE = {
    *("name", "file", "sha256", "url", "origin", "licence", "num_classes", "input_size", "mean", "std"),
    *("classes", "md5", "size"),
    *("crop_fraction", "interpolation", "resize", "accuracy", "options", "style"),
}
RECIPE = {
    *("name", "network", "epochs", "batch_size", "init", "optimizer", "learning_rate", "momentum", "nesterov"),
    *("weight_decay", "schedule", "warmup_epochs", "peak", "milestones", "every", "gamma", "patience", "loss"),
    *(
        "label_smoothing",
        "auxiliary_weight",
        "balance",
        "clip_norm",
        "stage_decay",
        "unfreeze",
        "average",
        "norm_statistics",
        "early_stopping",
        "validation_precision",
        "augment",
    ),
}
AUGMENT = {
    *("flip", "vertical_flip", "crop_padding", "translate", "area", "ratio", "rotate", "scale", "shear"),
    *("brightness", "contrast", "saturation", "hue", "border", "elastic", "grey", "colour_shift", "pca"),
    *("downscale", "blur", "noise", "jpeg", "erase", "mixup", "cutmix", "choose", "magnitude"),
}
PREPROCESSING = {"size", "channels", "mean", "std", "resize", "crop_fraction", "interpolation"}
FIELD = {"name", "value", "default", "meaning"}
COST = {"multiply_adds", "parameters", "memory"}

#: A command, and the keys of its object; those of an object or a list of objects inside it behind "KEY.".
EXPECTED: dict[str, dict[str, set[str]]] = {
    "train {colours} --model lenet5 --epochs 1 --workers 0 --run new": {
        "": {"run", "split", "report", *FIGURES},
        "per_class": SCORE,
    },
    "augment --list": {"": {"policies"}, "policies": {*AUGMENT, "name", "does"}},
    "augment {colours}/red/0.png --policy mild": {
        "": {"sheet", "transforms", "policy", "skipped"},
        "policy": AUGMENT,
    },
    "augment {colours} --policy mild": {"": {"sheet", "policy", "label_changes"}, "policy": AUGMENT},
    "augment {colours}/red/0.png --show-input {run}": {
        "": {"sheet", "preprocessing", "policy"},
        "preprocessing": PREPROCESSING,
        "policy": AUGMENT,
    },
    "embed {colours} --model {run} --out new.parquet": {
        "": {"file", "images", "unreadable", "features", "network", "weights", "notes"}
    },
    "evaluate {run}": {"": {"run", "split", "notes", "engine", *FIGURES}, "per_class": SCORE},
    "predict {run} {colours}/red --top 2": {
        "": {"predictions", "notes", "counts", "unsure", "unreadable"},
        "counts": {"red"},
        "predictions": {"name", "class", "probability", "top"},
        "predictions.top": {"class", "probability"},
    },
    "check {colours}": {
        "": {
            *("source", "task", "classes", "channels", "images", "formats", "sizes", "file_channels", "bit_depths"),
            *("skipped", "notes", "duplicates", "same_pictures", "contradictions", "blank", "tiny", "fingerprint"),
            *("counts", "findings", "network", "set_aside"),
        },
        "images": {"train", "val"},
        "images.train": {"blue", "green", "red"},
        "sizes": {"commonest", "with_commonest", "smallest", "largest", "different", "images"},
    },
    "models lenet5": {"": {"models"}, "models": {*CARD, "multiply_adds", "top1", "top1_source"}},
    "recipes": {"": {"recipes"}, "recipes": {*RECIPE, "purpose"}, "recipes.augment": AUGMENT},
    "experiment": {
        "": {"experiments"},
        "experiments": {"name", "question", "source", "conditions", "steps"},
        "experiments.steps": {"name", "does", "claim", "epochs", "full"},
    },
    "recipes tiny": {"": {"recipe", "purpose", "fields"}, "fields": FIELD},
    "recipes --fields": {"": {"fields"}, "fields": FIELD},
    "card lenet5": {
        "": {*CARD, "figures"},
        "paper": {"title", "authors", "year", "arxiv"},
        "figures": {
            "source",
            "name",
            "input_size",
            "parameters",
            "multiply_adds",
            "activation_bytes",
            "receptive_field",
        },
    },
    "card resnet50": {
        "": {*CARD, "figures"},
        "published": FIGURE,
        "weights": SOURCE,
        "weights.accuracy": FIGURE,
        "errata": {"printed", "right", "figures"},
    },
    "summary lenet5": {
        "": {
            "network",
            "name",
            "input_shapes",
            "parameters",
            "trainable_parameters",
            "parameter_bytes",
            "buffers",
            "multiply_adds",
            "flops",
            "not_counted",
            "activation_bytes",
            "kept_bytes",
            "gradient_bytes",
            "optimizer_bytes",
            "receptive_field",
            "rows",
            "counted",
            "notes",
        },
        "optimizer_bytes": {"sgd", "momentum", "adam"},
        "rows": {
            "name",
            "type",
            "depth",
            "output_shape",
            "parameters",
            "trainable",
            "multiply_adds",
            "flops",
            "not_counted",
            "activation_bytes",
            "kept_bytes",
            "receptive_field",
            "stride",
            "offset",
            "sees_all",
            "reused",
        },
    },
    "compare lenet5 keras_mnist": {
        "": {"networks"},
        "networks": {
            "network",
            "input_shape",
            "parameters",
            "trainable_parameters",
            "multiply_adds",
            "flops",
            "not_counted",
            "activation_bytes",
            "kept_bytes",
            "receptive_field",
            "sees_all",
            "top1",
            "top1_source",
        },
    },
    "field lenet5 --samples 1": {
        "": {
            "network",
            "layer",
            "unit",
            "image",
            "theoretical",
            "sigma",
            "side_68",
            "side_95",
            "area_68",
            "area_95",
            "fraction_95",
            "luo_side",
            "samples",
            "picture",
        }
    },
    "layer 32x32x3 relu": {
        "": {"input", "layers"},
        "layers": {
            "words",
            "input_shape",
            "output_shape",
            "parameters",
            "multiply_adds",
            "output_bytes",
            "receptive_field",
            "stride",
            "sees_all",
            "arithmetic",
        },
    },
    "weights list lenet5": {"": {"weights"}},
    "weights list resnet18": {
        "": {"weights"},
        "weights": {
            *("network", "name", "origin", "url", "file", "bytes", "checksum", "licence", "input_size", "top1", "path"),
        },
    },
    "weights verify lenet5": {"": {"verified"}},
    "weights where": {"": {"folders", "cache"}, "folders": {"path", "kind", "exists"}},
    "scale mobilenet_v1 --macs 100M": {
        "": {"spec", "phi", "factors", "input_size", "cost", "latency", "limits"},
        "spec": {"name", "arguments"},
        "factors": {"width", "resolution"},
        "cost": COST,
        "limits": {"multiply_adds"},
    },
    "recommend --images 100 --params 3M": {
        "": {"images", "size", "limits", "advice", "networks"},
        "advice": {"when", "advice", "freeze"},
        "networks": {
            "name",
            "input_size",
            "weights",
            "accuracy",
            "measured_on",
            "source",
            "freeze",
            "cost",
            "latency",
            "reasons",
        },
        "networks.cost": COST,
        "limits": {"parameters"},
    },
    "kernel --list": {"": {"kernels"}},
    "gradients lenet5": {
        "": {"seed", "batch_size", "data", "runs"},
        "runs": {"network", "loss", "first_to_last", "layers"},
        "runs.layers": {"name", "type", "weights", "weight_norm", "gradient_norm", "gradient_rms"},
    },
}


def keys_at(value: Any, path: str) -> set[str]:
    """The keys of the objects at a path; those in a list must all have the same."""
    for name in filter(None, path.split(".")):
        value = value[0][name] if isinstance(value, list) else value[name]
    found = {frozenset(one) for one in value} if isinstance(value, list) else {frozenset(value)}
    (keys,) = found
    return set(keys)


@pytest.mark.parametrize("command", EXPECTED, ids=lambda command: command.split()[0])
def test_json_keys(command, cli, colours, trained):
    words = [word.format(colours=colours, run=trained) for word in command.split()]
    outcome = cli(*words, "--json")
    assert outcome.code == 0, outcome.err

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    found = json.loads(outcome.out, parse_constant=refuse)
    for path, keys in EXPECTED[command].items():
        assert keys_at(found, path) == keys, path


def test_every_command_is_here():
    from striate.cli.app import COMMANDS

    elsewhere = {"grow", "advise"}  # which need a run that can grow and weights at hand, see test_grow and test_advise
    assert {command.split()[0] for command in EXPECTED} | elsewhere == set(COMMANDS)


def test_a_filtered_picture_has_its_keys(cli):
    Image.fromarray(np.arange(300, dtype=np.uint8).reshape(10, 10, 3)).save("picture.png")
    outcome = cli("kernel", "picture.png", "--kernel", "sobel_x", "--explain", 3, 4, "--json")
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert found.keys() == {
        *("image", "size", "kernel", "rows", "operation", "border", "result_size", "lowest", "highest", "signed"),
        *("gain", "out", "explained"),
    }
    assert found["explained"].keys() == {"x", "y", "centre", "kernel", "beyond_the_edge", "channels"}
    assert keys_at(found, "explained.channels") == {"name", "window", "products", "sum", "shown"}


def test_what_is_not_a_number_is_null(capsys):
    from striate.cli.output import print_json

    print_json({"a": math.nan, "b": [math.inf, {"c": -math.inf}], "d": (1.5, "NaN")})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [None, {"c": None}], "d": [1.5, "NaN"]}


def test_a_file_of_json_has_no_nan_either(cli):
    assert cli("summary", "lenet5", "--out", "summary.json").code == 0
    assert json.loads(Path("summary.json").read_text(encoding="utf-8"))["network"] == "lenet5"
