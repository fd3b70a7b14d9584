"""A layer in words, as lectures and papers write it: "conv 10 5x5 pad 2", "pool max 3x3 stride 2", "dense 1000".

The first word is one of `KINDS` or of `ACTIVATIONS`. A number is filters or units, of a pooling its square kernel; 5x5
is a kernel (5 a square one behind the word kernel); stride, pad, dilation and groups stand before their numbers, "pad
same" is TensorFlow's. A convolution has stride 1 and no padding unless said, a pooling the stride of its kernel; "no
bias" leaves out the bias.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from striate.errors import UsageError, unknown
from striate.layers.activation import ACTIVATIONS
from striate.layers.window import Window

Pair = tuple[int, int]
SAME = "same"

_SLIDES = ("kernel", "stride", "padding")
#: What can be said of each kind, what must be, and an example.
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "conv": (("number", *_SLIDES, "dilation", "groups", "bias"), ("number", "kernel"), "conv 10 5x5 pad 2"),
    "depthwise": (("number", *_SLIDES, "dilation", "bias"), ("kernel",), "depthwise 3x3 pad 1"),
    "transposed": (("number", *_SLIDES, "groups", "bias"), ("number", "kernel"), "transposed 64 2x2 stride 2"),
    "local": (("number", *_SLIDES, "bias"), ("number", "kernel"), "local 32 3x3"),
    "pool": ((*_SLIDES, "pooling"), ("kernel",), "pool max 2x2"),
    "global": (("pooling",), (), "global average"),
    "dense": (("number", "bias"), ("number",), "dense 1000"),
    "norm": ((), (), "norm"),
    "lrn": ((), (), "lrn"),
    "dropout": ((), (), "dropout"),
    "flatten": ((), (), "flatten"),
}
#: Those whose kernel is a window over the input.
SLIDING = ("conv", "depthwise", "local", "pool")

_SPELLINGS = {
    "convolution": "conv",
    "fc": "dense",
    "linear": "dense",
    "maxpool": "pool",
    "avgpool": "pool average",
    "bn": "norm",
    "batchnorm": "norm",
    "deconv": "transposed",
}
_PAIR = r"(\d+)[x×](\d+)"
_POOLINGS = {"max": "max", "average": "average", "avg": "average", "mean": "average", "sum": "sum", "l2": "l2"}
_NUMBERED = {
    "kernel": "kernel",
    "stride": "stride",
    "s": "stride",
    "pad": "padding",
    "padding": "padding",
    "p": "padding",
    "dilation": "dilation",
    "groups": "groups",
}


@dataclass(frozen=True)
class Words:
    """What was said of a layer; None for what was not.

    Attributes:
        text: the words themselves.
        kind: a key of `KINDS` or of `ACTIVATIONS`.
        number: filters or units.
        kernel: (height, width); likewise `stride`, `padding` (or "same") and `dilation`.
        groups: of a convolution.
        bias: whether it has one.
        pooling: "max", "average", "sum" or "l2".
    """

    text: str
    kind: str
    number: int | None = None
    kernel: Pair | None = None
    stride: Pair | None = None
    padding: Pair | str | None = None
    dilation: Pair | None = None
    groups: int | None = None
    bias: bool = True
    pooling: str | None = None

    def windows(self) -> tuple[Window, Window] | None:
        """The window along height and along width; None for a layer without one, or padded as TensorFlow pads."""
        if self.kernel is None or self.padding == SAME or self.kind not in SLIDING:
            return None
        stride = self.stride or (self.kernel if self.kind == "pool" else (1, 1))
        padding, dilation = self.padding or (0, 0), self.dilation or (1, 1)
        assert not isinstance(padding, str)
        height, width = (Window(*numbers) for numbers in zip(self.kernel, stride, padding, dilation, strict=True))
        return height, width

    def spelt(self) -> str:
        """The layer in words again, what goes without saying left out."""
        words = [self.kind, self.pooling, self.number, self.kernel and f"{self.kernel[0]}x{self.kernel[1]}"]
        usual_stride = self.kernel if self.kind == "pool" else (1, 1)
        words += ["stride", _short(self.stride)] if self.stride not in (None, usual_stride) else []
        words += ["pad", _short(self.padding)] if self.padding not in (None, (0, 0)) else []
        words += ["dilation", _short(self.dilation)] if self.dilation not in (None, (1, 1)) else []
        words += ["groups", self.groups] if self.groups else []
        words += [] if self.bias else ["no bias"]
        return " ".join(str(word) for word in words if word)


def _short(value: Pair | str | None) -> str:
    """One number for both axes where they have the same."""
    if isinstance(value, tuple):
        return f"{value[0]}" if value[0] == value[1] else f"{value[0]}x{value[1]}"
    return str(value)


def parse(text: str, whole: bool = True) -> Words:
    """What the words say of a layer; of one that is not `whole` any number may be missing.

    Raises:
        UsageError: an unknown word, a word twice, or one without its number.
    """
    spelt = " ".join(_SPELLINGS.get(word, word) for word in text.lower().replace(",", " ").split())
    kind, *rest = re.sub(r"^(\w+) pool\b", r"pool \1", spelt).split(" ")  # "max pool" is "pool max"
    if kind not in KINDS and kind not in ACTIVATIONS:
        raise unknown("layer", kind, (*KINDS, *_SPELLINGS, *ACTIVATIONS))
    said: dict[str, Any] = {}
    words = iter(rest)
    for word in words:
        field, value = _meaning(text, word, words)
        if field in said:
            meant = field == "number" and "kernel" not in said and "kernel" in KINDS.get(kind, ((),))[0]
            mend = f"; a kernel is written {value}x{value}" if meant else ""
            raise UsageError(f"'{text}': {_called(field, kind)} is said twice{mend}")
        said[field] = value
    if kind == "pool" and "kernel" not in said and "number" in said:  # it has no filters: "pool 2"
        side = said.pop("number")
        said["kernel"] = (side, side)
    return _checked(Words(text, kind, **said), whole)


def _meaning(text: str, word: str, following: Iterator[str]) -> tuple[str, Any]:
    """The field that a word, with those that belong to it, is about, and its value."""
    if word in _NUMBERED:
        return _NUMBERED[word], _numbers(text, word, next(following, ""))
    if word in (SAME, "valid"):
        return "padding", SAME if word == SAME else (0, 0)
    if word == "no" and next(following, "") == "bias":
        return "bias", False
    if word in _POOLINGS:
        return "pooling", _POOLINGS[word]
    if re.fullmatch(_PAIR, word):
        return "kernel", _numbers(text, "kernel", word)
    if word.isdecimal():
        return "number", int(word)
    raise UsageError(f"'{text}': {unknown('word', word, (*_NUMBERED, *_POOLINGS, SAME, 'valid', 'no bias'))}")


def _numbers(text: str, word: str, value: str) -> Pair | int | str:
    """The number or numbers behind a word."""
    field = _NUMBERED[word]
    if field == "padding" and value in (SAME, "valid"):
        return SAME if value == SAME else (0, 0)
    if field == "groups" and value.isdecimal():
        return int(value)
    if field == "groups" or not (found := re.fullmatch(rf"(\d+)|{_PAIR}", value)):
        raise UsageError(f"'{text}': {word} needs a number, such as {word} 2")
    one, rows, columns = found.groups()
    return int(one or rows), int(one or columns)


def _checked(words: Words, whole: bool) -> Words:
    takes, needs, example = KINDS.get(words.kind, ((), (), words.kind))
    for field in ("number", "kernel", "stride", "padding", "dilation", "groups", "pooling"):
        value = getattr(words, field)
        if value is not None and field not in takes:
            such = f"; an example: '{example}'" if takes else ""
            raise UsageError(f"'{words.text}': a layer '{words.kind}' has no {_called(field, words.kind)}{such}")
        if whole and value is None and field in needs:
            raise UsageError(f"'{words.text}': say its {_called(field, words.kind)}, as in '{example}'")
        least = 0 if field == "padding" else 1
        if not isinstance(value, str | None) and min(value if isinstance(value, tuple) else (value,)) < least:
            raise UsageError(f"'{words.text}': {_called(field, words.kind)} must be {least} or more")
    if not words.bias and "bias" not in takes:
        raise UsageError(f"'{words.text}': a layer '{words.kind}' has no bias")
    return words


def _called(field: str, kind: str) -> str:
    return field if field != "number" else "units" if kind == "dense" else "filters"
