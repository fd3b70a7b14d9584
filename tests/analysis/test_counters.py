"""Each rule by hand, under the name of every operation of PyTorch's own list that it is for."""

import re
from math import log2

import pytest
import torch
from torch import Tensor

from striate.analysis.counters import COUNTERS, counted, is_sparse

Given = tuple[tuple[Tensor | list[int] | None, ...], Tensor, int]


def empty(*shape: int, dtype: torch.dtype | None = None) -> Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


WINDOW: Given = ((empty(2, 4, 9, 8), empty(6, 2, 3, 5)), empty(2, 6, 7, 4), 2 * 6 * 7 * 4 * 2 * 15)
TRANSPOSED: Given = ((empty(2, 4, 5, 7), empty(4, 3, 2, 3)), empty(2, 3, 10, 21), 2 * 4 * 5 * 7 * 3 * 6)
PRODUCT: Given = ((empty(3, 5), empty(5, 7)), empty(3, 7), 3 * 5 * 7)
WITH_A_SUM: Given = ((empty(3, 7), empty(3, 5), empty(5, 7)), empty(3, 7), 3 * 5 * 7)
ATTENTION: Given = ((empty(2, 3, 5, 8), empty(2, 3, 7, 8), empty(2, 3, 7, 4)), empty(2, 3, 5, 4), 2 * 3 * 5 * 7 * 12)

#: The last rule whose pattern a name has holds.
KINDS: dict[str, Given] = {
    r"_?convolution|convolution_overrideable|.*[a-z]_convolution(_relu|_add_relu)?|.*conv(_dilated|_depthwise)?[23]d"
    r"(_forward)?|.*depthwise_convolution": WINDOW,
    r".*conv(olution)?_transpose([23]d)?": TRANSPOSED,
    r"mm|bmm|mv|(mkldnn_)?linear|_int_mm|_scaled_mm(_v2)?|_weight_int\dpack_mm(_.*)?|_dyn_quant_matmul_4bit"
    r"|_mixed_dtypes_linear": PRODUCT,
    r"addm[mv]|baddbmm|_addmm_activation": WITH_A_SUM,
    r"_(scaled_)?grouped_mm(_v2)?": ((empty(4, 3, 5), empty(4, 5, 7)), empty(4, 3, 7), 4 * 3 * 5 * 7),
    r"_scaled_dot_product_.*": ATTENTION,
    r"_(cdist_forward|euclidean_dist)": ((empty(3, 5), empty(7, 5)), empty(3, 7), 3 * 5 * 7),
}
#: What looks like a product in its name.
LOOKS_LIKE_ONE = re.compile(
    r"conv(?!ert|_tbc)|mm$|_mm_|mm_v2|mv$|linear$|linear_|matmul|scaled_dot|_dist$|cdist|fft_\w2\w|addr$|dot$|trilinear"
    r"|rnn_layer|quantized_(gru|lstm)"
)
#: Operations on sparse tensors or lists, weights laid out anew, interpolation: none of them is a product of these.
OTHERS = re.compile(r".*(sparse|sspadd|hspmm|_cslt|foreach|_nested|reorder|upsample|backward|triton|linear_comb).*")


def names_of(library: str) -> list[str]:
    """Operations of a library that are not written as others, by PyTorch's own list."""
    written = "CompositeImplicitAutograd"
    every = [name for name in torch._C._dispatch_get_all_op_names() if name.startswith(f"{library}::")]
    kept = [name for name in every if not torch._C._dispatch_has_kernel_for_dispatch_key(name, written)]
    return sorted({name.split("::")[1].split(".")[0] for name in kept})


def kind_of(name: str) -> Given | None:
    return next((given for pattern, given in reversed(KINDS.items()) if re.fullmatch(pattern, name)), None)


BY_KIND = [name for name in names_of("aten") if kind_of(name) and not OTHERS.fullmatch(name)]


@pytest.mark.parametrize("name", BY_KIND)
def test_every_product_of_pytorchs_list_is_counted_by_hand(name: str) -> None:
    given = kind_of(name)
    assert given is not None
    args, output, expected = given
    assert counted(name, args, output) == expected


#: Each with a rule of its own, by hand below or in test_counting.py.
ALONE = ("_fft_c2c", "_fft_c2r", "_fft_r2c", "_trilinear", "addr", "dot", "vdot", "mkldnn_rnn_layer", "quantized_gru")
ALONE += ("quantized_lstm", "addbmm")


def test_no_product_of_pytorchs_list_is_without_a_rule() -> None:
    looks = [name for name in names_of("aten") if LOOKS_LIKE_ONE.search(name) and not OTHERS.fullmatch(name)]
    assert set(looks) - set(BY_KIND) <= set(ALONE)
    assert all(name in COUNTERS for name in looks)
    assert len(BY_KIND) > 35


@pytest.mark.parametrize(
    ("transposed", "expected"), [(False, 2 * 6 * 4 * 4 * 4 * 9), (True, 2 * 4 * 4 * 4 * 4 * 9), (None, 2 * 6 * 16 * 36)]
)
def test_a_convolution_that_is_transposed_meets_its_weight_by_input(transposed: bool | None, expected: int) -> None:
    rest = () if transposed is None else (None, [1, 1], [1, 1], [1, 1], transposed, [0, 0], 1)
    for name in ("convolution", "_convolution", "convolution_overrideable"):
        assert counted(name, (empty(2, 4, 4, 4), empty(6, 4, 3, 3), *rest), empty(2, 6, 4, 4)) == expected


def test_products_of_groups() -> None:
    """Each of 12 rows meets one of three matrices; two matrices cut along the inner side meet part by part."""
    assert counted("_grouped_mm", (empty(12, 5), empty(3, 5, 7)), empty(12, 7)) == 12 * 5 * 7
    assert counted("_grouped_mm", (empty(3, 4, 5), empty(3, 5, 7)), empty(3, 4, 7)) == 3 * 4 * 5 * 7
    assert counted("_grouped_mm", (empty(4, 12), empty(12, 7)), empty(3, 4, 7)) == 4 * 12 * 7


def test_one_per_value_of_the_sums_of_three() -> None:
    """As `nn.Bilinear(4, 5, 6)` on three pairs: (3, 1, 4, 1), (1, 6, 4, 5) and (3, 1, 1, 5) put together."""
    args = (empty(3, 4), empty(6, 4, 5), empty(3, 5), [1, 3], [0], [1, 2], [2, 3])
    assert counted("_trilinear", args, empty(3, 6)) == 3 * 6 * 4 * 5
    backwards = (empty(3, 4), empty(6, 4, 5), empty(3, 5), [3, 1], [0], [2, 1], [2, 3])
    assert counted("_trilinear", backwards, empty(3, 6)) == 3 * 6 * 4 * 5


@pytest.mark.parametrize("dims", [[2], [1, 2], [0, 2]])
def test_five_n_log_n_operations_for_complex_values_and_half_for_real_ones(dims: list[int]) -> None:
    sides = (3, 6, 16)
    count = 1
    for dim in dims:
        count *= sides[dim]
    per = 5 * count * log2(count) * (3 * 6 * 16 // count) / 2
    whole, real = empty(*sides, dtype=torch.complex64), empty(*sides)
    half = empty(*sides[:2], 9, dtype=torch.complex64)  # what a transform of real values leaves of the last side
    assert counted("_fft_c2c", (whole, dims, 0, True), whole) == round(per)
    assert type(counted("_fft_c2c", (whole, dims, 0, True), whole)) is int
    assert counted("_fft_r2c", (real, dims, 0, True), half) == round(per / 2)
    assert counted("_fft_c2r", (half, dims, 0, 16), real) == round(per / 2)


def test_products_of_vectors_and_with_a_sum_over_the_batch() -> None:
    assert counted("dot", (empty(7), empty(7)), empty()) == counted("vdot", (empty(7), empty(7)), empty()) == 7
    assert counted("addr", (empty(3, 4), empty(3), empty(4)), empty(3, 4)) == 12
    assert counted("addbmm", (empty(3, 5), empty(2, 3, 4), empty(2, 4, 5)), empty(3, 5)) == 2 * 3 * 4 * 5
    assert counted("_pdist_forward", (empty(6, 8),), empty(15)) == 15 * 8
    assert counted("conv_tbc", (empty(20, 2, 4), empty(5, 4, 6)), empty(16, 2, 6)) == 16 * 2 * 6 * 5 * 4


def test_a_layer_in_time_of_another_library_meets_both_weights_in_each_step() -> None:
    weights = (empty(12, 8), empty(12, 3))  # of four gates of three
    assert counted("mkldnn_rnn_layer", (empty(5, 2, 8), *weights), empty(5, 2, 3)) == 5 * 2 * (12 * 8 + 12 * 3)


def packed(name: str) -> tuple[object, tuple[int, ...], int]:
    """A packed weight for an operation, with the input's shape, and multiply-adds for an output (2, 6, 3, 3)."""
    ops = torch.ops.quantized
    if name.startswith("linear"):
        weight = torch.quantize_per_tensor(torch.rand(6, 8), 0.1, 0, torch.qint8)
        return ops.linear_prepack(weight, None), (2, 8), 2 * 6 * 9 * 8
    rank = int(re.findall(r"\d(?=d)", name)[0])
    ones, nothing = [1] * rank, [0] * rank
    kernel = (3, 2, 4)[:rank]
    size = kernel[0] * (kernel[1] if rank > 1 else 1) * (kernel[2] if rank > 2 else 1)
    if "transpose" in name:
        weight = torch.quantize_per_tensor(torch.rand(4, 6, *kernel), 0.1, 0, torch.qint8)
        made = getattr(ops, f"conv_transpose{rank}d_prepack")(weight, None, ones, nothing, nothing, ones, 1)
        return made, (2, 4, 5, 7), 2 * 4 * 5 * 7 * 6 * size
    weight = torch.quantize_per_tensor(torch.rand(6, 2, *kernel), 0.1, 0, torch.qint8)
    return getattr(ops, f"conv{rank}d_prepack")(weight, None, ones, nothing, ones, 2), (2, 4), 2 * 6 * 9 * 2 * size


NO_LAYER = re.compile(
    r".*(pack(_fp16)?(_legacy)?|stride|padding|dilation|groups|transpose|unpack_sizes|q_dq.*|_unpacked_weight)"
)
LAYERS = [name for name in names_of("quantized") if re.match("conv|linear", name) and not NO_LAYER.fullmatch(name)]


@pytest.mark.filterwarnings("ignore")  # PyTorch has given these up
@pytest.mark.parametrize("name", LAYERS)
def test_every_quantised_layer_of_pytorchs_list_is_counted_by_hand(name: str) -> None:
    weight, shape, expected = packed(name)
    assert counted(f"quantized::{name}", (empty(*shape), weight, 1.0, 0), empty(2, 6, 3, 3)) == expected


def test_the_list_has_all_forms_of_quantised_layers() -> None:
    assert len(LAYERS) > 20
    assert counted("quantized::matmul", (empty(3, 5), empty(5, 7), 1.0, 0), empty(3, 7)) == 105
    unpacked = "quantized::linear_dynamic_fp16_unpacked_weight"
    assert counted(unpacked, (empty(3, 5), empty(7, 5), None), empty(3, 7)) == 105
    assert counted("torchvision::deform_conv2d", *WINDOW[:2]) == WINDOW[2]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("cell", "gates"), [("RNN_RELU", 1), ("RNN_TANH", 1), ("GRU", 3), ("LSTM", 4)])
def test_quantised_cells_meet_every_weight_and_no_bias(cell: str, gates: int) -> None:
    ops = torch.ops.quantized
    weights = [torch.quantize_per_tensor(torch.rand(gates * 6, n), 0.1, 0, torch.qint8) for n in (8, 6)]
    inside, again = (ops.linear_prepack(weight, torch.rand(gates * 6)) for weight in weights)
    name = f"quantized::quantized_{cell.lower()}_cell_dynamic"
    args = (empty(5, 8), empty(5, 6), inside, again, torch.rand(gates * 6), torch.rand(gates * 6))
    assert counted(name, args, empty(5, 6)) == 5 * gates * 6 * (8 + 6)
    if cell in ("GRU", "LSTM"):
        params = ops.make_quantized_cell_params_dynamic(inside, again, torch.rand(1), torch.rand(1), True)
        layer = (empty(2, 5, 8), [empty(1, 5, 6)], [params, params], True, 2)
        assert counted(f"quantized_{cell.lower()}", layer, empty(2, 5, 6)) == 2 * 5 * 2 * gates * 6 * (8 + 6)


@pytest.mark.filterwarnings("ignore")
def test_no_rule_is_for_sparse_tensors_or_unknown_names() -> None:
    dense = torch.eye(4)
    assert counted("mm", (dense, dense), dense) == 64
    for sparse in (dense.to_sparse(), dense.to_sparse_csr(), dense.to_sparse_csc(), dense.to_sparse_bsr((2, 2))):
        assert is_sparse(sparse)
        assert counted("mm", (sparse, dense), dense) is None
        assert counted("mm", (dense, sparse), dense) is None
    assert not is_sparse(dense)
    assert not is_sparse(dense.to_mkldnn())
    assert counted("relu", (dense,), dense) is None
    assert counted("mmm", (dense, dense), dense) is None
