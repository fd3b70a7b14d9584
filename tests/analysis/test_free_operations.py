"""What counts nothing: every operation of those kinds in PyTorch's own list, and networks made of nothing else."""

import re

import pytest
import torch

from striate.analysis.counting import full_name
from striate.analysis.free_operations import FREE, is_free, is_outer_product

#: By their names in PyTorch's list.
KINDS = {
    "pooling": r".*pool[123]?d?(_with_indices)?|max_unpool[23]d",
    "norms": r".*(batch|layer|group|rms)_norm(_legit|_no_training|_functional|_with_update|_no_update)*"
    r"|_weight_norm_interface|renorm|norm|native_norm|linalg_vector_norm",
    "padding": r"(constant_pad_n|.*_pad[123])d",
    "nearest neighbours": r"_?upsample_nearest(_exact)?[123]d",
    "softmax": r"_?(log_|safe_|masked_)?softmax|logsumexp|linalg__powsum",
    "dropout": r"(native|_fused)_dropout",
    "new tensors": r"(_?efficientzerotensor|(new_)?(empty|zeros|ones|full|rand|randn|randint|randperm))"
    r"(_like|_strided|_permuted|_quantized)?|_empty_.*quantized|arange|range|linspace|logspace|eye|scalar_tensor",
    "random": r"random|bernoulli|normal(_functional)?|uniform|exponential|cauchy|geometric|log_normal|multinomial",
    "windows": r".*_window",
    "indices": r"_?(unsafe_)?(masked_)?index(_\w+)?|.*scatter(_add|_reduce)?|gather|take|put"
    r"|masked_(fill|scatter|select)",
    "sums": r"(nan)?(sum|mean|median)|mode|_?(a?max|a?min|aminmax)|arg(max|min)|all|any|prod|(var|std)(_mean)?|trace"
    r"|count_nonzero|dist|_is_(all|any)_true",
    "joins": r"cat|_?stack|_chunk_cat|block_diag|unsafe_split(_with_sizes)?",
    "copies": r"_?(copy|clone|copy_from|to_copy|reshape_copy|conj_copy|to_dense|pin_memory)|narrow_copy"
    r"|lift(_fresh)?(_copy)?",
    "order": r"repeat(_interleave)?|roll|flip|rot90|(native_channel|pixel)_(un)?shuffle|channel_shuffle|im2col|col2im"
    r"|tri[lu](_indices)?",
    "other layouts": r"to_mkldnn|_mkldnn_(reshape|transpose)|resize(_as)?|set|_pack_padded_sequence|complex",
    "assertions": r"_(functional_)?assert_(async|scalar)",
    "whole numbers for others": r"(_?fake_)?quantize_per_\w+(?<!backward)|dequantize|int_repr"
    r"|q_per_channel_(scales|zero_points)|_make_per_\w+_quantized_tensor|_fused_moving_avg_obs_fq_helper",
    "gates and activations": r"_?prelu(_kernel)?|relu|glu|gelu|hardswish|threshold|log_sigmoid_forward"
    r"|rrelu_with_noise(_functional)?|_thnn_fused_(lstm|gru)_cell|_add_relu|abs|neg|floor_divide|isin|where|embedding|fill|zero|nonzero(_static)?"
    r"|_transform_bias_rescale_qkv|diag_embed",
}
#: They calculate, or begin and end what others calculate.
OTHERS = re.compile(
    r".*backward.*|_foreach.*|_nested.*|.*sparse.*|.*learnable.*|.*_dyn_quant.*|_philox.*|batch_norm_(elemt|gather|stats|update).*"
    r"|embedding_renorm"
)


def functions() -> dict[str, object]:
    """Each operation that is not written as others, by its name without the underscore of those in place."""
    found = {}
    for name in torch._C._dispatch_get_all_op_names():
        library, base = name.split(".")[0].split("::")
        if library == "aten" and not torch._C._dispatch_has_kernel_for_dispatch_key(name, "CompositeImplicitAutograd"):
            packet = getattr(torch.ops.aten, base)
            overloads = [overload for overload in packet.overloads() if "out" not in overload]
            if overloads:
                found[base if base.startswith("__") else base.rstrip("_")] = getattr(packet, overloads[0])
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_operation_of_a_kind_counts_nothing(kind: str) -> None:
    every = {name: func for name, func in functions().items() if re.fullmatch(KINDS[kind], name)}
    assert every
    assert [name for name, func in every.items() if not is_free(func, name) and not OTHERS.fullmatch(name)] == []


ATEN, QUANTIZED = torch.ops.aten, torch.ops.quantized
#: Whether each counts nothing, and its name.
ONE_BY_ONE = {
    "value by value": (ATEN.exp.default, "exp", True),
    "value by value in place": (ATEN.mul_.Tensor, "mul", True),
    "a view": (ATEN.view.default, "view", True),
    "several views": (ATEN.split.Tensor, "split", True),
    "a copied view": (ATEN.permute_copy.default, "permute_copy", True),
    "a product": (ATEN.mm.default, "mm", False),
    "sums that go on": (ATEN.cumsum.default, "cumsum", False),
    "sums that go on, in place": (ATEN.cumsum_.default, "cumsum", False),
    "an order": (ATEN.sort.default, "sort", False),
    "smooth interpolation": (ATEN.upsample_bilinear2d.default, "upsample_bilinear2d", False),
    "a weight laid out": (QUANTIZED.linear_prepack.default, "quantized::linear_prepack", True),
    "a weight laid back": (QUANTIZED.conv2d_unpack.default, "quantized::conv2d_unpack", True),
    "a weight of another library": (torch.ops.mkldnn._reorder_linear_weight.default, "mkldnn::x_prepack", False),
    "a quantised product": (QUANTIZED.matmul.default, "quantized::matmul", False),
    "quantised sums": (QUANTIZED.embedding_bag_byte.default, "quantized::embedding_bag_byte", False),
}


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_views_and_value_by_value_count_nothing_and_what_writes_is_no_view(name: str) -> None:
    func, full, expected = ONE_BY_ONE[name]
    assert is_free(func, full) is expected


#: In place they are no views, and what is written as others shows by its own name where nobody takes it apart.
BY_OTHER_NAMES = (
    "t_ transpose_ squeeze_ squeeze_.dim squeeze_.dims unsqueeze_ swapaxes_ swapdims_ detach_ as_strided_ "
    "masked_fill_.Scalar masked_fill_.Tensor masked_fill.Tensor _unsafe_view native_channel_shuffle where.Scalar "
    "where.ScalarOther max max.dim max.other min min.dim min.other adaptive_max_pool1d max_pool1d max_pool2d "
    "max_pool3d prelu _fused_rms_norm clone contiguous relu relu_ neg neg_ narrow_copy lift_fresh slice_scatter"
)


#: Operations that came after PyTorch 2.6, the oldest that is supported.
LATER = {"_fused_rms_norm", "linalg__powsum"} if torch.__version__ < "2.14" else set()


@pytest.mark.parametrize("name", BY_OTHER_NAMES.split())
def test_every_form_of_an_operation_counts_nothing(name: str) -> None:
    base, _, overload = name.partition(".")
    if base in LATER and not hasattr(ATEN, base):
        pytest.skip(f"PyTorch {torch.__version__} has no {base}")
    func = getattr(getattr(ATEN, base), overload or "default")
    assert is_free(func, full_name(func))


def test_every_name_is_one_of_pytorchs() -> None:
    known = {name.split(".")[0].removeprefix("aten::") for name in torch._C._dispatch_get_all_op_names()}
    known |= {name.rstrip("_") for name in known if not name.startswith("__")}
    assert known >= FREE - LATER


CALCULATES = re.compile(r"(conv|linear|embedding|matmul|quantized_|int4mm).*|.*_out|make_quantized_cell_params.*")


def test_every_quantised_layer_without_a_product_counts_nothing() -> None:
    every = {name.split(".")[0] for name in torch._C._dispatch_get_all_op_names() if name.startswith("quantized::")}
    bases = sorted(name.split("::")[1] for name in every)
    others = [base for base in bases if not CALCULATES.fullmatch(base)]
    assert len(others) > 30
    for base in others:
        func = getattr(getattr(QUANTIZED, base), getattr(QUANTIZED, base).overloads()[0])
        assert is_free(func, f"quantized::{base}"), base
    assert not is_free(QUANTIZED.conv2d.new, "quantized::conv2d")


@pytest.mark.parametrize(
    ("name", "sizes", "output", "expected"),
    [
        ("mul", [(4, 1), (1, 5)], (4, 5), True),
        ("mul", [(4, 1)], (4, 5), True),
        ("mul", [(4, 5), (1, 5)], (4, 5), False),
        ("mul", [], (4, 5), False),
        ("mul", [(0, 1)], (0, 5), False),
        ("add", [(4, 1), (1, 5)], (4, 5), False),
    ],
)
def test_a_product_that_is_larger_than_what_depends_on_the_input_is_one_written_out(
    name: str, sizes: list[tuple[int, ...]], output: tuple[int, ...], expected: bool
) -> None:
    assert is_outer_product(name, [torch.empty(size) for size in sizes], torch.empty(output)) is expected
