"""Files of Keras's ResNets and DenseNets: built as they need it, fed as Keras feeds them."""

import importlib
import os

import pytest
import torch

from striate.models import create_model

os.environ.setdefault("KERAS_BACKEND", "torch")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "module", "spelled", "options"),
    [
        ("resnet50", "resnet", "ResNet50", {"stride_in": "1x1", "conv_bias": True, "norm_eps": 1.001e-5}),
        ("resnet50_v2", "resnet_v2", "ResNet50V2", {"form": "keras"}),
        ("resnet50_v2_keras", "resnet_v2", "ResNet50V2", {"form": "keras"}),
        ("densenet121", "densenet", "DenseNet121", {"norm_eps": 1.001e-5}),
    ],
)
def test_answers_to_pixels_are_kerass(name, module, spelled, options, tmp_path):
    """Pixels through Keras's own preprocessing, and through the mean and deviation of the record."""
    import keras

    keras.utils.set_random_seed(0)
    theirs = importlib.import_module(f"keras.applications.{module}")
    size = 64
    peer = getattr(theirs, spelled)(weights=None, input_shape=(size, size, 3), classifier_activation=None, classes=9)
    path = tmp_path / "weights.h5"
    peer.save(path)
    pixels = torch.randint(0, 256, (2, size, size, 3)).float()
    with torch.no_grad():
        wanted = torch.as_tensor(peer(theirs.preprocess_input(pixels.numpy().copy()), training=False).detach().cpu())
    model = create_model(name, weights=path, stem="paper").eval()
    assert model.spec.arguments.items() >= options.items()
    source = model.weights_source
    mean, std = torch.tensor(source.mean), torch.tensor(source.std)
    x = ((pixels / 255 - mean) / std).permute(0, 3, 1, 2)
    with torch.no_grad():
        given = model(x)
    scale = (wanted[0] - wanted[1]).abs().max().item()
    assert (given - wanted).abs().max().item() < 1e-3 * max(scale, 1e-3 * wanted.abs().max().item())
    assert model.num_classes == 9
