"""Frozen tensors stay as they were, and where one does not it is found."""

import pytest
import torch

import striate
from striate.errors import StriateError
from striate.training.sealed import check_seal, frozen_tensors, seal


@pytest.fixture
def network():
    return striate.create_model("resnet20_cifar", num_classes=3)


def test_parameters_and_statistics_of_frozen_parts_are_sealed(network):
    assert (frozen_tensors(network), seal(network)) == ({}, {})
    network.freeze("stage1")
    names = {name for name in network.state_dict() if name.startswith(("stem.", "stages.stage1."))}
    assert set(seal(network)) == set(frozen_tensors(network)) == names
    assert any(name.endswith("running_var") for name in names)
    check_seal(seal(network), network.state_dict())


@pytest.mark.parametrize("ends", ["weight", "running_mean", "num_batches_tracked"])
def test_one_bit_is_found_and_named(network, ends):
    sealed = seal(network.freeze("stage1"))
    name = next(name for name in reversed(sealed) if name.endswith(ends))
    tensor = network.state_dict()[name]
    tensor.view(-1).view(torch.uint8)[0] ^= 1
    with pytest.raises(StriateError, match=f"{name}: is frozen and has changed all the same"):
        check_seal(sealed, network.state_dict())


def test_what_is_not_frozen_may_change(network):
    sealed = seal(network.freeze("stage1"))
    with torch.no_grad():
        network.head.classifier.weight += 1
    check_seal(sealed, network.state_dict())
