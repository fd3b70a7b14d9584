"""What a run starts from where nobody said, and how much of it is trained."""

from pathlib import Path

import pytest

import striate
from striate.classifier import transfer_choice
from striate.classifier.request import Request
from striate.classifier.transfer_choice import choose_transfer
from striate.errors import StriateError

EPOCHS = {"epochs": 3}


def chosen(photos, **asked):
    return choose_transfer(Request(source=photos, **asked), striate.open_dataset(photos))


@pytest.mark.parametrize(
    ("asked", "regime"),
    [
        ({}, "auto"),
        ({"transfer": "full"}, "full"),
        ({"settings": EPOCHS}, "full"),
        ({"settings": EPOCHS, "transfer": "auto"}, "auto"),
        ({"settings": EPOCHS, "transfer": "scratch", "weights": None, "model": "resnet20_cifar"}, ""),
        ({"settings": {"batch_size": 4}}, "auto"),
        ({"settings": {"init": "he"}}, ""),
        ({"recipe": "tiny"}, ""),
        ({"freeze": "stem"}, ""),
        ({"freeze": "stem", "transfer": "auto"}, "auto"),
    ],
)
def test_what_is_done_with_weights(source, photos, asked, regime):
    assert chosen(photos, **{"weights": source, **asked}).regime == regime


def test_small_pictures_start_from_nothing(photos):
    assert chosen(photos).regime == chosen(photos, settings=EPOCHS).regime == ""


def test_a_setting_is_not_passed_over_without_a_word(source, photos):
    (note,) = chosen(photos, weights=source, settings=EPOCHS).notes
    assert note == "transfer full, since epochs are set; --transfer scratch begins at random weights"
    (note,) = chosen(photos, weights=source, settings={"batch_size": 4, "optimizer": "sgd", "augment.rotate": 5}).notes
    assert note.startswith("for training by steps, should there be any: batch_size, optimizer; ")
    assert chosen(photos, weights=source, settings={"augment.rotate": 5}).notes == ()


def test_a_classifier_of_these_very_classes_is_trained_on_as_settings_say(source):
    """Its head is not fitted anew; without settings what it saw is only where it begins."""
    same = source.parent / "photos"
    assert chosen(same, weights=source, settings=EPOCHS).regime == ""
    assert chosen(same, weights=source).regime == "auto"


@pytest.mark.parametrize(("settings", "regime"), [({}, "auto"), (EPOCHS, "full"), ({"batch_size": 4}, "auto")])
def test_weights_at_hand_are_taken_by_accuracy(paint, tmp_path, shared_weights, monkeypatch, settings, regime):
    monkeypatch.setenv("STRIATE_WEIGHTS", str(shared_weights))
    photos = paint(tmp_path / "photos", count=2, side=80)
    found = chosen(photos, settings=settings)
    assert (found.regime, found.asked.model) == (regime, "efficientnet_lite2")
    found = chosen(photos, settings=settings, model="mobilenet_v2")
    assert (found.regime, Path(found.asked.weights).name) == (regime, "mobilenet_v2_imagenet.safetensors")


@pytest.mark.parametrize("settings", [{}, EPOCHS])
def test_without_weights_photographs_start_from_nothing_and_it_is_said(paint, tmp_path, monkeypatch, settings):
    monkeypatch.setenv("STRIATE_WEIGHTS", str(tmp_path))

    def offline(source):
        raise StriateError("no network: put the file at /there")

    monkeypatch.setattr(transfer_choice, "locate", offline)
    photos = paint(tmp_path / "photos", count=2, side=80)
    found = chosen(photos, settings=settings)
    assert (found.regime, found.asked.weights, found.asked.model) == ("", None, None)
    assert found.notes == ("no pretrained weights, so it starts from random ones: no network: put the file at /there",)
    with pytest.raises(StriateError, match="no network"):
        chosen(photos, settings=settings, transfer="features")
