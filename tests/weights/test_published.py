"""Records of timm's and Keras's files against what these libraries say themselves."""

import os
import re
from types import SimpleNamespace

import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")

from striate.models import get_card, list_models
from striate.weights import Figure, WeightSource, key_tables, source_called, weights_for_cifar, weights_of
from striate.weights.keras_files import KERAS_FILES
from striate.weights.timm_files import TIMM_FILES

#: What is larger takes minutes to build at Keras.
LARGE = 30_000_000


def test_the_usual_ones_are_called_imagenet_and_the_others_by_their_publisher():
    names = {name: [source.name for source in get_card(name).weights] for name in list_models()}
    assert names["resnet50"] == ["imagenet", "imagenet_v2", "timm", "keras"]
    assert names["efficientnet_lite4"] == names["nasnet_mobile"] == names["inception_v4"] == ["imagenet"]
    assert names["mobilenet_v1"] == ["imagenet", "keras"]
    assert names["resnet110_cifar"] == ["cifar10"]
    for name, found in names.items():
        assert found[:1] in ([], ["imagenet"], ["cifar10"]), name


def test_a_publisher_stands_for_the_first_of_its_own():
    sources = get_card("resnet50").weights
    assert source_called(sources, "torchvision") is sources[0]
    assert source_called(sources, "imagenet_v2") is sources[1]
    assert source_called(sources, "timm") is sources[2]
    assert source_called(sources, "nobody") is None
    (lite,) = get_card("efficientnet_lite0").weights
    assert source_called((lite,), "timm") is source_called((lite,), "imagenet") is lite
    assert source_called((), "") is None


def test_a_record_of_timm_whole():
    (record,) = weights_of("x", {"timm": "tf_efficientnet_lite3"}, {"a": 1}, b=2)
    file = "tf_efficientnet_lite3-b733e338.pth"
    assert record == WeightSource(
        name="imagenet",
        file=file,
        sha256="b733e338",
        url=f"https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-weights/{file}",
        origin="timm, in1k",
        licence="Apache-2.0",
        input_size=300,
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
        crop_fraction=0.904,
        interpolation="bilinear",
        options={"a": 1, "b": 2},
        style="timm",
    )
    (hub,) = weights_of("x", {"timm": "inception_v4"})
    assert (hub.file, hub.url, hub.sha256) == ("model.safetensors", "hf:timm/inception_v4.tf_in1k", "")


def test_a_record_of_keras_whole():
    (record,) = weights_of("nasnet_mobile", {}, {"a": 1}, b=2)
    assert record == WeightSource(
        name="imagenet",
        file="NASNet-mobile.h5",
        md5="020fb642bf7360b370c678b08e0adf61",
        url="https://storage.googleapis.com/tensorflow/keras-applications/nasnet/NASNet-mobile.h5",
        origin="Keras Applications",
        licence="Apache-2.0",
        input_size=224,
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
        accuracy=(
            Figure("top1", 0.744, "Keras Applications", "ImageNet", 224),
            Figure("top5", 0.919, "Keras Applications", "ImageNet", 224),
        ),
        options={"b": 2},
        style="keras",
    )


def test_a_record_of_a_cifar_resnet_whole():
    (record,) = weights_for_cifar("20")
    file = "resnet20-12fca82f.th"
    assert (record.file, record.sha256, record.licence) == (file, "12fca82f", "BSD-2-Clause")
    assert record.url == f"https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/{file}"
    assert (record.num_classes, record.input_size, record.classes[3], record.style) == (10, 32, "cat", "source")
    assert [figure.value for figure in record.accuracy] == [0.9173]
    assert weights_for_cifar("164") == weights_for_cifar("110_v2") == ()


@pytest.mark.parametrize("spelled", TIMM_FILES)
def test_records_are_timms(spelled):
    from timm.models import get_pretrained_cfg

    (record,) = weights_of("none of Keras's", {"timm": spelled})
    theirs = get_pretrained_cfg(spelled)
    assert record.origin == f"timm, {theirs.tag}"
    if record.repository:
        assert record.repository == theirs.hf_hub_id
        assert not re.search(r"github\.com/\w+/pytorch-image-models/.*\.pth", theirs.url or "")
    else:
        assert record.url == re.sub("github.com/rwightman/", "github.com/huggingface/", theirs.url)
        assert re.fullmatch(r"[0-9a-f]{8,9}", record.sha256)
        assert record.file.endswith(f"-{record.sha256}.pth")
    assert (3, record.input_size, record.input_size) == theirs.input_size
    assert (record.mean, record.std, record.crop_fraction) == (theirs.mean, theirs.std, theirs.crop_pct)
    assert (record.interpolation, record.licence.lower()) == (theirs.interpolation, theirs.license)
    assert (theirs.num_classes, theirs.crop_mode) == (1000, "center")


def test_what_timm_publishes_itself_is_there():
    from timm.models import get_pretrained_cfg

    shared = {get_card(name).peers["timm"] for name in list_models() if "timm" in get_card(name).peers}
    own = {spelled: get_pretrained_cfg(spelled) for spelled in shared}
    assert set(TIMM_FILES) == {
        spelled
        for spelled, theirs in own.items()
        if theirs.num_classes == 1000 and theirs.tag != "untrained" and not theirs.tag.startswith("tv_")
    }


def _kerass():
    rows = []
    for name in KERAS_FILES:
        quick = get_card(name).parameters < LARGE and name in ("mobilenet_v1_0.5", "mobilenet_v2", "vgg_d")
        rows.append(pytest.param(name, marks=[] if quick else [pytest.mark.slow]))
    return rows


@pytest.mark.parametrize("name", _kerass())
def test_records_are_kerass(name, monkeypatch):
    """What Keras itself would fetch for its network, and how it would feed it."""
    keras = pytest.importorskip("keras")
    from keras.src.applications import nasnet
    from keras.src.utils import file_utils

    card = get_card(name)
    spelled = card.peers.get("keras", "MobileNet")
    if spelled == "NASNetMobile":  # Keras refuses to run it by PyTorch; here it is only built, which works
        monkeypatch.setattr(nasnet, "backend", SimpleNamespace(**vars(nasnet.backend) | {"backend": lambda: "another"}))
    record = next(source for source in card.weights if source.style == "keras")
    asked = {}

    def get_file(fname, origin, cache_subdir=None, file_hash=None):
        asked.update(url=origin, md5=file_hash or "")
        raise InterruptedError

    monkeypatch.setattr(file_utils, "get_file", get_file)
    further = {"alpha": card.options["width"]} if "width" in card.options and spelled == "MobileNet" else {}
    further |= {"input_shape": (record.input_size, record.input_size, 3)} if further else {}
    with pytest.raises(InterruptedError), keras.device("meta"):
        getattr(keras.applications, spelled)(weights="imagenet", **further)
    assert asked == {"url": record.url, "md5": record.md5}
    assert record.file == record.url.rpartition("/")[2]
    images = key_tables(card.family)["keras"].images
    assert (record.mean, record.std) == (images.mean, images.std)


@pytest.mark.parametrize("name", [name for name in list_models() if get_card(name).weights and not get_card(name).base])
def test_a_record_and_its_publishers_key_table_agree(name):
    tables = key_tables(get_card(name).family)
    for source in get_card(name).weights:
        by_table = tables[source.style].options
        assert {option: by_table.get(option, value) for option, value in source.options.items()} == source.options
