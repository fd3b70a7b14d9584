"""Every network of the catalogue, by every name, against its card and through the battery."""

import importlib.util
import json
from pathlib import Path

import pytest
import timm
import torch

from striate.errors import UsageError
from striate.models import create_model, get_card, list_models
from striate.models.catalogue import aliases, families, title_of
from striate.models.options import options_of
from striate.weights.figure import METRICS

pytestmark = pytest.mark.sampled

_spec = importlib.util.spec_from_file_location("check_model", Path(__file__).with_name("check_model.py"))
assert _spec is not None
assert _spec.loader is not None
battery = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(battery)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Images of 17 pixels gain nothing from threads, and threads that wait for each other lose much."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _smallest() -> set[str]:
    """The network with the fewest parameters of each family: the one that is put through the quick tests."""
    return {min(family.cards, key=lambda card: card.parameters).name for family in families().values()}


#: Of each kind of network one small one: what all networks inherit is looked at on these.
KINDS = (
    *("lenet5", "lenet5_1998", "resnet20_cifar", "mobilenet_v2_0.35", "googlenet_d2l", "vit_ti_16", "squeezenet1_1"),
    "cifar100_course",
)
#: Checks of what networks inherit.
INHERITED = (
    battery.check_forward_leaves_its_input_alone,
    battery.check_freezing,
    battery.check_head_is_replaced,
    battery.check_hidden_layers_are_put_into_the_head,
    battery.check_spec_round_trip,
    battery.check_state_dict_round_trip,
    battery.check_wrong_channels_are_named,
)
#: Checks that compute with real weights: quick for networks with fewer parameters than this.
ARITHMETIC = (
    battery.check_backward_reaches_every_parameter,
    battery.check_eval_is_deterministic_and_composes,
    battery.check_forward_maps,
)
LARGE = 12_000_000


def _of_each_size() -> set[str]:
    """One network, the first, of each pair of smallest sizes that a family has; not the largest ones."""
    first: dict[tuple, str] = {}
    for family in families().values():
        for card in family.cards:
            first.setdefault((family.name, card.min_size, card.small_min_size), card.name)
    return {name for name in first.values() if get_card(name).parameters < 2 * LARGE}


def _quick(check) -> set[str]:
    """The networks that a check looks at in the quick tests; the slow ones look at all."""
    if check is battery.check_parameters_are_the_cards:
        return set(list_models())
    if check is battery.check_smallest_size:
        return _smallest() | _of_each_size()
    if check in INHERITED:
        return set(KINDS)
    if check in ARITHMETIC:
        return {name for name in _smallest() if get_card(name).parameters < LARGE}
    return _smallest()


def _battery() -> list:
    quick = {check: _quick(check) for check in battery.CHECKS}
    rows = []
    for name in list_models():
        for check in battery.CHECKS:
            slow = name not in quick[check]
            marks = [pytest.mark.slow] if slow else []
            rows.append(pytest.param(name, check, id=f"{name}-{check.__name__}", marks=marks))
    return rows


@pytest.mark.parametrize(("name", "check"), _battery())
def test_battery(name, check):
    check(name)


#: Every network with the other spellings of its name.
ALIASES = """
lenet5: lenet lenet_5
lenet5_1998: lenet_5_1998 lenet_1998

keras_mnist: keras_mnist_convnet
keras_cats_dogs: keras_cats_and_dogs
vgg16_cats_dogs: vgg16_cats_and_dogs


alexnet: alexnet_2012 alexnet_two_groups alexnet_grouped
alexnet_one_column: alexnet_torchvision alexnet_2014
zfnet: zf_net zf5 zeiler_fergus
nin: nin_imagenet network_in_network
nin_cifar: nin_cifar10
vgg_a: vgg11 vgg_11
vgg_b: vgg13 vgg_13
vgg_d: vgg16 vgg_16
vgg_e: vgg19 vgg_19
vgg11_bn: vgg_a_bn
vgg13_bn: vgg_b_bn
vgg16_bn: vgg_d_bn
vgg19_bn: vgg_e_bn
cnn_c: model_c
strided_cnn_c: stridedcnn_c
convpool_cnn_c: convpoolcnn_c
all_cnn_c: allcnn_c
resnet18: resnet_18
resnet34: resnet_34
resnet50: resnet_50
resnet101: resnet_101
resnet152: resnet_152
resnet50_v1_5: resnet50_v1.5 resnet50v1.5 tv_resnet50
resnet101_v1_5: resnet101_v1.5 resnet101v1.5 tv_resnet101
resnet152_v1_5: resnet152_v1.5 resnet152v1.5 tv_resnet152
plain18: plain_18
plain34: plain_34
resnet20_cifar: resnet20 cifar_resnet20
resnet32_cifar: resnet32 cifar_resnet32
resnet44_cifar: resnet44 cifar_resnet44
resnet56_cifar: resnet56 cifar_resnet56
resnet110_cifar: resnet110 cifar_resnet110
resnet164_cifar: resnet164 cifar_resnet164
resnet110_v2_cifar: preresnet110_cifar preact_resnet110_cifar
resnet164_v2_cifar: preresnet164_cifar preact_resnet164_cifar
resnet1001_v2_cifar: preresnet1001_cifar preact_resnet1001_cifar
plain20_cifar: plain20 cifar_plain20
plain56_cifar: plain56 cifar_plain56
resnet50_v2: preresnet50 preact_resnet50 resnetv2_50
resnet101_v2: preresnet101 preact_resnet101 resnetv2_101
resnet152_v2: preresnet152 preact_resnet152 resnetv2_152
resnet200_v2: preresnet200 preact_resnet200 resnetv2_200
resnet50_v2_keras: resnet50v2
resnet101_v2_keras: resnet101v2
resnet152_v2_keras: resnet152v2
resnext50_32x4d: resnext_50_32x4d
resnext101_32x4d: resnext_101_32x4d
resnext101_32x8d: resnext_101_32x8d
resnext101_64x4d: resnext_101_64x4d
wide_resnet50_2: wrn_50_2_bottleneck
wide_resnet101_2: wrn_101_2_bottleneck
densenet121: densenet_121
densenet161: densenet_161
densenet169: densenet_169
densenet201: densenet_201
densenet264: densenet_264
highway10_w16_mnist: highway_10_w16_mnist
highway10_w32_mnist: highway_10_w32_mnist
highway19_cifar: highway_19_cifar
mobilenet_v1: mobilenetv1 mobilenet mobilenet_v1_1.0 mobilenetv1_100
mobilenet_v1_0.75: mobilenetv1_075
mobilenet_v1_0.5: mobilenetv1_050
mobilenet_v1_0.25: mobilenetv1_025
mobilenet_v2: mobilenetv2_100 mobilenetv2 mobilenet_v2_1.0
mobilenet_v2_1.4: mobilenetv2_140
mobilenet_v2_0.75: mobilenetv2_075
mobilenet_v2_0.5: mobilenetv2_050
mobilenet_v2_0.35: mobilenetv2_035
efficientnet_b0: efficientnetb0
efficientnet_b1: efficientnetb1
efficientnet_b2: efficientnetb2
efficientnet_b3: efficientnetb3
efficientnet_b4: efficientnetb4
efficientnet_b5: efficientnetb5
efficientnet_b6: efficientnetb6
efficientnet_b7: efficientnetb7
efficientnet_lite0: efficientnetlite0 tf_efficientnet_lite0
efficientnet_lite1: efficientnetlite1 tf_efficientnet_lite1
efficientnet_lite2: efficientnetlite2 tf_efficientnet_lite2
efficientnet_lite3: efficientnetlite3 tf_efficientnet_lite3
efficientnet_lite4: efficientnetlite4 tf_efficientnet_lite4
mixnet_s: mixnets
mixnet_m: mixnetm
mixnet_l: mixnetl
shufflenet_v1: shufflenet_v1_g3 shufflenet
shufflenet_v1_0.5: shufflenet_v1_g3_0.5
shufflenet_v1_0.25: shufflenet_v1_g3_0.25
shufflenet_v1_1.5: shufflenet_v1_g3_1.5
shufflenet_v1_2: shufflenet_v1_g3_2
shufflenet_v2_x0_5: shufflenet_v2_0.5
shufflenet_v2_x1_0: shufflenet_v2_1.0 shufflenet_v2
shufflenet_v2_x1_5: shufflenet_v2_1.5
shufflenet_v2_x2_0: shufflenet_v2_2.0
googlenet: inception_v1
googlenet_bn: inception_v1_bn
bn_inception: bninception
inception_v3: inceptionv3
inception_v4: inceptionv4
inception_resnet_v1: inceptionresnetv1
inception_resnet_v2_released: inceptionresnetv2
xception: legacy_xception
nasnet_mobile: nasnetmobile nasnet_a_mobile nasnetamobile
nasnet_large: nasnetlarge nasnet_a_large nasnetalarge
nasnet_cifar: nasnet_a_cifar
vit_ti_16: vit_tiny_patch16_224 vit_tiny_patch16 vit_tiny
vit_s_16: vit_small_patch16_224 vit_small_patch16 vit_small
vit_b_16: vit_base_patch16_224 vit_base_patch16 vit
vit_b_32: vit_base_patch32_224 vit_base_patch32
vit_l_16: vit_large_patch16_224 vit_large_patch16
vit_l_32: vit_large_patch32_224 vit_large_patch32
squeezenet1_0: squeezenet squeezenet_1_0 squeezenet_v1.0
squeezenet1_1: squeezenet_1_1 squeezenet_v1.1
"""


def test_every_alias_names_the_network_it_should():
    wanted = {}
    for line in ALIASES.strip().splitlines():
        name, _, spellings = line.partition(": ")
        wanted |= dict.fromkeys(spellings.split(), name)
    assert aliases() == wanted
    assert not set(wanted) & set(list_models())


def _aliases() -> list:
    quick = _smallest()
    return [pytest.param(a, marks=[] if get_card(a).name in quick else [pytest.mark.slow]) for a in sorted(aliases())]


@pytest.mark.parametrize("alias", _aliases())
def test_an_alias_builds_the_network_it_names(alias):
    card = get_card(alias)
    with torch.device("meta"):
        model = create_model(alias)
    assert model.spec.name == card.name
    assert sum(p.numel() for p in model.parameters()) == card.parameters


def test_no_alias_is_given_twice():
    given = [alias for name in list_models() for alias in get_card(name).aliases]
    assert len(given) == len(set(given))


def test_capitals_and_hyphens_do_not_matter():
    assert get_card("ResNet-50").name == "resnet50"
    assert get_card("MobileNet-V2").name == "mobilenet_v2"


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ("vgg16", "vgg16"),
        ("VGG-16", "vgg_16"),
        ("vgg_d", "vgg_d"),
        ("ResNet-50", "resnet50"),
        ("tv_resnet50", "tv_resnet50"),
        ("MobileNetV2", "mobilenet_v2"),
    ],
)
def test_an_alias_that_is_another_word_stays_the_title(asked, title):
    assert title_of(asked) == title
    assert get_card(title) is get_card(asked)


@pytest.mark.parametrize("name", list_models())
def test_card_is_whole_and_goes_into_json(name):
    card = get_card(name)
    assert card.name == name
    assert card.family in families()
    assert card.paper.title
    assert card.paper.authors
    assert 1980 < card.paper.year < 2030
    assert card.introduces.endswith(".")
    assert set(card.options) <= set(options_of(families()[card.family]))
    for figure in card.published:
        assert figure.metric in METRICS
        assert figure.source
        assert set(figure.options) <= set(options_of(families()[card.family]))
        if figure.is_share:
            assert figure.data
            assert figure.input_size
            assert figure.value is None or 0 < figure.value < 1
        else:
            assert figure.value > 0
            assert figure.number == figure.printed
    assert json.loads(json.dumps(card.to_dict()))["parameters"] == card.parameters
    for source in card.weights:
        assert source.licence
        if source.checksum.digits:
            assert len(source.checksum.digits) >= 8
        else:  # the Hub states checksums itself, Keras none of its MobileNets
            assert source.repository or (source.style == "keras" and name.startswith("mobilenet"))
        assert len(source.mean) == len(source.std) == card.in_channels
        assert source.url, "a name stands for a file that anybody can get"
        assert source.interpolation in ("bilinear", "bicubic")
        assert all(figure.is_share and 0 < figure.value < 1 for figure in source.accuracy)


def test_unknown_network_offers_the_nearest():
    with pytest.raises(UsageError, match="'resnet50'"):
        create_model("resnet5")
    for asked in ("wrn_50_2_botleneck", "WRN-50-2-botleneck"):  # other spellings are offered too
        with pytest.raises(UsageError) as raised:
            get_card(asked)
        assert str(raised.value).startswith(f"unknown network '{asked}'. Did you mean 'wrn_50_2_bottleneck'")
        assert str(raised.value).endswith("`striate models` lists them all.")


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_classes": 0},
        {"num_classes": 2.5},
        {"in_channels": -1},
        {"input_size": 0},
        {"input_size": (32, 32, 3)},
        {"input_size": "32"},
        {"shortcut": "D"},
        {"stem": "tiny"},
        {"activation": "rleu"},
        {"stride_in": "5x5"},
        {"weights": "imagnet"},
    ],
)
def test_impossible_arguments_are_usage_errors(arguments):
    with pytest.raises(UsageError):
        create_model("resnet50", **arguments)


def test_list_models_takes_a_pattern():
    assert list_models("resnet??_cifar") == [f"resnet{n}_cifar" for n in (20, 32, 44, 56)]
    assert list_models("nothing*") == []


def test_a_pattern_finds_a_network_by_its_aliases_too():
    assert list_models("vgg16*") == ["vgg16_cats_dogs", "vgg_d", "vgg16_bn"]
    assert list_models("VGG-16") == ["vgg_d"]
    assert list_models("tv_*") == ["resnet50_v1_5", "resnet101_v1_5", "resnet152_v1_5"]


@pytest.mark.parametrize("name", list_models("mobilenet_v2*"))
def test_counts_of_scaled_mobilenets_are_timms(name):
    spelled = next(alias for alias in get_card(name).aliases if alias.startswith("mobilenetv2_"))
    with torch.device("meta"):
        peer = timm.create_model(spelled)
    assert sum(p.numel() for p in peer.parameters()) == get_card(name).parameters
