"""Cats and dogs: the table is the book's, and what is filled in suits network, weights and images."""

import numpy as np
import pytest

from striate.errors import StriateError, UsageError
from striate.experiments.cats_and_dogs import EXPERIMENT, STEPS, base_of, epochs_for, filled, images
from striate.experiments.steps import Asked
from striate.models import ModelSpec


@pytest.fixture(scope="module")
def photos(tmp_path_factory, paint):
    return paint(tmp_path_factory.mktemp("two") / "photos", names=("blue", "red"), count=18)


@pytest.fixture(scope="module")
def dataset(photos):
    return images(Asked(source=photos))


@pytest.fixture(scope="module")
def base(tmp_path_factory, photos):
    """A ResNet-20 to start from, trained for a moment."""
    import striate

    run = tmp_path_factory.mktemp("base") / "run"
    striate.train(photos, model="resnet20_cifar", epochs=1, quiet=True, report=False, workers=0, run=run)
    return run


def test_the_table_is_the_books():
    rows = [(step.name, step.claim, step.full, step.train["recipe"].learning_rate) for step in STEPS]
    assert rows == [
        ("scratch", 0.72, 30, 1e-4),
        ("dropout", None, 30, 1e-4),
        ("augmentation", 0.82, 100, 1e-4),
        ("frozen", 0.90, 30, 2e-5),
        ("frozen_augmented", 0.96, 30, 2e-5),
        ("fine_tuned", 0.97, 100, 1e-5),
    ]
    assert [step.train.get("options") for step in STEPS[:3]] == [None, {"dropout": 0.5}, {"dropout": 0.5}]
    for step in STEPS:
        recipe = step.train["recipe"]
        assert (recipe.optimizer, recipe.batch_size, recipe.schedule) == ("rmsprop", 20, "constant")
        assert (recipe.momentum, recipe.weight_decay, recipe.warmup_epochs) == (0, 0, 0)
        policy = recipe.augment
        turned = step.name in ("augmentation", "frozen_augmented", "fine_tuned")
        assert (policy.rotate, policy.translate, policy.scale, policy.flip) == (
            (40, 0.2, 0.2, 0.5) if turned else (0, 0, 0, 0)
        )


def test_as_many_pictures_go_by_as_in_the_book():
    scratch = STEPS[0]
    asked = Asked(source="x")
    assert epochs_for(scratch, asked, 2000) == 15
    assert epochs_for(scratch, asked, 1000) == 30
    assert epochs_for(scratch, asked, 25_000) == 2  # never fewer
    assert epochs_for(scratch, Asked(source="x", full=True), 4000) == 15
    assert epochs_for(scratch, Asked(source="x", epochs=3), 1000) == 3


def test_one_image_in_three_validates_and_all_are_in_colour(dataset):
    assert (len(dataset.train), len(dataset.val), dataset.channels) == (24, 12, 3)
    assert np.bincount(dataset.val.labels).tolist() == [6, 6]


def test_other_than_two_classes_and_too_few_images_are_one_line(paint, tmp_path):
    three = paint(tmp_path / "three", count=18)
    with pytest.raises(UsageError, match=r"three: .* two classes apart, and these images have 3 classes\.$"):
        images(Asked(source=three))
    few = paint(tmp_path / "few", names=("blue", "red"), count=12)
    with pytest.raises(UsageError, match=r"few: 16 images to train on; .* needs 20 at least"):
        images(Asked(source=few))


def test_pretrained_steps_get_the_network_its_head_and_what_is_frozen(base, dataset):
    steps = {step.name: step for step in filled(Asked(source="x", weights=base, size=48, epochs=2, seed=4), dataset)}
    assert all((step.train["size"], step.train["seed"], step.train["epochs"]) == (48, 4, 2) for step in steps.values())
    assert all("model" in step.train and not step.missing for step in steps.values())
    for name in ("scratch", "dropout", "augmentation"):
        assert steps[name].train["model"] == "keras_cats_dogs"
        assert not {"weights", "freeze", "learning_rate"} & set(steps[name].train)
    for name in ("frozen", "frozen_augmented"):
        assert steps[name].train["model"] == "resnet20_cifar"
        assert steps[name].train["weights"] == base
        assert steps[name].train["freeze"] == "all"
        assert steps[name].train["learning_rate"] == 1e-4
        assert steps[name].train["options"] == {"hidden": 256, "hidden_dropout": 0.5}
    last = steps["fine_tuned"]
    assert (last.train["freeze"], last.start) == ("stage2", "frozen_augmented")  # of stem, stage1, stage2, stage3
    assert not {"weights", "learning_rate"} & set(last.train)


def test_the_full_form_keeps_the_books_rates(base, dataset):
    steps = filled(Asked(source="x", weights=base, size=48, full=True), dataset)
    assert not [step.name for step in steps if "learning_rate" in step.train]
    assert [step.train["epochs"] for step in steps] == [2500, 2500, 8333, 2500, 2500, 8333]  # times 2000 / 24


def test_without_weights_the_line_says_which_file_goes_where(dataset, monkeypatch):
    def offline(source, *_, **__):
        raise StriateError(f"cannot fetch {source.url}; put the file {source.file} into CACHE")

    monkeypatch.setattr("striate.models.choice.locate", offline)
    monkeypatch.delenv("STRIATE_WEIGHTS", raising=False)
    steps = filled(Asked(source="x", size=48), dataset)
    assert [bool(step.missing) for step in steps] == [False, False, False, True, True, True]
    assert "put the file vgg16-397923af.pth into CACHE" in steps[3].missing
    assert "mobilenet_v2" in steps[3].missing
    assert steps[3].train["model"] == "vgg16_cats_dogs"
    assert steps[3].train["options"] == {"dropout": 0.5}
    assert steps[5].train["freeze"] == "stage3"  # of stem and four stages: block 5 is the last


def test_a_file_of_vgg16_is_for_the_network_on_its_convolutions(monkeypatch):
    monkeypatch.setattr("striate.experiments.cats_and_dogs.network_of", lambda _: ModelSpec("vgg_d"))
    assert base_of(Asked(source="x", weights="file.pth")) == ("vgg16_cats_dogs", "file.pth")
    assert base_of(Asked(source="x", model="vgg16", weights="file.pth")) == ("vgg_d", "file.pth")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"model": "lenet5"}, "lenet5 has no published weights"),
        ({"model": "resnet"}, "unknown network 'resnet'"),
        ({"model": "mobilenet_v2", "weights": "nowhere.pth"}, "nowhere.pth"),
        ({"size": 20}, "smallest it takes is 46x46"),
    ],
)
def test_what_cannot_be_is_one_line(asked, said, dataset):
    with pytest.raises(StriateError, match=said):
        filled(Asked(source="x", **asked), dataset)


def test_it_says_what_it_asks_and_whose_it_is():
    assert EXPERIMENT.question.endswith("?")
    assert "Chollet (2017)" in EXPERIMENT.source
