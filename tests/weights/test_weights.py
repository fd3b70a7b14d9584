"""Weights: records against torchvision's own, reading, fetching, loading; failures change nothing."""

import hashlib
import pickle
from dataclasses import replace

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from striate.errors import StriateError, UsageError
from striate.models import create_model, get_card, list_models
from striate.models.catalogue import cards
from striate.weights import (
    WeightSource,
    adapt_channels,
    describe,
    key_tables,
    load_state,
    locate,
    read_state,
    sources_of,
)
from striate.weights.images import HALVES, IMAGENET_STATISTICS
from striate.weights.torchvision_files import BICUBIC, TORCHVISION_FILES


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("STRIATE_WEIGHTS", raising=False)
    return tmp_path / "cache"


@pytest.mark.parametrize("network", sorted(TORCHVISION_FILES))
def test_records_are_torchvisions(network):
    enum = {"imagenet": "IMAGENET1K_V1", "imagenet_v2": "IMAGENET1K_V2", "imagenet_swag": "IMAGENET1K_SWAG_LINEAR_V1"}
    theirs = torchvision.models.get_model_weights(network)
    records = [source for source in sources_of(network) if source.origin == "torchvision"]
    assert records
    for source in records:
        peer = theirs[enum[source.name]]
        transforms = peer.transforms()
        assert source.url == peer.url
        (figure,) = source.accuracy
        assert figure.value == pytest.approx(peer.meta["_metrics"]["ImageNet-1K"]["acc@1"] / 100)
        assert (figure.metric, figure.data, figure.crop) == ("top1", "ImageNet", "one crop")
        assert figure.input_size == source.input_size == transforms.crop_size[0]
        assert round(source.input_size / source.crop_fraction) == transforms.resize_size[0]
        assert source.interpolation == transforms.interpolation.value
        if network in (
            "googlenet",
            "inception_v3",
        ):  # what is fed is (x - 0.5) / 0.5, which torchvision's network works out inside
            assert (source.mean, source.std) == ((0.5,) * 3, (0.5,) * 3)
        else:
            assert (list(source.mean), list(source.std)) == (transforms.mean, transforms.std)


def test_nine_records_were_published_with_bicubic_resizing():
    records = [source for network in TORCHVISION_FILES for source in sources_of(network)]
    assert sorted(source.file for source in records if source.interpolation == "bicubic") == sorted(BICUBIC)
    assert len(BICUBIC) == 9


#: timm trained some of these anew, from -1 to 1, long after their names were given.
ANEW = ("efficientnet_b0.ra4_e3600_r224_in1k", "efficientnet_b1.ra4_e3600_r240_in1k")
#: The authors of EfficientNet-Lite resize all five alike, with bicubic interpolation; timm these two with bilinear.
BILINEAR_AT_TIMM = ("efficientnet_lite3", "efficientnet_lite4")


@pytest.mark.parametrize("name", [card.name for card in cards().values() if "timm" in card.peers])
def test_silent_files_of_timm_are_fed_as_timm_feeds_them(name):
    """Where torchvision names the tensors alike, its networks' images stand for timm's."""
    from timm.models import get_pretrained_cfg, list_pretrained

    card = get_card(name)
    tables, spelled = key_tables(card.family), card.peers["timm"]
    if tables["timm"] is tables.get("torchvision"):
        assert tables["timm"].images == (HALVES if name == "inception_v3" else IMAGENET_STATISTICS)
        return
    images = tables["timm"].images
    for full in set(list_pretrained(f"{spelled}.*")) - set(ANEW):
        theirs = get_pretrained_cfg(full)
        if theirs.num_classes != 1000:
            continue  # features of another task
        assert (images.mean, images.std) == (theirs.mean, theirs.std)
        assert (images.interpolation == theirs.interpolation) == (name not in BILINEAR_AT_TIMM)
    assert not images.blue_first


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_silent_files_of_torchvision_are_fed_as_its_records_say(name):
    """Its own networks rescale inside; a file of their tensors alone has the images that the record on the card has."""
    family = get_card(name).family
    (record,) = sources_of(name)
    images = key_tables(family)["torchvision"].images
    assert (images.mean, images.std, images.interpolation) == (record.mean, record.std, record.interpolation)


def test_fetching_checks_and_leaves_only_the_whole_file(cache, tmp_path):
    content = b"weights" * 1000
    (tmp_path / "there.bin").write_bytes(content)
    good = WeightSource(
        "x", "here.bin", sha256=hashlib.sha256(content).hexdigest(), url=(tmp_path / "there.bin").as_uri()
    )
    path = locate(good)
    assert path == cache / "here.bin"
    assert path.read_bytes() == content
    assert [p.name for p in cache.iterdir()] == ["here.bin"]
    (tmp_path / "there.bin").unlink()
    assert locate(good) == path


def test_another_checksum_is_refused_and_nothing_is_left(cache, tmp_path):
    (tmp_path / "there.bin").write_bytes(b"something else")
    with pytest.raises(StriateError, match="another checksum"):
        locate(WeightSource("x", "here.bin", sha256="0" * 64, url=(tmp_path / "there.bin").as_uri()))
    assert list(cache.iterdir()) == []


def test_a_damaged_file_in_the_cache_is_refused(cache):
    cache.mkdir()
    (cache / "here.bin").write_bytes(b"half")
    with pytest.raises(StriateError, match="damaged"):
        locate(WeightSource("x", "here.bin", sha256="0" * 64))


def test_offline_names_file_and_folder_and_leaves_nothing(cache, tmp_path):
    source = WeightSource("x", "here.bin", sha256="ab" * 32, url=(tmp_path / "missing.bin").as_uri())
    with pytest.raises(StriateError, match=r"put the file here\.bin .*cache") as caught:
        locate(source)
    assert str(cache) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(cache.iterdir())


def test_a_folder_of_weights_comes_before_the_cache(cache, tmp_path, monkeypatch):
    given = tmp_path / "given"
    for folder in (given, cache):
        folder.mkdir(parents=True)
        (folder / "there.bin").write_bytes(b"weights")
    source = WeightSource("x", "there.bin", sha256=hashlib.sha256(b"weights").hexdigest())
    assert locate(source) == cache / "there.bin"
    monkeypatch.setenv("STRIATE_WEIGHTS", str(given))
    assert locate(source) == given / "there.bin"
    (given / "there.bin").unlink()
    assert locate(source) == cache / "there.bin"


def test_a_server_that_says_nothing_is_not_waited_for(cache, monkeypatch):
    asked = []

    def silent(url, timeout):
        asked.append((url.full_url, timeout))
        raise TimeoutError("timed out")

    monkeypatch.setattr("urllib.request.urlopen", silent)
    with pytest.raises(StriateError, match=r"cannot fetch http://nowhere/x \(timed out\); put the file x.bin"):
        locate(WeightSource("x", "x.bin", sha256="0" * 64, url="http://nowhere/x"))
    assert asked == [("http://nowhere/x", 30)]


def test_images_of_other_channels_are_normalised_as_the_first_convolution_is_adapted():
    source = WeightSource("x", "", mean=(0.1, 0.2, 0.6), std=(0.2, 0.3, 0.4))
    assert source.normalisation(3) == (source.mean, source.std)
    assert source.normalisation(5) == ((0.1, 0.2, 0.6, 0.1, 0.2), (0.2, 0.3, 0.4, 0.2, 0.3))
    assert source.normalisation(2) == ((0.1, 0.2), (0.2, 0.3))
    assert source.normalisation(1) == (pytest.approx((0.3,)), pytest.approx((0.3,)))


def test_published_weights_load_and_build_the_form_they_need(cache, monkeypatch):
    """A file with torchvision's keys in the cache is loaded by name, and the v1.5 form is built for it."""
    theirs = torchvision.models.resnet50().eval()
    cache.mkdir()
    torch.save(theirs.state_dict(), cache / "file.pth")
    digest = hashlib.sha256((cache / "file.pth").read_bytes()).hexdigest()
    card = get_card("resnet50")
    record = next(source for source in card.weights if source.name == "imagenet")
    here = replace(card, weights=(replace(record, file="file.pth", sha256=digest),))
    monkeypatch.setitem(cards(), "resnet50", here)
    model = create_model("resnet50", weights="imagenet").eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model(x), theirs(x), rtol=1e-4, atol=1e-5)
    assert model.spec.arguments["stride_in"] == "3x3"
    with pytest.raises(UsageError, match="need stride_in='3x3' and stride_in='1x1'"):
        create_model("resnet50", weights="imagenet", stride_in="1x1")


def test_pickles_are_refused_and_not_opened(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was opened",))

    (tmp_path / "a.pkl").write_bytes(pickle.dumps(Bomb()))
    torch.save(Bomb(), tmp_path / "a.pt")
    for name in ("a.pkl", "a.pt"):
        with pytest.raises(StriateError, match=r"pickle.*refused"):
            create_model("lenet5", weights=tmp_path / name)


def test_damaged_and_missing_files_are_one_line(tmp_path):
    path = tmp_path / "a.safetensors"
    with pytest.raises(StriateError, match="no such file"):
        read_state(path)
    path.write_bytes(b"\x10\x00\x00")
    with pytest.raises(StriateError, match="not a whole safetensors file"):
        read_state(path)
    save_file({"a": torch.zeros(1)}, path, metadata={"input_mean": "[0.5"})
    with pytest.raises(StriateError, match="metadata"):
        describe(path)


def test_loading_names_what_is_missing_extra_and_misshapen():
    model = create_model("lenet5")
    before = {key: value.clone() for key, value in model.state_dict().items()}
    state = {key: value + 1 for key, value in model.state_dict().items()}
    state["another"] = state.pop("stem.conv.bias")
    state["head.c5.weight"] = torch.zeros(2, 2)
    with pytest.raises(StriateError) as caught:
        load_state(model, state, where="here")
    for part in (
        "here",
        "missing stem.conv.bias",
        "extra another",
        "head.c5.weight is (2, 2), wanted (120, 400)",
    ):
        assert part in str(caught.value)
    flat = {**model.state_dict(), "stem.conv.weight": torch.zeros(6, 24)}  # a row for each filter, but too short
    with pytest.raises(StriateError, match=r"misshapen stem.conv.weight is \(6, 24\), wanted \(6, 1, 5, 5\)"):
        load_state(model, flat)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_counts_of_batches_may_be_absent():
    """Keras and older files of PyTorch have none."""
    torch.manual_seed(0)
    model, other = (create_model("resnet20_cifar") for _ in range(2))
    load_state(model, {key: value for key, value in other.state_dict().items() if "num_batches" not in key})
    assert all(map(torch.equal, model.state_dict().values(), other.state_dict().values()))


def test_loading_into_another_number_of_classes_offers_reset_head():
    with pytest.raises(StriateError, match=r"trained on 10 classes and the network has 3.*reset_head\(3\)"):
        load_state(create_model("lenet5", num_classes=3), create_model("lenet5").state_dict())


def test_other_classes_leave_the_last_layer_fresh_and_load_the_rest(tmp_path):
    model = create_model("lenet5")
    save_file(model.state_dict(), tmp_path / "a.safetensors")
    loaded = create_model("lenet5", weights=tmp_path / "a.safetensors", num_classes=3)
    assert loaded.num_classes == 3
    assert torch.equal(loaded.head.f6.weight, model.head.f6.weight)
    assert create_model("lenet5", weights=tmp_path / "a.safetensors").num_classes == 10


def test_files_of_another_family_are_not_recognised(tmp_path):
    save_file(create_model("lenet5").state_dict(), tmp_path / "a.safetensors")
    with pytest.raises(
        StriateError, match="weights of lenet5, which do not fit mobilenet_v2; take lenet5 as the network"
    ):
        create_model("mobilenet_v2", weights=tmp_path / "a.safetensors")


def test_a_deeper_network_of_the_family_does_not_fit(shared_weights):
    with pytest.raises(StriateError, match="weights of resnet20_cifar, which do not fit resnet32_cifar"):
        create_model("resnet32_cifar", weights=shared_weights / "resnet20_cifar10.safetensors")


def test_networks_without_published_weights_say_so():
    with pytest.raises(UsageError, match="no published weights"):
        create_model("lenet5", weights="imagenet")


def test_adapted_channels_keep_the_size_of_the_answer():
    weight = torch.randn(4, 3, 3, 3)
    assert torch.equal(adapt_channels(weight, 3), weight)
    torch.testing.assert_close(adapt_channels(weight, 1)[:, 0], weight[:, 0] + weight[:, 1] + weight[:, 2])
    x = torch.randn(1, 1, 8, 8)
    same = torch.nn.functional.conv2d(x.expand(-1, 3, -1, -1), weight)
    for channels in (1, 6, 9):
        many = torch.nn.functional.conv2d(x.expand(-1, channels, -1, -1), adapt_channels(weight, channels))
        torch.testing.assert_close(many, same, rtol=1e-4, atol=1e-4)


def test_no_two_sources_of_a_network_have_one_name():
    for name in list_models():
        names = [source.name for source in get_card(name).weights]
        assert len(names) == len(set(names))
