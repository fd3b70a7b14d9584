"""Words for weights: which file each means, and a publisher's file of random weights giving its network's answers."""

import hashlib
import os
from dataclasses import replace

os.environ.setdefault("KERAS_BACKEND", "torch")

import pytest
import timm
import torch

from striate.errors import UsageError
from striate.models import create_model, get_card
from striate.models.catalogue import cards
from striate.models.choice import choose, is_named


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path))
    monkeypatch.delenv("STRIATE_WEIGHTS", raising=False)
    return tmp_path


@pytest.fixture
def published(monkeypatch):
    """Puts a file in the place of one of a network's published ones."""

    def publish(network, style, path):
        card, content = get_card(network), path.read_bytes()
        old = next(source for source in card.weights if source.style == style)
        kind = "md5" if style == "keras" else "sha256"
        new = replace(old, file=path.name, **{kind: hashlib.new(kind, content).hexdigest()})
        monkeypatch.setitem(
            cards(), network, replace(card, weights=tuple(new if s is old else s for s in card.weights))
        )
        return new

    return publish


@pytest.mark.parametrize("word", ["imagenet", "timm"])
def test_timms_published_file_gives_timms_answers(word, cache, published):
    torch.manual_seed(0)
    theirs = timm.create_model("tf_efficientnet_lite0").eval()
    torch.save(theirs.state_dict(), cache / "lite0.pth")
    record = published("efficientnet_lite0", "timm", cache / "lite0.pth")
    ours = create_model("efficientnet_lite0", weights=word).eval()
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-5)
    assert ours.weights_source == replace(record, options=ours.weights_source.options)
    assert (ours.weights_source.mean, ours.weights_source.licence) == ((0.5,) * 3, "Apache-2.0")


@pytest.mark.parametrize("word", ["imagenet", "keras"])
def test_kerass_published_file_gives_kerass_answers(word, cache, published):
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    theirs = keras.applications.MobileNet(weights=None, alpha=0.25, input_shape=(128, 128, 3))
    for layer in theirs.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([keras.random.uniform(array.shape, 0.5, 1.5) for array in layer.get_weights()])
    theirs.save(cache / "mobilenet.h5")
    published("mobilenet_v1_0.25", "keras", cache / "mobilenet.h5")
    ours = create_model("mobilenet_v1_0.25", weights=word).eval()
    x = torch.rand(1, 3, 128, 128) * 2 - 1
    with torch.no_grad():
        wanted = torch.as_tensor(keras.ops.convert_to_numpy(theirs(x.permute(0, 2, 3, 1).numpy(), training=False)))
        torch.testing.assert_close(ours(x).softmax(1), wanted, rtol=1e-3, atol=1e-6)
    assert ours.spec.arguments["padding"] == "tensorflow"


def test_authors_published_file_of_a_cifar_resnet_is_read(cache, published):
    torch.manual_seed(0)
    model = create_model("resnet20_cifar").eval()
    state = {f"module.{key}": value for key, value in _as_authors(model).items()}
    torch.save({"state_dict": state, "best_prec1": 91.73}, cache / "resnet20.th")
    published("resnet20_cifar", "source", cache / "resnet20.th")
    ours = create_model("resnet20_cifar", weights="cifar10").eval()
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), model(x))
    assert ours.weights_source.classes[3] == "cat"


def _as_authors(model):
    """The tensors under the names of akamaster's repository: conv1, bn1, layer1.0.conv1, ..., linear."""
    from striate.weights import key_tables, rename

    own = model.state_dict()
    numbers = {1: 3, 2: 3, 3: 3}
    theirs = ["conv1.weight", *(f"bn1.{leaf}" for leaf in _LEAVES), "linear.weight", "linear.bias"]
    for stage, blocks in numbers.items():
        for block in range(blocks):
            for layer in (1, 2):
                theirs.append(f"layer{stage}.{block}.conv{layer}.weight")
                theirs += [f"layer{stage}.{block}.bn{layer}.{leaf}" for leaf in _LEAVES]
    ours = rename({name: name for name in theirs}, key_tables("resnet_cifar")["source"])
    return {name: own[key] for key, name in ours.items()}


_LEAVES = ("weight", "bias", "running_mean", "running_var")


def test_a_word_is_a_name_a_publisher_or_a_path(cache):
    card = get_card("mobilenet_v2")
    for word in ("imagenet", "imagenet_v2", "timm", "keras", "torchvision", "hf:org/net"):
        assert is_named(card, word)
    for word in ("imagenet_v3", "imagenet.pth", cache / "imagenet.pth", "./imagenet"):
        assert not is_named(card, word)
    assert choose(card, "keras").record.origin == "Keras Applications"
    assert choose(card, "timm").record.style == "timm"
    assert choose(card, cache / "a.pth").record is None
    with pytest.raises(
        UsageError, match=r"unknown weights of mobilenet_v2 'imagenet_v3'.*Did you mean 'imagenet_v2'|Known"
    ):
        choose(card, "imagenet_v3")
    with pytest.raises(UsageError, match=r"lenet5 has no published weights"):
        choose(get_card("lenet5"), "imagenet")
