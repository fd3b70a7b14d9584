"""Operations that count nothing by the stated rule: elementwise arithmetic, normalisation, pooling, sums, moved data.

What is neither here nor among the counters is told in every table as not counted, so a new operation is never passed
over in silence.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor


def _names() -> frozenset[str]:
    moved = "cat stack _stack _chunk_cat block_diag repeat repeat_interleave roll flip rot90 clone copy _to_copy"
    moved += " _copy_from _reshape_copy _unsafe_view contiguous constant_pad_nd reflection_pad1d reflection_pad2d"
    moved += " reflection_pad3d replication_pad1d replication_pad2d replication_pad3d pixel_shuffle pixel_unshuffle"
    moved += " channel_shuffle native_channel_shuffle im2col col2im unsafe_split unsafe_split_with_sizes narrow_copy"
    moved += " upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d"
    moved += " _upsample_nearest_exact2d _upsample_nearest_exact3d max_unpool2d max_unpool3d lift lift_fresh_copy"
    moved += (
        " _pack_padded_sequence _pin_memory to_mkldnn _to_dense _mkldnn_reshape _mkldnn_transpose transpose squeeze"
    )
    moved += " unsqueeze t set resize resize_as _conj_copy complex as_strided detach swapaxes swapdims lift_fresh"
    indexed = "index _unsafe_index _unsafe_masked_index index_select index_copy index_fill index_put _index_put_impl"
    indexed += " _unsafe_index_put gather take put scatter masked_fill masked_scatter masked_select embedding where"
    indexed += " select_scatter slice_scatter diagonal_scatter as_strided_scatter diag_embed tril triu nonzero"
    indexed += " nonzero_static _unsafe_masked_index_put_accumulate index_add scatter_add scatter_reduce index_reduce"
    made = "empty empty_like empty_strided empty_permuted empty_quantized zeros zeros_like ones ones_like full"
    made += " full_like new_empty new_empty_strided new_full new_ones new_zeros arange range linspace logspace eye"
    made += " scalar_tensor rand rand_like randn randn_like randint randint_like random randperm bernoulli normal"
    made += " uniform exponential cauchy geometric log_normal normal_functional fill zero tril_indices triu_indices"
    made += " _efficientzerotensor hann_window hamming_window kaiser_window blackman_window bartlett_window multinomial"
    norms = "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_functional quantized_batch_norm"
    norms += " _native_batch_norm_legit_no_training _batch_norm_with_update _batch_norm_no_update cudnn_batch_norm"
    norms += " miopen_batch_norm native_layer_norm native_group_norm _fused_rms_norm _weight_norm_interface renorm"
    norms += " _softmax _log_softmax _safe_softmax _masked_softmax softmax log_softmax native_dropout _fused_dropout"
    norms += " _batch_norm_with_update_functional"
    pools = "max_pool1d max_pool2d max_pool3d max_pool2d_with_indices max_pool3d_with_indices avg_pool1d avg_pool2d"
    pools += " avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool2d"
    pools += " _adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d fractional_max_pool2d"
    pools += " fractional_max_pool3d mkldnn_max_pool2d mkldnn_max_pool3d mkldnn_adaptive_avg_pool2d"
    pools += " quantized_max_pool1d quantized_max_pool2d quantized_max_pool3d"
    sums = "sum nansum mean median nanmedian mode amax amin max min aminmax _aminmax argmax argmin all any prod var"
    sums += " var_mean std std_mean norm native_norm linalg_vector_norm linalg__powsum logsumexp count_nonzero trace"
    sums += " dist _is_all_true _is_any_true"
    values = "relu prelu _prelu_kernel glu hardswish log_sigmoid_forward threshold rrelu_with_noise"
    values += " rrelu_with_noise_functional gelu abs neg floor_divide _thnn_fused_lstm_cell _thnn_fused_gru_cell isin"
    values += " _add_relu quantize_per_tensor quantize_per_tensor_dynamic quantize_per_channel dequantize int_repr"
    values += " q_per_channel_scales q_per_channel_zero_points _make_per_tensor_quantized_tensor"
    values += " _make_per_channel_quantized_tensor _empty_affine_quantized _empty_per_channel_affine_quantized"
    values += " fake_quantize_per_tensor_affine_cachemask fake_quantize_per_channel_affine_cachemask"
    values += " _fake_quantize_per_tensor_affine_cachemask_tensor_qparams _fused_moving_avg_obs_fq_helper"
    values += " _transform_bias_rescale_qkv _assert_async _functional_assert_async _functional_assert_scalar"
    quantised = "add add_relu add_scalar add_scalar_relu mul mul_relu mul_scalar mul_scalar_relu cat cat_relu relu6"
    quantised += " celu elu hardswish leaky_relu sigmoid threshold clamp prelu softmax dropout layer_norm group_norm"
    quantised += " instance_norm batch_norm batch_norm_relu max_pool1d max_pool2d"
    for rank in (1, 2, 3):
        quantised += f" batch_norm{rank}d batch_norm{rank}d_relu"
    names = " ".join((moved, indexed, made, norms, pools, sums, values)).split()
    return frozenset((*names, *(f"quantized::{name}" for name in quantised.split())))


FREE = _names()


@cache
def is_free(func: Any, name: str) -> bool:
    """Whether an operation counts nothing by the stated rule: a known one, an elementwise one, or a view."""
    if name in FREE or torch.Tag.pointwise in func.tags or torch.Tag.view_copy in func.tags:
        return True
    if func.namespace == "quantized" and name.endswith(("_prepack", "_unpack")):
        return True
    returns = func._schema.returns  # a view's refer to what it was given
    return all(answer.alias_info is not None and not answer.alias_info.is_write for answer in returns)


def is_outer_product(name: str, tracked: list[Tensor], output: Tensor) -> bool:
    """Whether a multiplication spreads what depends on the input: part of a product written out by hand."""
    return name == "mul" and 0 < max((operand.numel() for operand in tracked), default=0) < output.numel()
