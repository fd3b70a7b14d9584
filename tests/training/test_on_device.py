"""Images that lie on a device give the batches that workers make, within interpolation error."""

import numpy as np
import pytest
import torch

from striate.augment import Augment
from striate.data import ArrayImages, KeptImages, Preprocessing, Split
from striate.training import batches
from striate.training.batches import Batches
from striate.training.making import Key, Maker
from striate.training.on_device import OnDevice, may_lie_there

COUNT, SIZE = 23, (16, 16)
LOOK = Preprocessing(SIZE, 3, (0.5,) * 3, (0.25,) * 3)
POLICIES = {
    "plain": Augment(),
    "cifar": Augment(flip=0.5, crop_padding=2),
    "turns": Augment(rotate=20, scale=0.2, brightness=0.3, contrast=0.3, hue=20, pca=0.1),
    "mixup": Augment(flip=0.5, area=0.4, mixup=0.4),
    "cutmix": Augment(flip=0.5, cutmix=1.0),
}
CUDA = torch.device("cuda", 0)


def smooth(number: int, side: int = 16) -> np.ndarray:
    corners = torch.from_numpy(np.random.default_rng(number).integers(0, 256, (1, 3, 4, 4))).float()
    whole = torch.nn.functional.interpolate(corners, (side, side), mode="bilinear", align_corners=True)
    return whole[0].permute(1, 2, 0).round().byte().numpy()


@pytest.fixture
def split() -> Split:
    array = np.stack([smooth(number) for number in range(COUNT)])
    return Split("train", ArrayImages(array, [""] * COUNT), np.arange(COUNT))


def key(policy: Augment, again: bool = False) -> Key:
    """Twelve images; `again` says that the last ones are the first once more."""
    indices = np.r_[0:8, 0:4] if again else np.arange(3, 15)
    partners = indices.reshape(-1, 2)[:, ::-1].ravel() if policy.mixup or policy.cutmix else None
    repeats = np.r_[np.zeros(8, int), np.ones(4, int)]
    return Key(2, indices, partners, (repeats, repeats) if again else None)


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("again", [False, True])
def test_batches_are_those_of_workers(split, name, again):
    policy, axes, asked = POLICIES[name], np.eye(3) / 5, key(POLICIES[name], again)
    images, labels = Maker(split, LOOK, policy, 5, classes=COUNT, axes=axes)[asked]
    there = OnDevice.put(split, LOOK, policy, 5, torch.device("cpu"), COUNT, axes)
    found, shares = there[asked]
    assert (found.dtype, found.shape) == (torch.uint8, images.shape)
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(shares, labels)
    apart = (found.int() - images.int()).abs()
    assert apart.max() <= 4
    assert apart.float().mean() < 0.6
    if name in ("plain", "cifar"):
        assert not apart.any()


def test_pictures_are_cut_to_another_size(split):
    look, policy = Preprocessing((12, 10), 3, (0.5,) * 3, (0.25,) * 3), Augment(flip=0.5, translate=0.1)
    images, _ = Maker(split, look, policy, 5)[key(policy)]
    found, _ = OnDevice.put(split, look, policy, 5, torch.device("cpu"))[key(policy)]
    assert found.shape == (12, 3, 12, 10)
    assert (found.int() - images.int()).abs().max() <= 4


def test_what_lies_there_is_of_one_size_augmented_by_matrices_and_has_room(split, monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (4 * split.images.array.nbytes, 0))
    flips = Augment(flip=0.5)
    assert may_lie_there(split, LOOK, flips, CUDA)
    assert may_lie_there(split, LOOK, Augment(), CUDA)
    assert not may_lie_there(split, LOOK, flips, torch.device("cpu"))
    assert not may_lie_there(split, LOOK, Augment(flip=0.5, noise=0.1), CUDA)
    kept = KeptImages(list(split.images.array), split.images)
    assert not may_lie_there(Split("train", kept, split.labels), LOOK, flips, CUDA)
    larger = Preprocessing((20, 20), 3, (0.5,) * 3, (0.25,) * 3)
    assert may_lie_there(split, larger, flips, CUDA)
    assert not may_lie_there(split, larger, Augment(hue=10.0), CUDA)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (4 * split.images.array.nbytes - 4, 0))
    assert not may_lie_there(split, LOOK, flips, CUDA)


def test_training_takes_them_without_workers(split, monkeypatch):
    monkeypatch.setattr(batches, "may_lie_there", lambda *_: True)
    there = Batches(split, LOOK, 5, POLICIES["cifar"], 3, workers=2, device=torch.device("cpu"))
    here = Batches(split, LOOK, 5, POLICIES["cifar"], 3)
    assert there.workers == 0
    for one, other in zip(there.epoch(1), here.epoch(1), strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.labels, other.labels)
    assert there.reading_share(0) < 1


def test_elsewhere_workers_make_them(split):
    assert isinstance(Batches(split, LOOK, 5, POLICIES["cifar"], 3, device=torch.device("cpu"))._maker, Maker)
