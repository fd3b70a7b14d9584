"""ResNet for CIFAR: three stages of blocks (He et al., 2015, arXiv:1512.03385, 4.2; 2016, arXiv:1603.05027).

n basic blocks a stage are 6n + 2 layers, n bottlenecks 9n + 2. The second paper asks what may stand on a shortcut
(`shortcut`) and where batch norms and activations belong (`placement`); its answer, identities and full
pre-activation, are the networks with `_v2` in their names.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from torch import nn

from striate.layers import activation as make_activation
from striate.layers import basic, bottleneck, norm_act
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, params
from striate.models.residual_stages import GATE_BIAS, residual_network, stack
from striate.models.resnet import PAPER
from striate.weights import CIFAR10, ONE_CROP, Figure, costs, errors, weights_for_cifar

SECOND_PAPER = Paper("Identity mappings in deep residual networks", "He, Zhang, Ren and Sun", 2016, "1603.05027")


@dataclass(frozen=True)
class Row:
    """A network: kind of block, blocks in each stage; exact parameters, the papers' and CIFAR-10 error (%)."""

    kind: str
    depth: int
    parameters: int
    printed: str
    error: str


#: The first paper's table 6 and the second paper's table 3.
ROWS = {
    "20": Row("basic", 3, 269_722, "0.27 M", "8.75"),
    "32": Row("basic", 5, 464_154, "0.46 M", "7.51"),
    "44": Row("basic", 7, 658_586, "0.66 M", "7.17"),
    "56": Row("basic", 9, 853_018, "0.85 M", "6.97"),
    "110": Row("basic", 18, 1_727_962, "1.7 M", "6.43"),
    "164": Row("bottleneck", 18, 1_704_154, "1.7 M", "5.93"),
    "110_v2": Row("basic", 18, 1_727_962, "1.7 M", "6.37"),
    "164_v2": Row("bottleneck", 18, 1_703_258, "1.7 M", "5.46"),
    "1001_v2": Row("bottleneck", 111, 10_327_706, "10.2 M", "4.92"),
}
#: Channels of the stem, and output channels of the three stages.
STEM = 16
WIDTHS = {"basic": (16, 32, 64), "bottleneck": (64, 128, 256)}

#: CIFAR-10 errors (%) of ResNet-110 (and -164) in the second paper's tables 1 and 2, by option; with identities and
#: the original placement it had 6.61 (and 5.93). None: it fails to converge.
VARIANTS: dict[str, tuple[tuple[dict[str, object], float | None], ...]] = {
    "110": (
        ({"shortcut": "scaled"}, None),
        ({"shortcut": "scaled_both"}, 12.35),
        ({"shortcut": "exclusive_gate"}, 8.70),
        ({"shortcut": "shortcut_gate"}, 6.91),
        ({"shortcut": "shortcut_gate", "gate_bias": 0}, 12.86),
        ({"shortcut": "C"}, 12.22),
        ({"shortcut": "dropout"}, None),
        ({"placement": "original"}, 6.61),
        ({"placement": "bn_after_addition"}, 8.17),
        ({"placement": "relu_before_addition"}, 7.84),
        ({"placement": "relu_only_preactivation"}, 6.71),
        ({"placement": "full_preactivation"}, 6.37),
    ),
    "164": (
        ({"placement": "bn_after_addition"}, 6.50),
        ({"placement": "relu_before_addition"}, 6.14),
        ({"placement": "relu_only_preactivation"}, 5.91),
        ({"placement": "full_preactivation"}, 5.46),
    ),
}


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    shortcut: str = "A",
    placement: str = "original",
    gate_bias: float = GATE_BIAS,
    zero_init_residual: bool = False,
    activation: str = "relu",
) -> ConvNet:
    """Assemble one of `ROWS`; any size of image goes.

    Args:
        name: its digits name the row.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: taken for the record.
        shortcut: "A" (the paper's on CIFAR, no parameters) or another of `striate.layers.SHORTCUTS`.
        placement: of norms and activations, one of `striate.layers.PLACEMENTS`. Where blocks begin with an
            activation the first one's serves its shortcut too, and one more ends the last stage.
        gate_bias: first bias of the gates of "exclusive_gate" and "shortcut_gate"; the second paper's best.
        zero_init_residual: start every block as its shortcut.
        activation: name of the activation function.

    Raises:
        UsageError: unknown names, or `zero_init_residual` where no batch norm ends a branch.
    """
    row = ROWS[name.removeprefix("plain").removeprefix("resnet").removesuffix("_cifar")]
    widths = WIDTHS[row.kind]
    started = False

    def block(channels: int, out_channels: int, stride: int) -> nn.Module:
        nonlocal started
        preactivation, started = (None if started else "shared"), True
        make, width = (basic, out_channels) if row.kind == "basic" else (bottleneck, out_channels // 4)
        return make(
            channels,
            width,
            stride=stride,
            shortcut=shortcut,
            activation=activation,
            placement=placement,
            preactivation=preactivation,
        )

    stages = stack(block, STEM, widths, (row.depth,) * len(widths))
    if placement.endswith("preactivation"):
        last = norm_act(widths[-1] if placement == "full_preactivation" else None, activation)
        for child, module in last.named_children():
            stages["stage3"].add_module(child, module)
    return residual_network(
        _stem(in_channels, placement, activation),
        stages,
        widths[-1],
        num_classes=num_classes,
        in_channels=in_channels,
        zero_init_residual=zero_init_residual,
        gate_bias=gate_bias,
    )


def _stem(in_channels: int, placement: str, activation: str) -> nn.Sequential:
    """A 3x3 convolution, and what of norm and activation the first block does not bring."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(conv=nn.Conv2d(in_channels, STEM, 3, padding=1, bias=False))
    if placement != "full_preactivation":
        layers["norm"] = nn.BatchNorm2d(STEM)
    if not placement.endswith("preactivation"):
        layers["act"] = make_activation(activation)
    return nn.Sequential(layers)


ZEROS = "The paper does not say where option A puts its zero channels; here half go on either side."
KEPT = "Shortcuts other than identities keep option A where shapes differ; the second paper does not say."
PROJECTED = "Where shapes differ the second paper's published code has projections, shortcut='B'; here is option A."


THOUSAND = (
    Erratum(
        "10.2 M parameters (the paper)",
        "without the batch norms' scales and shifts; with them there are 10.3 M",
        (params(10.3e6, "resnet1001_v2_cifar", within=0.005),),
    ),
)


def _variant(options: dict[str, object], error: float | None) -> Figure:
    """What the second paper measured with other shortcuts or placements: the median of five trainings."""
    value, note = (None, "fails to converge") if error is None else (round(1 - error / 100, 6), "")
    return Figure("top1", value, "second paper", CIFAR10, 32, ONE_CROP, options, note)


def _card(depth: str) -> Card:
    row = ROWS[depth]
    number, _, version = depth.partition("_")
    second = version == "v2" or row.kind == "bottleneck"
    variants = tuple(_variant(options, error) for options, error in VARIANTS.get(depth, ()))
    base = "B" if row.kind == "bottleneck" else "A"
    spelled: tuple[str, ...] = (f"resnet{depth}", f"cifar_resnet{depth}")
    if version:
        spelled = (f"preresnet{number}_cifar", f"preact_resnet{number}_cifar")
    deviations = (ZEROS, *([KEPT] if variants else []), *([PROJECTED] if version else [])) if base == "A" else ()
    return Card(
        name=f"resnet{depth}_cifar",
        family="resnet_cifar",
        paper=SECOND_PAPER if second else PAPER,
        introduces=(
            "Pre-activation: batch norm and ReLU before each convolution, so that shortcuts stay clean throughout."
            if version
            else "Residual blocks on 32x32 images; shortcuts without parameters where shapes agree."
        ),
        input_size=32,
        parameters=row.parameters,
        num_classes=10,
        published=(*costs(row.printed), *errors(row.error, data=CIFAR10, input_size=32), *variants),
        weights=weights_for_cifar(depth),
        deviations=deviations,
        errata=THOUSAND if number == "1001" else (),
        aliases=spelled,
        options={"shortcut": base, "placement": "full_preactivation" if version else "original"},
    )


def _plain_card(depth: str) -> Card:
    return Card(
        name=f"plain{depth}_cifar",
        family="resnet_cifar",
        paper=PAPER,
        introduces="The CIFAR layers without shortcuts, which a deeper one trains worse.",
        input_size=32,
        parameters=ROWS[depth].parameters,
        num_classes=10,
        aliases=(f"plain{depth}", f"cifar_plain{depth}"),
        options={"shortcut": "none"},
    )


FAMILY = Family("resnet_cifar", build, (*map(_card, ROWS), *map(_plain_card, ("20", "56"))))
