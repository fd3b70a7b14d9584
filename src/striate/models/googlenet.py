"""GoogLeNet: Inception modules under two auxiliary heads (Szegedy et al., 2014, arXiv:1409.4842).

The paper's form has no batch norm, two local response normalisations and true 5x5 convolutions. Others are rows of
`FORMS`: with batch norm, torchvision's (3x3 in place of 5x5), and that of "Dive into Deep Learning". What the paper
leaves open is as in Caffe's reproduction: unpadded pools that round up, and the constants of the normalisation.

An image of 28x28 gets the small stem, without its three halvings: the modules then see 28x28, 14x14 and 7x7
maps, as on the paper's 224x224.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from striate.errors import UsageError, unknown
from striate.layers import ConvAct, ConvNormAct, LocalResponseNorm, OverlappingPool, he_normal_
from striate.layers import activation as make_activation
from striate.layers.branches import Unit, branches, inception
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, macs, params
from striate.models.heads import pooled
from striate.models.stem import stem_for
from striate.weights import costs, errors, sources_of

AUTHORS = "Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke and Rabinovich"
PAPER = Paper("Going deeper with convolutions", AUTHORS, 2014, "1409.4842")
D2L = Paper("Dive into deep learning, section 8.4", "Zhang, Lipton, Li and Smola", 2021, "2106.11342")

#: The paper's table 1, modules: 1x1; 3x3 reduce, 3x3; 5x5 reduce, 5x5; pool projection.
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
#: Of each auxiliary head's loss (section 5).
AUXILIARY_WEIGHT = 0.3

#: Modules that begin with a max-pool of stride 2, and those with an auxiliary head.
POOLED, AUXILIARY = ("4a", "5a"), ("4a", "4d")


@dataclass(frozen=True)
class Form:
    """What tells one publisher's GoogLeNet from another's.

    `norm` is "local" response normalisation, "batch" norm or "none"; `wide` the side of the paper's 5x5 kernels,
    `last_pool` of the last max-pool's window (3 elsewhere). Max-pools are `padded` by one row, or let a window stand
    over the edge. `min_size` is the smallest image side with the paper's stem and with the small one. `head_pool`
    gives an auxiliary head's dense layers 4x4 pixels.
    """

    norm: str = "local"
    wide: int = 5
    last_pool: int = 3
    padded: bool = False
    norm_eps: float = 1e-5
    min_size: tuple[int, int] = (31, 4)
    head_pool: Callable[[int], nn.Module] = OverlappingPool


FORMS = {
    "paper": Form(),
    "batch_norm": Form(norm="batch"),
    "torchvision": Form(
        norm="batch", wide=3, last_pool=2, norm_eps=1e-3, min_size=(15, 2), head_pool=nn.AdaptiveAvgPool2d
    ),
    "d2l": Form(norm="none", padded=True, min_size=(1, 1)),
}


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    form: str = "paper",
    auxiliary: bool = False,
    stem: str | None = None,
    dropout: float = 0.4,
    activation: str = "relu",
) -> ConvNet:
    """Assemble the paper's table 1.

    Args:
        name: for the record; the numbers come with `form`.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: chooses the stem when `stem` is None, see `striate.models.stem`.
        form: a row of `FORMS`.
        auxiliary: heads on 4a and 4d, whose losses training adds, each 0.3 times. By default there are none:
            prediction, transfer and export never run them, and they are as large as the network itself.
        stem: "paper" is a 7x7 convolution of stride 2 and two max-pools, "small" a 3x3 of stride 1 and no pool.
        dropout: before the classifier.
        activation: name of the activation function.
    """
    if form not in FORMS:
        raise unknown(f"form of {name}", form, FORMS)
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout is {dropout}; a fraction from 0 up to 1 is needed")
    row = FORMS[form]
    unit: Unit = partial(ConvAct, activation=activation)
    if row.norm == "batch":
        unit = partial(ConvNormAct, activation=activation, norm_eps=row.norm_eps)
    small = stem_for(input_size, stem) == "small"
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    channels, heads = 192, {}
    for key, numbers in MODULES.items():
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        if key in POOLED:
            parts["pool"] = _pool(row, row.last_pool if key == POOLED[-1] else 3)
        built = branches(channels, inception(*numbers, wide=row.wide), unit)
        channels = built.out_channels
        stages[f"inception{key}"] = nn.Sequential(parts | {"branches": built})
        if auxiliary and key in AUXILIARY:
            heads[f"inception{key}"] = _head(channels, num_classes, unit, activation, row.head_pool(4))
    model = ConvNet(
        _stem(in_channels, unit, row, small),
        stages,
        pooled(channels, num_classes, dropout=dropout),
        in_channels=in_channels,
        min_size=row.min_size[small],
        auxiliary=heads,
        auxiliary_weight=AUXILIARY_WEIGHT,
    )
    he_normal_(model, "fan_out" if row.norm == "batch" else "fan_in")
    return model


def _stem(in_channels: int, unit: Unit, form: Form, small: bool) -> nn.Sequential:
    """(N, C, 224, 224) -> (N, 192, 28, 28); the small one keeps the image's size."""
    local = partial(LocalResponseNorm, k=1.0, mean=True)
    layers: OrderedDict[str, nn.Module | None] = OrderedDict(
        conv1=unit(in_channels, 64, 3) if small else unit(in_channels, 64, 7, stride=2),
        pool1=None if small else _pool(form),
        norm1=local() if form.norm == "local" else None,
        conv2=unit(64, 64, 1),
        conv3=unit(64, 192, 3),
        norm2=local() if form.norm == "local" else None,
        pool2=None if small else _pool(form),
    )
    return nn.Sequential(OrderedDict((name, layer) for name, layer in layers.items() if layer is not None))


def _pool(form: Form, side: int = 3) -> nn.MaxPool2d:
    return nn.MaxPool2d(side, stride=2, padding=1 if form.padded else 0, ceil_mode=not form.padded)


def _head(channels: int, num_classes: int, unit: Unit, activation: str, pool: nn.Module) -> nn.Sequential:
    """An auxiliary head (the paper's section 5): (N, C, H, W) -> (N, num_classes)."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        pool=pool,  # (N, C, 14, 14) -> (N, C, 4, 4)
        conv=unit(channels, 128, 1),
        flatten=nn.Flatten(),
        dense=nn.Linear(128 * 4 * 4, 1024),
        act=make_activation(activation),
        dropout=nn.Dropout(0.7),
        classifier=nn.Linear(1024, num_classes),
    )
    return nn.Sequential(layers)


PUBLISHED = (
    *costs("6.8 M", "1.5 G"),
    *errors(top5=10.07),
    *errors(top5=6.67, crop="144 crops", note="seven networks"),
)
SMALL_STEM = "With input_size of 64 pixels or less the first convolution is 3x3 of stride 1 and no pool follows it."
BODY = ("stem.*", "stages.*")
#: Parameters (K of 1,024) of modules whose cell in table 1 disagrees with the widths beside it.
BY_WIDTH = (("4a", 367), ("4b", 438), ("4c", 498), ("4d", 590), ("4e", 847), ("5a", 1018), ("5b", 1409))
NO_NORM = Erratum("GoogLeNet with batch norm", "the 2014 network has none; it came with BN-Inception in 2015")
LIBRARIES = Erratum(
    "The GoogLeNet of 2014 (torchvision)",
    "6,624,904 parameters, batch norm, and 3x3 where the paper has 5x5; with the paper's 5x5 and no batch norm "
    "6,998,552, and 13,378,280 with both auxiliary heads",
    (
        params(6_624_904, "googlenet_torchvision"),
        params(6_998_552, "googlenet"),
        params(13_378_280, "googlenet", options={"auxiliary": True}),
    ),
)
ERRATA = (
    Erratum(
        "5 M parameters",
        "7.0 M, 6.0 M without classifier, 13.4 M with both auxiliary heads (torchvision's form 6.6, 5.6 and 13.0 M); "
        "the column of the paper's table 1 adds up to 6.8 M",
        (
            params(7.0e6, "googlenet", within=0.001),
            params(6.0e6, "googlenet", layers=BODY, within=0.005),
            params(13.4e6, "googlenet", options={"auxiliary": True}, within=0.002),
            params(6.6e6, "googlenet_torchvision", within=0.005),
            params(5.6e6, "googlenet_torchvision", layers=BODY, within=0.005),
            params(13.0e6, "googlenet_torchvision", options={"auxiliary": True}, within=0.001),
        ),
    ),
    NO_NORM,
    Erratum(
        "12 times fewer parameters than AlexNet (the paper)",
        "8.7 times",
        (params(8.7, "alexnet", per=params(1, "googlenet"), within=0.002),),
    ),
    Erratum(
        "418 MFLOP for the stem",
        "478 M multiply-adds, 481 M with the pools",
        (macs(478e6, "googlenet", layers=("stem.*",), within=0.001),),
    ),
    Erratum(
        "93.6 % with auxiliary heads and 89.3 % without",
        "figures without a source; the paper speaks of about half a point",
    ),
    Erratum(
        "2.7K, 34M, 364K, 437K, 463K, 580K, 840K, 1072K, 1388K and 54M (cells of the paper's table 1)",
        "they disagree with the widths printed beside them; the table counts parameters in K of 1,024 weights, without "
        "biases",
    ),
    Erratum(
        "2.7K parameters and 34M multiply-adds for the first convolution (the paper's table 1)",
        "7x7 to 64 maps has 9,408 weights (9.2K) and costs 118M; the print fits a separable one (each channel to 8 "
        "maps by 7x7, then 1x1: 2,712 weights, 34.0M)",
        (
            params(9_408 + 64, "googlenet", layers=("stem.conv1.*",)),
            macs(118e6, "googlenet", layers=("stem.conv1.*",), within=0.001),
        ),
    ),
    Erratum(
        "Parameters of 4a, 4b, 4c, 4d, 4e, 5a, 5b (the paper's table 1)",
        "by the widths 367K, 438K, 498K, 590K, 847K, 1018K, 1409K; the printed multiply-adds are those of the widths, "
        "but for 5a: 51M, not 54M",
        (
            *(params(1024 * k, "googlenet", layers=(f"stages.inception{row}.*",), within=0.01) for row, k in BY_WIDTH),
            macs(51e6, "googlenet", layers=("stages.inception5a.*",)),
        ),
    ),
    Erratum(
        "358 M multiply-adds for a module of 128, 192 and 96 maps on 28x28x256 with 64-wide reductions",
        "271 M (358 M has the 3x3 twice); without reductions 854 M",
    ),
)


def _card(name: str, form: str, parameters: int, introduces: str, paper: Paper = PAPER, **facts: Any) -> Card:
    facts = {"input_size": 224, "errata": (NO_NORM,), "auxiliary_weight": AUXILIARY_WEIGHT, **facts}
    facts["options"] = {"form": form, **facts.get("options", {})}
    facts["deviations"] = (SMALL_STEM, *facts.get("deviations", ()))
    facts["min_size"], facts["small_min_size"] = FORMS[form].min_size
    return Card(name, "googlenet", paper, introduces, parameters=parameters, **facts)


FAMILY = Family(
    "googlenet",
    build,
    (
        _card(
            "googlenet",
            "paper",
            6_998_552,
            "Inception modules: kernels of several sizes side by side, made cheap by 1x1 reductions.",
            published=PUBLISHED,
            peers={"torchvision": "googlenet"},
            weights=sources_of("googlenet"),
            deviations=(
                "The paper leaves pools' padding and the normalisations' constants open; they are as in Caffe's "
                "reproduction.",
                "Auxiliary heads are built with auxiliary=True only: 13,378,280 parameters.",
                "Published weights are of torchvision's form; with them that form is built and recorded.",
            ),
            errata=ERRATA,
            aliases=("inception_v1",),
        ),
        _card(
            "googlenet_bn",
            "batch_norm",
            7_005_832,
            "GoogLeNet with batch norm after each convolution in place of local response normalisation.",
            deviations=("The modules are GoogLeNet's; `bn_inception` changed them too.",),
            aliases=("inception_v1_bn",),
        ),
        _card(
            "googlenet_torchvision",
            "torchvision",
            6_624_904,
            "GoogLeNet as torchvision has it: batch norm, and 3x3 where the paper has 5x5.",
            peers={"torchvision": "googlenet"},
            weights=sources_of("googlenet"),
            errata=(NO_NORM, LIBRARIES),
            deviations=("3x3 in place of 5x5, batch norm, a last pool of 2x2, other averages in the auxiliary heads.",),
            options={"dropout": 0.2},
        ),
        _card(
            "googlenet_d2l",
            "d2l",
            5_977_530,
            "GoogLeNet simplified for teaching: no normalisation, no auxiliary heads, padded pools.",
            D2L,
            input_size=96,
            num_classes=10,
            in_channels=1,
            options={"dropout": 0.0},
            errata=(),
        ),
    ),
)
