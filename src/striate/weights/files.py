"""Reading files of weights: safetensors, which may describe themselves, and state dicts of PyTorch and Keras."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from striate.errors import StriateError
from striate.files import at_home
from striate.weights.converted import known
from striate.weights.figure import ONE_CROP, Figure
from striate.weights.images import IMAGENET_STATISTICS, Images
from striate.weights.keras import SUFFIXES as KERAS
from striate.weights.keras import read_keras
from striate.weights.pickles import is_pickle, read_pickle
from striate.weights.source import WeightSource

#: Arguments of a network that its weights do not depend on: what images and classes are, how weights were first drawn,
#: and what only training does.
NOT_OF_THE_WEIGHTS = (
    *("num_classes", "in_channels", "input_size"),
    *("init", "zero_init_residual", "gate_bias"),
    *("dropout", "hidden_dropout", "dropout_image", "drop_path", "norm_momentum", "memory_efficient"),
)

#: The weights of a run folder.
RESULT = "model.safetensors"

#: The metadata entry of a trained classifier's file.
OWN_MODEL = "striate model 1"

PADDING = {"tf_same": "tensorflow", "symmetric": "symmetric"}
INTERPOLATIONS = ("bilinear", "bicubic")
#: By which rule images are resized for weights of one of these, some of which earlier versions wrote.
_RESIZE_RULES = {
    **{rule: rule for rule in ("crop", "letterbox", "stretch")},
    "squash": "stretch",
    "none": "crop",  # images had the right size, others have to be brought to it
}


def read_state(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name.

    Raises:
        StriateError: there is no such file, it is damaged, or it is a pickle.
    """
    with _open(path) as file:
        return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118


def read_metadata(path: str | Path) -> dict[str, str]:
    """The file's description of itself, every value a string; raises as `read_state`."""
    with _open(path) as file:
        return dict(file.metadata() or {})


def classes_in(path: Path) -> tuple[str, ...]:
    """The names of the classes that a trained classifier's file was trained on; none of other files.

    Raises:
        StriateError: as `read_state`, or what it says cannot be understood.
    """
    metadata = read_metadata(path)
    if OWN_MODEL not in metadata:
        return ()
    try:
        return tuple(map(str, json.loads(metadata[OWN_MODEL])["classes"]))
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise StriateError(f"{path}: its metadata cannot be understood ({error!r}); save the file anew") from error


def read_shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """The shapes of a file's tensors by name; raises as `read_tensors`."""
    if not has_metadata(Path(path)):
        return {key: tuple(tensor.shape) for key, tensor in read_tensors(path).items()}
    with _open(path) as file:
        return {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118


def weights_file(path: str | Path) -> Path:
    """The file of weights that a path stands for: itself, or the model.safetensors of a run folder.

    Raises:
        StriateError: a folder that has none; the line says what it is.
    """
    path = at_home(path)
    if not path.is_dir():
        return path
    file = path / RESULT
    if not file.exists():
        unfinished = (path / "last.ckpt").exists()
        hint = f"the run has no result yet; go on with --resume {path}" if unfinished else "no run folder"
        raise StriateError(f"{path}: no {RESULT} in it ({hint}).")
    return file


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a file of any format by the names that they have in it; the end of its name tells the format.

    Raises:
        StriateError: there is no such file, it is damaged, or holds other things than weights.
    """
    path = Path(path)
    if path.suffix in KERAS:
        return read_keras(path)
    return read_pickle(path) if is_pickle(path) else read_state(path)


def has_metadata(path: Path) -> bool:
    """Whether a file is of the format that can describe itself."""
    return path.suffix not in KERAS and not is_pickle(path)


def describe(path: str | Path, input_size: int = 224, images: Images = IMAGENET_STATISTICS) -> WeightSource:
    """The record of a file, by its content where that is known, else from its metadata where it has any.

    Understood keys: input_size, input_mean, input_std, resize_short_side, interpolation, padding, bn_eps, licence,
    source_repository, top1 with top1_set, and spec, a JSON object {"name", "arguments"} as
    `ModelSpec.to_dict` makes it; or the description in a model.safetensors of one's own.
    `input_size` and `images` are for files that do not say. Raises as `read_state`.
    """
    path = Path(path)
    metadata = read_metadata(path) if has_metadata(path) else {}
    found = known(path)
    if found is not None:
        return found
    try:
        own = _own_description(metadata[OWN_MODEL]) if OWN_MODEL in metadata else {}
        return _describe(path, {"input_size": str(input_size), **own, **metadata}, images)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise StriateError(f"{path}: its metadata cannot be understood ({error!r}); save the file anew") from error


def _own_description(text: str) -> dict[str, str]:
    """The understood keys from what a trained classifier's file says of itself."""
    description = json.loads(text)
    look = description["preprocessing"]
    side = look["size"][0]
    whole = look["resize"] != "crop"
    return {
        "spec": json.dumps(description["network"]),
        "input_size": str(side),
        "resize_short_side": str(side if whole else side / look["crop_fraction"]),
        "input_mean": json.dumps(look["mean"]),
        "input_std": json.dumps(look["std"]),
        "interpolation": look.get("interpolation", "bilinear"),
        "resize": look["resize"],
    }


def _describe(path: Path, metadata: Mapping[str, str], images: Images) -> WeightSource:
    fields: dict[str, Any] = {"mean": images.mean, "std": images.std, "interpolation": images.interpolation}
    fields["resize"] = _RESIZE_RULES[metadata.get("resize", "crop")]
    options: dict[str, Any] = {}
    size = int(metadata["input_size"])
    resize = float(metadata.get("resize_short_side", size))
    # 256 for 224 is the rounding of 224 / 0.875, and so are 219, 183 and 146 for 192, 160 and 128
    fields["crop_fraction"] = 0.875 if round(size / 0.875) == resize else size / resize
    if not 0 < fields["crop_fraction"] <= 1 or size < 1:
        raise ValueError(f"images of {size} pixels cannot be cut out of {resize:g}")
    for ours in ("mean", "std"):
        if f"input_{ours}" in metadata:
            fields[ours] = tuple(float(value) for value in json.loads(metadata[f"input_{ours}"]))
    if "interpolation" in metadata:
        fields["interpolation"] = _interpolation(metadata["interpolation"])
    if "padding" in metadata:
        options["padding"] = PADDING[metadata["padding"]]
    if "bn_eps" in metadata:
        options["norm_eps"] = float(metadata["bn_eps"])
    if "spec" in metadata:
        arguments = json.loads(metadata["spec"])["arguments"]
        options |= {key: value for key, value in arguments.items() if key not in NOT_OF_THE_WEIGHTS}
        if arguments.get("input_size"):
            size = arguments["input_size"][0]
    if "top1" in metadata:
        data, origin = metadata.get("top1_set", ""), metadata.get("source_repository", "")
        fields["accuracy"] = (Figure("top1", float(metadata["top1"]), origin, data, size, ONE_CROP),)
    return WeightSource(
        name=str(path),
        file=path.name,
        origin=metadata.get("source_repository", ""),
        licence=metadata.get("licence", ""),
        input_size=size,
        options=options,
        **fields,
    )


def _interpolation(said: str) -> str:
    """The way that a file names, perhaps with more words behind it ("bicubic, antialiased (Pillow)")."""
    for way in INTERPOLATIONS:
        if said.startswith(way):
            return way
    raise ValueError(f"interpolation '{said}' is none of {', '.join(INTERPOLATIONS)}")


def _open(path: str | Path) -> Any:
    path = Path(path)
    if not path.is_file():
        raise StriateError(f"{path}: no such file of weights")
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError) as error:
        with path.open("rb") as file:
            head = file.read(4)
        if head[:2] in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
            raise StriateError(
                f"{path}: this is a pickle, which can run code when it is opened, and is refused; "
                "save its state dict with safetensors.torch.save_file, or call it .pth where it is one"
            ) from error
        raise StriateError(f"{path}: not a whole safetensors file ({error}); fetch or save it again") from error
