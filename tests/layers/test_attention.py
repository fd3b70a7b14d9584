"""Attention blocks against PyTorch's, and where they drop."""

import pytest
import torch
from torch import Tensor, nn

from striate.layers.attention import AttentionBlock, SelfAttention


def block(dropout: float = 0.0) -> AttentionBlock:
    return AttentionBlock(8, 16, 2, norm_eps=1e-6, dropout=dropout, activation="gelu")


def test_attention_is_torchs() -> None:
    ours, theirs = SelfAttention(8, 2), nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.qkv.weight)
        theirs.in_proj_bias.copy_(ours.qkv.bias)
        theirs.out_proj.load_state_dict(ours.projection.state_dict())
    x = torch.randn(2, 5, 8)
    torch.testing.assert_close(ours(x), theirs(x, x, x)[0])


def test_a_block_is_torchs_encoder_layer() -> None:
    ours = block()
    theirs = nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", 1e-6, batch_first=True, norm_first=True)
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(ours.attention.qkv.weight)
        theirs.self_attn.in_proj_bias.copy_(ours.attention.qkv.bias)
    theirs.self_attn.out_proj.load_state_dict(ours.attention.projection.state_dict())
    for name, layer in (("norm1", ours.norm1), ("norm2", ours.norm2)):
        nn.init.normal_(layer.weight)
        getattr(theirs, name).load_state_dict(layer.state_dict())
    theirs.linear1.load_state_dict(ours.mlp.dense1.state_dict())
    theirs.linear2.load_state_dict(ours.mlp.dense2.state_dict())
    x = torch.randn(2, 5, 8)
    torch.testing.assert_close(ours(x), theirs(x))


class Marked(nn.Module):
    """Stands for a dropout."""

    def __init__(self, seen: list[int], place: int) -> None:
        super().__init__()
        self.seen, self.place = seen, place

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(self.place)
        return torch.zeros_like(x)


def test_it_drops_after_attention_and_after_either_dense_layer() -> None:
    drops = block(0.25)
    places = [name for name, layer in drops.named_modules() if isinstance(layer, nn.Dropout)]
    assert places == ["dropout", "mlp.dropout1", "mlp.dropout2"]
    assert {drops.get_submodule(name).p for name in places} == {0.25}
    seen: list[int] = []
    drops.dropout, drops.mlp.dropout1, drops.mlp.dropout2 = (Marked(seen, place) for place in range(3))
    x = torch.randn(1, 3, 8)
    assert torch.equal(drops(x), x)
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("train", [True, False])
def test_without_dropout_nothing_drops(train: bool) -> None:
    assert not any(isinstance(layer, nn.Dropout) for layer in block().modules())
    whole = block().train(train)
    x = torch.randn(1, 3, 8)
    assert torch.equal(whole(x), whole(x))
