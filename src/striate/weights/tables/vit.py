"""Vision Transformers: torchvision and timm, which both keep q, k and v in one matrix as we do."""

from __future__ import annotations

from striate.weights.images import TIMM_HALVES
from striate.weights.keys import LEAF, KeyTable

_INTO = r"stages.block\1."


def _renames(stem: dict[str, str], block: str, layers: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Whole names of the stem's and the head's tensors, and each block's layers after the expression `block`."""
    return (
        *stem.items(),
        *((rf"{block}{theirs}[._](weight|bias)", rf"{_INTO}{ours}.\2") for theirs, ours in layers.items()),
    )


_TORCHVISION = _renames(
    {
        r"class_token": r"stem.class_token",
        r"encoder\.pos_embedding": r"stem.positions",
        r"conv_proj" + LEAF: r"stem.patches.\1",
        r"encoder\.ln" + LEAF: r"head.norm.\1",
        r"heads\.head" + LEAF: r"head.classifier.\1",
    },
    r"encoder\.layers\.encoder_layer_(\d+)\.",
    {
        r"ln_1": "norm1",
        r"self_attention\.in_proj": "attention.qkv",
        r"self_attention\.out_proj": "attention.projection",
        r"ln_2": "norm2",
        r"mlp\.(?:0|linear_1)": "mlp.dense1",  # the latter in files of before 2022
        r"mlp\.(?:3|linear_2)": "mlp.dense2",
    },
)
_TIMM = _renames(
    {
        r"cls_token": r"stem.class_token",
        r"pos_embed": r"stem.positions",
        r"patch_embed\.proj" + LEAF: r"stem.patches.\1",
        r"norm" + LEAF: r"head.norm.\1",
        r"head" + LEAF: r"head.classifier.\1",
    },
    r"blocks\.(\d+)\.",
    {
        r"norm1": "norm1",
        r"attn\.qkv": "attention.qkv",
        r"attn\.proj": "attention.projection",
        r"norm2": "norm2",
        r"mlp\.fc1": "mlp.dense1",
        r"mlp\.fc2": "mlp.dense2",
    },
)

TABLES = {
    "torchvision": KeyTable(_TORCHVISION, {"stem": "paper", "norm_eps": 1e-6}),
    "timm": KeyTable(_TIMM, {"stem": "paper", "norm_eps": 1e-6}, images=TIMM_HALVES),
}
