"""EfficientNet-Lite: EfficientNet for phones, by its authors (2020, tensorflow/tpu, models/official/efficientnet/lite).

No squeeze-and-excitation, which accelerators of phones do not like; ReLU6, which survives 8 bits; and a stem, a last
convolution and ends of the table that stay as they are when the rest is scaled.
"""

from __future__ import annotations

from striate.layers.rounding import check_factor, check_fraction, round_channels, round_depth
from striate.models.card import Card, Family
from striate.models.convnet import ConvNet
from striate.models.efficientnet import LAST, PAPER, STAGES, STEM, assemble
from striate.models.erratum import Erratum, macs
from striate.models.stem import stem_for
from striate.weights import costs, errors, weights_of

#: Width, depth, side of the images, dropout of each, as the authors' code has them.
VARIANTS = {
    "efficientnet_lite0": (1.0, 1.0, 224, 0.2),
    "efficientnet_lite1": (1.0, 1.1, 240, 0.2),
    "efficientnet_lite2": (1.1, 1.2, 260, 0.3),
    "efficientnet_lite3": (1.2, 1.4, 280, 0.3),
    "efficientnet_lite4": (1.4, 1.8, 300, 0.3),
}


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    width: float = 1.0,
    depth: float = 1.0,
    stem: str | None = None,
    padding: str = "tensorflow",
    norm_eps: float = 1e-3,
    norm_momentum: float = 0.01,
    dropout: float = 0.2,
    drop_path: float = 0.2,
    activation: str = "relu6",
) -> ConvNet:
    """Assemble EfficientNet's table 1 without squeeze-and-excitation, wider and deeper between its ends.

    Args:
        name: for the record; the numbers come with `width` and `depth`.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        width: multiplier of the stages' channels, rounded to multiples of 8; not of the first and last convolution.
        depth: multiplier of the blocks of each stage but the first and the seventh, rounded up.
        stem: "paper"; or "small", the same layers with stride 1 in the first convolution and in stage 2.
        padding: "tensorflow" (the authors', all known weights') or "symmetric" (PyTorch's habit).
        norm_eps: epsilon of the batch norms.
        norm_momentum: share of the new batch in the running statistics.
        dropout: before the classifier.
        drop_path: probability of leaving out the last block in training; it grows from 0 with the depth.
        activation: name of the activation function.
    """
    for option, factor in (("width", width), ("depth", depth)):
        check_factor(option, factor)
    for option, fraction in (("dropout", dropout), ("drop_path", drop_path)):
        check_fraction(option, fraction)
    rows = []
    for number, (expansion, kernel_size, channels, blocks, stride) in enumerate(STAGES):
        deep = blocks if number in (0, len(STAGES) - 1) else round_depth(blocks, depth)
        rows.append((expansion, kernel_size, round_channels(channels, width), deep, stride))
    return assemble(
        rows,
        ends=(STEM, LAST),
        num_classes=num_classes,
        in_channels=in_channels,
        small=stem_for(input_size, stem) == "small",
        norm_momentum=norm_momentum,
        dropout=dropout,
        drop_path=drop_path,
        unit={"activation": activation, "padding": padding, "norm_eps": norm_eps},
        excite=False,
    )


README = "the authors' README, 2020"
#: Exact parameters; parameters (M), multiply-adds and top-1 error (%) as the README prints them; the multiply-adds (M)
#: that there are.
FIGURES = {
    "efficientnet_lite0": (4_652_008, "4.7", "407 M", "24.9", 385),
    "efficientnet_lite1": (5_416_680, "5.4", "631 M", "23.3", 600),
    "efficientnet_lite2": (6_092_072, "6.1", "899 M", "22.4", 860),
    "efficientnet_lite3": (8_197_096, "8.2", "1.44 G", "20.2", 1_383),
    "efficientnet_lite4": (13_006_568, "13.0", "2.64 G", "18.5", 2_553),
}


def _card(name: str) -> Card:
    width, depth, size, dropout = VARIANTS[name]
    parameters, millions, printed, error, multiply_adds = FIGURES[name]
    return Card(
        name=name,
        family="efficientnet_lite",
        paper=PAPER,
        introduces="EfficientNet for phones: no squeeze-and-excitation, ReLU6, ends that do not scale.",
        input_size=size,
        parameters=parameters,
        published=(
            *costs(f"{millions} M", printed, input_size=size, source=README),
            *errors(error, input_size=size, source=README),
        ),
        peers={"timm": f"tf_{name}"},
        weights=weights_of(name, {"timm": f"tf_{name}"}, width=width, depth=depth),
        deviations=("With input_size of 64 pixels or less the first convolution and stage 2 have stride 1.",),
        errata=(
            Erratum(
                f"{printed} multiply-adds ({README})",
                f"{multiply_adds:,} M, counted as the paper counts EfficientNet's",
                (macs(multiply_adds * 1e6, name, within=0.001),),
            ),
        ),
        aliases=(name.replace("_", ""), f"tf_{name}"),
        options={"width": width, "depth": depth, "dropout": dropout},
    )


FAMILY = Family("efficientnet_lite", build, tuple(_card(name) for name in VARIANTS))
