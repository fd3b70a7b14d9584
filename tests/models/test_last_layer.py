"""Last layers: one like the old for other classes, and their widths."""

import pytest
import torch
from torch import nn

from striate.models import create_model
from striate.models.last_layer import fresh_like, width


@pytest.mark.parametrize("bias", [True, False])
def test_a_new_last_layer_is_like_the_old_one_but_for_its_outputs(bias):
    conv = nn.Conv2d(4, 5, (3, 2), stride=(2, 1), padding=(1, 0), bias=bias)
    for old in (nn.Linear(4, 5, bias=bias), conv):
        new = fresh_like(old.double(), 7)
        assert str(new) == str(old).replace("out_features=5", "out_features=7").replace("(4, 5,", "(4, 7,")
        assert new.weight.dtype == torch.float64
        assert not new.weight[0].equal(old.weight[0])
        assert (width(new, 0), width(new, 1)) == (7, 4)
        assert fresh_like(old.to("meta"), 2).weight.is_meta


def test_a_last_layer_of_our_own_makes_another_of_its_kind():
    old = create_model("lenet5_1998").head.classifier
    new = fresh_like(old, 4)
    assert type(new) is type(old)
    assert (width(new, 0), width(new, 1)) == (4, width(old, 1))


def test_what_is_no_last_layer_is_named():
    with pytest.raises(TypeError, match="cannot make a fresh LayerNorm classifier"):
        fresh_like(nn.LayerNorm(4), 2)
