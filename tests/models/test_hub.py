"""Networks of the Hub's: what a repository says of itself, as timm writes it, and its weights in ours."""

import json

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.models import get_pretrained_cfg

import striate
from striate.classifier import Classifier
from striate.errors import StriateError, UsageError
from striate.models import create_model, obtain
from striate.models.catalogue import get_card
from striate.models.choice import choose, is_named
from striate.models.hub import hub_model, network_at_hub
from striate.models.pretrained import input_size_of
from striate.models.recognition import network_of
from striate.weights import WeightSource


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Writes a repository into a folder of one's own, as timm would push it; returns the network at timm."""
    monkeypatch.setenv("STRIATE_WEIGHTS", str(tmp_path / "given"))
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    def write(name, architecture, config=None, **options):
        folder = tmp_path / "given" / "org" / name
        folder.mkdir(parents=True)
        torch.manual_seed(0)
        network = timm.create_model(architecture, **options).eval()
        fed = dict(network.pretrained_cfg)
        said = {
            "architecture": architecture,
            "num_classes": network.num_classes,
            "pretrained_cfg": {key: value for key, value in fed.items() if value is not None},
            **(config or {}),
        }
        (folder / "config.json").write_text(json.dumps(said, default=str), encoding="utf-8")
        save_file(network.state_dict(), folder / "model.safetensors")
        return network

    return write


def test_a_repository_of_timms_is_a_network_of_the_catalogue(repository):
    theirs = repository("net", "mobilenetv2_050")
    said, cfg = hub_model("hf:org/net"), get_pretrained_cfg("mobilenetv2_050")
    assert (said.architecture, said.network) == ("mobilenetv2_050", "mobilenet_v2_0.5")
    assert said.source == WeightSource(
        name="hf:org/net",
        file="model.safetensors",
        url="hf:org/net",
        origin="Hugging Face Hub, org/net",
        licence=cfg.license,
        num_classes=1000,
        input_size=224,
        mean=cfg.mean,
        std=cfg.std,
        crop_fraction=cfg.crop_pct,
        interpolation=cfg.interpolation,
        style="timm",
    )
    model = create_model("mobilenet_v2_0.5", weights="hf:org/net").eval()
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model(x), theirs(x), rtol=1e-4, atol=1e-5)
    assert model.weights_source.name == "hf:org/net"
    assert network_of("hf:org/net").name == network_at_hub("hf:org/net") == "mobilenet_v2_0.5"
    assert is_named(get_card("lenet5"), "hf:org/net")
    assert input_size_of(get_card("mobilenet_v2_0.5"), "hf:org/net") == 224


def test_of_networks_that_timm_calls_alike_the_one_in_its_form_is_taken(repository):
    repository("net", "resnet50")
    assert hub_model("hf:org/net").network == "resnet50_v1_5"
    assert choose(get_card("resnet50"), "hf:org/net").record.style == "timm"  # whose weights bring the form
    with pytest.raises(UsageError, match="weights of resnet50_v1_5, which do not fit resnet18; take resnet50_v1_5"):
        create_model("resnet18", weights="hf:org/net")


def test_its_preprocessing_and_its_classes_go_with_a_classifier(repository, colours):
    cfg = {"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6], "input_size": [3, 96, 96], "crop_pct": 0.9}
    config = {"pretrained_cfg": {**cfg, "interpolation": "bilinear"}, "label_names": ["a", "b", "c"]}
    repository("net", "mobilenetv2_050", config, num_classes=3)
    for classifier in (Classifier.pretrained("hf:org/net"), striate.load("hf:org/net")):
        look = classifier.description.preprocessing
        assert classifier.classes == ("a", "b", "c")
        assert (look.size, look.mean, look.std) == ((96, 96), (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
        assert (look.crop_fraction, look.interpolation) == (0.9, "bilinear")
    assert classifier.description.metrics["weights"] == "hf:org/net"
    assert classifier.predict(colours / "red" / "0.png").label in "abc"


def test_names_of_wordnet_are_imagenets_classes(repository):
    repository("net", "mobilenetv2_050", {"label_names": [f"n{number:08d}" for number in range(1000)]})
    assert Classifier.pretrained("hf:org/net").classes[0] == "tench"


def test_what_the_catalogue_lacks_is_timms_own(repository, colours):
    theirs = repository("net", "resnet10t", {"label_names": ["a", "b"]}, num_classes=2)
    assert hub_model("hf:org/net").network == "timm:resnet10t"
    classifier = Classifier.pretrained("hf:org/net")
    assert classifier.description.network["name"] == "timm:resnet10t"
    assert classifier.classes == ("a", "b")
    x = torch.randn(1, 3, 176, 176)
    with torch.no_grad():
        torch.testing.assert_close(classifier.model(x), theirs(x), rtol=1e-4, atol=1e-5)
    network = obtain("timm:resnet10t", num_classes=5, weights="hf:org/net")
    assert network.num_classes == 5
    assert network.weights_source.mean == hub_model("hf:org/net").source.mean
    with pytest.raises(UsageError, match="weights of timm:resnet10t, which is not in the catalogue; name it"):
        network_of("hf:org/net")
    with pytest.raises(UsageError, match="weights of timm:resnet10t, which do not fit timm:resnet18"):
        obtain("timm:resnet18", num_classes=5, weights="hf:org/net")


def test_training_takes_network_and_images_from_a_repository(repository, colours, tmp_path):
    fed = {"input_size": [3, 48, 48], "mean": [0.5] * 3, "std": [0.5] * 3}
    repository("net", "mobilenetv2_050", {"pretrained_cfg": fed})
    run = tmp_path / "run"
    striate.train(colours, weights="hf:org/net", epochs=1, batch_size=4, run=run, quiet=True, report=False, workers=0)
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    assert config["network"]["name"] == "mobilenet_v2_0.5"
    assert config["weights"] == "hf:org/net"
    assert (config["preprocessing"]["size"], config["preprocessing"]["mean"]) == ([48, 48], [0.5] * 3)


def test_offline_the_line_says_what_to_put_where(repository, tmp_path):
    with pytest.raises(StriateError) as caught:
        create_model("resnet18", weights="hf:timm/resnet18.a2_in1k")
    name = "timm/resnet18.a2_in1k"
    assert str(caught.value) == (
        f"hf:{name}: no network; put the files config.json and model.safetensors of {name} "
        f"into {tmp_path / 'cache' / 'timm' / 'resnet18.a2_in1k'}"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "cannot be understood"),
        ("[]", "cannot be understood"),
        ('{"architectures": ["ResNetForImageClassification"]}', "names no 'architecture' of timm's"),
        ('{"architecture": 3}', "names no 'architecture' of timm's"),
        ('{"architecture": "resnet18", "num_classes": "many"}', "cannot be understood"),
        ('{"architecture": "resnet18", "pretrained_cfg": {"input_size": [3, 0, 0]}}', "cannot be understood"),
        ('{"architecture": "resnet18", "pretrained_cfg": {"input_size": 3}}', "cannot be understood"),
        ('{"architecture": "resnet18", "pretrained_cfg": {"mean": 0.5}}', "cannot be understood"),
        ('{"architecture": "resnet18", "pretrained_cfg": []}', None),
    ],
)
def test_whatever_a_repository_says_it_is_a_line(content, said, repository, tmp_path):
    folder = tmp_path / "given" / "org" / "net"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(content, encoding="utf-8")
    if said is None:
        assert hub_model("hf:org/net").network == "resnet18"
        return
    with pytest.raises(StriateError, match=said) as caught:
        hub_model("hf:org/net")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("hf:org/net: ")
