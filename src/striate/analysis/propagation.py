"""How each aten operation changes the receptive field of what flows through it: the table of rules.

An operation that is in no table gives `UNKNOWN`, unless torch marks it as pointwise.
"""

from __future__ import annotations

from striate.analysis.blending_rules import (
    attention,
    batch_norm_dims,
    blending,
    group_norm_dims,
    layer_norm_dims,
    product,
    reduction,
    softmax_dims,
)
from striate.analysis.fields import Field
from striate.analysis.operation import Call, Rule, elementwise, independent, unknown
from striate.analysis.shape_rules import (
    columns,
    concatenation,
    copying,
    looking_up,
    permutation,
    reshaping,
    rolling,
    selecting,
    slicing,
    splitting,
    stacking,
    unbinding,
    unfolding,
)
from striate.analysis.spatial_rules import (
    adaptive_pooling,
    convolution,
    interpolation,
    padding,
    pixel_shuffle,
    pooling,
)


def _table() -> dict[str, Rule]:
    rules: dict[str, Rule] = {
        "convolution": convolution,
        "_convolution": convolution,
        "addmm": product(1, 2, 0),
        "mm": product(0, 1, 0),
        "mv": product(0, 1, 0),
        "addmv": product(1, 2, 0),
        "bmm": product(0, 1, 1),
        "baddbmm": product(1, 2, 1),
        "_softmax": blending(softmax_dims),
        "_log_softmax": blending(softmax_dims),
        "_safe_softmax": blending(softmax_dims),
        "native_layer_norm": blending(layer_norm_dims),
        "_fused_rms_norm": blending(layer_norm_dims),
        "native_group_norm": blending(group_norm_dims),
        "constant_pad_nd": padding,
        "slice": slicing,
        "select": selecting,
        "unbind": unbinding,
        "unfold": unfolding,
        "im2col": columns,
        "cat": concatenation,
        "stack": stacking,
        "embedding": looking_up,
        "copy": copying,
        "roll": rolling,
        "flip": rolling,
        "pixel_shuffle": pixel_shuffle,
        "pixel_unshuffle": pixel_shuffle,
        "channel_shuffle": elementwise,
        "native_channel_shuffle": elementwise,
    }
    same = "add sub mul div relu hardtanh hardswish hardsigmoid gelu silu elu selu celu leaky_relu mish prelu"
    same += " _prelu_kernel threshold softplus log_sigmoid_forward clone contiguous _to_copy detach alias"
    same += " lift_fresh clamp native_dropout expand broadcast_to rrelu_with_noise glu_jvp softshrink hardshrink"
    shapes = "view _unsafe_view _reshape_alias reshape flatten unflatten squeeze unsqueeze"
    reductions = "mean sum amax amin max min var std var_mean std_mean prod linalg_vector_norm norm logsumexp"
    reductions += " argmax argmin any all"
    fresh = "zeros_like ones_like empty_like full_like rand_like randn_like new_zeros new_ones new_empty new_full"
    fresh += " new_empty_strided bernoulli zero fill uniform normal sym_size"
    attentions = "flash_attention flash_attention_for_cpu efficient_attention cudnn_attention"
    norms = "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training cudnn_batch_norm"
    for names, rule in (
        (same, elementwise),
        (shapes, reshaping),
        (reductions, reduction),
        (fresh, independent),
        (norms, blending(batch_norm_dims)),
        ("permute transpose t numpy_T swapaxes", permutation),
        ("split split_with_sizes unsafe_split unsafe_split_with_sizes chunk unsafe_chunk", splitting),
    ):
        rules.update(dict.fromkeys(names.split(), rule))
    for name in attentions.split():
        rules[f"_scaled_dot_product_{name}"] = attention
    for rank in (1, 2, 3):
        rules[f"max_pool{rank}d_with_indices"] = rules[f"max_pool{rank}d"] = pooling(rank, has_dilation=True)
        rules[f"avg_pool{rank}d"] = pooling(rank, has_dilation=False)
        for name in (f"adaptive_avg_pool{rank}d", f"_adaptive_avg_pool{rank}d", f"adaptive_max_pool{rank}d"):
            rules[name] = adaptive_pooling(rank)
        rules[f"reflection_pad{rank}d"] = rules[f"replication_pad{rank}d"] = padding
        rules[f"upsample_nearest{rank}d"] = interpolation(rank, reach=1)
        rules[f"_upsample_nearest_exact{rank}d"] = unknown
    rules["upsample_linear1d"] = interpolation(1, reach=2)
    rules["upsample_bilinear2d"] = interpolation(2, reach=2)
    rules["upsample_bicubic2d"] = interpolation(2, reach=4)
    rules["upsample_trilinear3d"] = interpolation(3, reach=2)
    return rules


RULES = _table()


def propagated(call: Call, pointwise: bool) -> list[Field]:
    """The fields of the outputs of `call`, which has at least one operand that depends on the input."""
    rule = RULES.get(call.name)
    if rule is None:
        rule = elementwise if pointwise else unknown
    return rule(call)
