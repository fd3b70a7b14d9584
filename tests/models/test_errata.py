"""The errata: every figure said to be right and measurable is what this code measures; all of them are there."""

import pytest

from striate.models import get_card
from striate.models.errata import GENERAL, errata, measure
from striate.models.erratum import Measured, macs, params

pytestmark = pytest.mark.sampled

FIGURES = [
    pytest.param(figure, id=f"{figure.network}-{figure.metric}-{figure.value:g}-{number}")
    for erratum, _ in errata()
    for number, figure in enumerate(erratum.figures)
]


@pytest.mark.parametrize("figure", FIGURES)
def test_what_is_right_is_measured(figure: Measured) -> None:
    assert figure.within < 0.05
    assert measure(figure) == pytest.approx(figure.value, rel=figure.within or 1e-12)


#: Printed, right, on the card of (None: of no single network).
KNOWN = [
    ("0.46 M", "21.8 M", "resnet34"),
    ("5 M", "13.4 M with both auxiliary heads", "googlenet"),
    ("23 M", "23.5 M without", "resnet50"),
    ("4.1 G", "the usual form", "resnet50"),
    ("13.6 G", "15.5 G", "vgg_d"),
    ("GoogLeNet of 2014", "6,624,904", "googlenet_torchvision"),
    ("AlexNet of 2012", "one-column form", "alexnet_one_column"),
    ("ptflops", "", None),
    ("About 2 M", "549,156", "cifar100_course"),
    ("224x224", "227", "alexnet"),
    ("145 M", "149.5 M", "alexnet_one_column"),
    ("batch norm", "2015", "googlenet"),
    ("CNNs", "no CNN", "vit_b_16"),
    ("173 M", "17.6 G", "vit_b_16"),
    ("Keras counts a batch norm's", "", None),
    ("96 MB", "15,237,608 values, 61.0 MB", "vgg_d"),
    ("418 MFLOP", "478 M multiply-adds, 481 M with the pools", "googlenet"),
    ("7,485 M", "45.9 MiB, 1,735,488 and 9,335 M", "vgg_d"),
    ("12 times", "8.7 times", "googlenet"),
    ("1.5 million", "2.66 M", "mcdnn_column"),
    ("5, 9, 15, 15, 23, 31", "5, 9, 11, 19, 27, 31", "cifar100_course"),
    ("28x28 behind one of 14x14", "14x14", None),
    ("93.6 %", "half a point", "googlenet"),
    ("VGG won", "VGG came second", "vgg_d"),
    ("ILSVRC 2014", "2015", "resnet18"),
    ("LeNet-5", "1998", "lenet5"),
    ("DenseNet", "2016", "densenet121"),
    ("g(z[l+2]) + a[l]", "g(z[l+2] + a[l])", "resnet50"),
    ("across channels", "across places", None),
]


@pytest.mark.parametrize(("printed", "right", "name"), KNOWN)
def test_known_errata_are_where_they_belong(printed: str, right: str, name: str | None) -> None:
    candidates = GENERAL if name is None else get_card(name).errata
    assert any(printed in str(erratum) and right in erratum.right for erratum in candidates)


def test_every_erratum_is_listed_once_with_its_networks() -> None:
    listed = [str(erratum) for erratum, _ in errata()]
    assert len(listed) == len(set(listed)) > 50
    addition = next(names for erratum, names in errata() if "a[l+2]" in erratum.printed)
    assert addition[:2] == ["resnet18", "resnet34"]
    assert not any(names for erratum, names in errata() if erratum in GENERAL)


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="not measured"):
        measure(Measured(1, "speed", "lenet5"))
    with pytest.raises(ValueError, match="no layer"):
        measure(Measured(1, "values", "lenet5", layers=("tail",)))


#: LeNet on 28x28: 6 maps of 28x28 from 25 pixels, pooled to 14x14, 16 of 10x10 from 150, pooled to 5x5, then 120, 84
#: and 10; activations give as many values as what they act on.
MAPS, POOLED, MAPS2, POOLED2 = 6 * 784, 6 * 196, 1600, 400


@pytest.mark.parametrize(
    ("metric", "what", "value"),
    [
        ("parameters", {}, 61_706),
        ("parameters", {"types": ("Conv2d",)}, 156 + 2416),
        ("parameters", {"types": ("Conv2d", "Linear")}, 61_706),
        ("parameters", {"types": ("Tanh",)}, 0),
        ("parameters", {"layers": ("head.*",)}, 48_120 + 10_164 + 850),
        ("parameters", {"layers": ("stem.*", "head.f6", "head.classifier")}, 156 + 10_164 + 850),
        ("parameters", {"layers": ("stem.*", "head.*"), "types": ("Linear",)}, 48_120 + 10_164 + 850),
        (
            "parameters",
            {"options": {"activation": "relu"}, "layers": ("head.c5",), "input_size": 40},
            120 * (16 * 49 + 1),
        ),
        ("multiply_adds", {}, MAPS * 25 + MAPS2 * 150 + 400 * 120 + 120 * 84 + 84 * 10),
        ("multiply_adds", {"types": ("Linear",)}, 400 * 120 + 120 * 84 + 84 * 10),
        ("multiply_adds", {"types": ("Conv2d",), "input_size": 40}, 6 * 36**2 * 25 + 16 * 14**2 * 150),
        ("multiply_adds", {"layers": ("stem.*",), "per": Measured(1, "parameters", "lenet5")}, MAPS * 25 / 61_706),
        ("values", {"types": ("Conv2d", "AvgPool2d")}, MAPS + POOLED + MAPS2 + POOLED2),
        ("values", {"layers": ("stem.conv", "head.*"), "types": ("Conv2d", "Linear")}, MAPS + 120 + 84 + 10),
        ("side", {"types": ("Conv2d",)}, 10),
        ("side", {"layers": ("stem.*",)}, 14),
        ("receptive_field", {"types": ("Conv2d",)}, 14),
        ("receptive_field", {"layers": ("stem.*",)}, 6),
    ],
    ids=str,
)
def test_every_measure_by_hand(metric, what, value):
    assert measure(Measured(1, metric, "lenet5", **what)) == pytest.approx(value, rel=1e-12)


def test_how_far_a_rounded_figure_may_be_off_is_asked_for():
    assert [macs(5, "lenet5").within, macs(5, "lenet5", within=0.5).within] == [0.01, 0.5]
    assert [params(5, "lenet5").within, params(5, "lenet5", within=0.5).within] == [0.0, 0.5]
    assert [macs(5, "lenet5").metric, params(5, "lenet5").metric] == ["multiply_adds", "parameters"]
