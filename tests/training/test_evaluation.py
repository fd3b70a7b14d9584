import numpy as np
import pytest
import torch
from torch import nn

from striate.data import ArrayImages, Preprocessing, Split
from striate.data.views import VIEWS
from striate.engines import Eager, evaluating
from striate.models import create_model
from striate.training.batches import Batches
from striate.training.evaluation import evaluate
from striate.training.tasks import SingleLabel

CLASSES = ("a", "b", "c")
PREPROCESSING = Preprocessing((10, 10), 3, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))


def measured(network, batches, look, classes):
    """What training measures of a network in whatever mode it is."""
    with evaluating(network):
        return evaluate(Eager(network, look.normalise), batches, SingleLabel(classes))


@pytest.fixture
def split() -> Split:
    rng = np.random.default_rng(0)
    array = rng.integers(0, 256, (17, 10, 10, 3), dtype=np.uint8)
    return Split("test", ArrayImages(array, [f"{i}.png" for i in range(17)]), rng.integers(0, 3, 17))


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(512, 3))
    return nn.Sequential(*layers)


@pytest.mark.parametrize("batch_size", [1, 5, 17, 64])
def test_it_equals_a_plain_loop_in_double_precision(split, model, batch_size):
    found = measured(model, Batches(split, PREPROCESSING, batch_size), PREPROCESSING, CLASSES)
    double = model.double().eval()
    losses, probabilities = [], []
    mean, std = (np.array(values) for values in (PREPROCESSING.mean, PREPROCESSING.std))
    with torch.no_grad():
        for image, label in zip(split.images.array, split.labels, strict=True):
            pixels = torch.from_numpy(((image / 255 - mean) / std).transpose(2, 0, 1))
            logits = double(pixels[None])[0].numpy()
            share = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
            probabilities.append(share)
            losses.append(-np.log(share[label]))
    np.testing.assert_allclose(found.probabilities, probabilities, atol=1e-5)
    assert found.loss == pytest.approx(np.mean(losses), rel=1e-5)
    assert found.top1 == pytest.approx((np.argmax(probabilities, axis=1) == split.labels).mean())


def test_it_says_what_it_measured(split, model):
    found = measured(model, Batches(split, PREPROCESSING, 4), PREPROCESSING, CLASSES)
    assert found.classes == CLASSES
    assert found.names == [f"{i}.png" for i in range(17)]
    np.testing.assert_array_equal(found.labels, split.labels)
    assert found.probabilities.dtype == np.float32
    assert found.split == split.name != ""


@pytest.mark.parametrize("training", [True, False])
def test_the_network_keeps_its_mode_its_statistics_and_takes_no_gradient(split, model, training):
    model.train(training)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    measured(model, Batches(split, PREPROCESSING, 4), PREPROCESSING, CLASSES)
    assert all(module.training == training for module in model.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_frozen_parts_of_a_network_in_training_stay_in_evaluation_mode(split):
    preprocessing = Preprocessing((32, 32), 3, (0.5,) * 3, (0.5,) * 3)
    network = create_model("resnet20_cifar", num_classes=3, in_channels=3).freeze("stem").train()
    modes = [module.training for module in network.modules()]
    assert {True, False} == set(modes)
    measured(network, Batches(split, preprocessing, 8), preprocessing, CLASSES)
    assert [module.training for module in network.modules()] == modes


def test_the_mode_comes_back_after_a_failure_too(split, model):
    model.train()
    wrong = Preprocessing((9, 9), 3, (0.5,) * 3, (0.5,) * 3)
    with pytest.raises(RuntimeError):
        measured(model, Batches(split, wrong, 4), wrong, CLASSES)
    assert model.training


def test_one_logit_stands_for_two_classes(split):
    torch.manual_seed(0)
    model = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, 1))
    pair = Split("val", split.images, split.labels % 2)
    found = measured(model, Batches(pair, PREPROCESSING, 5), PREPROCESSING, ("a", "b"))
    pixels = PREPROCESSING.normalise(torch.from_numpy(split.images.array).permute(0, 3, 1, 2))
    logits, labels = model(pixels)[:, 0].detach(), torch.from_numpy(pair.labels)
    np.testing.assert_allclose(found.probabilities[:, 1], logits.sigmoid(), atol=1e-6)
    assert found.loss == pytest.approx(nn.functional.binary_cross_entropy_with_logits(logits, labels.float()).item())


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16])
def test_images_are_given_in_the_weights_own_precision(split, model, kind):
    seen = []
    model.to(kind)[0].register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0].dtype))
    assert measured(model, Batches(split, PREPROCESSING, 17), PREPROCESSING, CLASSES).probabilities.dtype == np.float32
    assert seen == [kind]


def test_several_views_are_averaged_as_probabilities_and_measured_against_the_first(split, model):
    look = Preprocessing((8, 8), 3, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
    model[5] = nn.Linear(288, 3)
    model.eval()
    views = VIEWS["five"]
    found = measured(model, Batches(split, look, 3, views=views), look, CLASSES)
    shares = []
    for picture in split.images.array:
        cuts = torch.from_numpy(np.stack([view.cut(picture, look) for view in views])).permute(0, 3, 1, 2)
        shares.append(model(look.normalise(cuts)).softmax(1).mean(0).detach().numpy())
    np.testing.assert_allclose(found.probabilities, shares, atol=1e-6)
    expected = -np.log(np.array(shares, np.float64)[np.arange(17), split.labels]).mean()
    assert found.loss == pytest.approx(expected, rel=1e-5)
    once = measured(model, Batches(split, look, 3), look, CLASSES)
    assert (once.views, found.views.once) == (None, once.top1)
    assert found.views.gain == pytest.approx(found.top1 - once.top1)
    assert found.views.low <= found.views.gain <= found.views.high
    assert found.views.views == tuple(map(str, views))
    assert 0 < found.views.seconds_once < found.views.seconds
    assert found.views.different == 4  # of 9 rows and columns the middle 8 are the first 8


@pytest.mark.parametrize(("name", "different"), [("five", 1), ("ten", 2), ("flip", 2), ("scales", 6)])
def test_corners_of_pictures_as_large_as_the_crop_are_one_view(model, name, different):
    images = np.random.default_rng(1).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    look = Preprocessing((8, 8), 3, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3), resize="crop", crop_fraction=1)
    model[5] = nn.Linear(288, 3)
    part = Split("test", ArrayImages(images, list("abcd")), np.arange(4) % 3)
    assert measured(model, Batches(part, look, 3, views=VIEWS[name]), look, CLASSES).views.different == different


def test_the_watcher_is_told_how_many_images_are_done(split, model):
    done = []
    with evaluating(model):
        evaluate(
            Eager(model, PREPROCESSING.normalise), Batches(split, PREPROCESSING, 5), SingleLabel(CLASSES), done.append
        )
    assert done == [5, 10, 15, 17]
