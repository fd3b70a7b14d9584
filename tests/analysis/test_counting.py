"""Multiply-adds of every kind of operation by hand and against torch's counter; what no rule counts is told by name."""

import copy

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from striate.analysis import Comparison, Entry, Summary, summary
from striate.analysis.counting import Cost, cost_of, full_name


class Function(nn.Module):
    """A module that calls a function."""

    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Tensor) -> Tensor:
        return self.function(*args)


def costs(function, *shapes: tuple[int, ...], device: str = "meta") -> Summary:
    return summary(Function(function), inputs=[torch.rand(shape) for shape in shapes], device=device)


RULES = {
    "distances": (torch.cdist, [(2, 4, 8), (2, 5, 8)], 2 * 4 * 5 * 8),
    "many distances": (torch.cdist, [(40, 8), (50, 8)], 40 * 50 * 8),
    "distances of one set": (torch.pdist, [(6, 8)], 6 * 5 // 2 * 8),
    "complex FFT": (lambda x: torch.fft.fft(torch.complex(x, x)), [(3, 16)], 3 * 5 * 16 * 4 // 2),
    "complex FFT in two dimensions": (lambda x: torch.fft.fft2(torch.complex(x, x)), [(3, 8, 4)], 3 * 5 * 32 * 5 // 2),
    "real FFT": (torch.fft.rfft, [(3, 16)], 3 * 5 * 16 * 4 // 4),
    "real FFT and back": (lambda x: torch.fft.irfft(torch.fft.rfft(x)), [(3, 16)], 2 * 3 * 5 * 16 * 4 // 4),
    "sum of products": (torch.addbmm, [(3, 5), (2, 3, 4), (2, 4, 5)], 2 * 3 * 4 * 5),
    "batched products": (torch.baddbmm, [(2, 3, 5), (2, 3, 4), (2, 4, 5)], 2 * 3 * 4 * 5),
    "matrix and vector": (torch.mv, [(3, 4), (4,)], 12),
    "with a sum": (torch.addmv, [(3,), (3, 4), (4,)], 12),
    "outer product with a sum": (torch.addr, [(3, 4), (3,), (4,)], 12),
    "scalar product": (torch.dot, [(7,), (7,)], 7),
    "einsum": (lambda x, y: torch.einsum("bij,bkj->bik", x, y), [(2, 3, 4), (2, 5, 4)], 2 * 3 * 5 * 4),
    "convolution of signals": (F.conv1d, [(2, 4, 20), (6, 2, 5)], 2 * 6 * 16 * 2 * 5),
    "convolution of volumes": (F.conv3d, [(1, 2, 5, 6, 7), (3, 2, 2, 2, 2)], 3 * 4 * 5 * 6 * 2 * 8),
    "transposed convolution": (F.conv_transpose2d, [(1, 2, 5, 5), (2, 3, 2, 2)], 2 * 25 * 3 * 4),
    "convolution in time": (torch.conv_tbc, [(20, 2, 4), (5, 4, 6), (6,)], 16 * 2 * 6 * 5 * 4),
    "attention": (F.scaled_dot_product_attention, [(1, 2, 5, 8), (1, 2, 7, 8), (1, 2, 7, 8)], 2 * 5 * 7 * 16),
    "bilinear": (F.bilinear, [(3, 4), (3, 5), (6, 4, 5)], 3 * 4 * 5 * 6),
}


def test_convolution_groups_are_left_to_the_weight() -> None:
    result = summary(nn.Conv1d(4, 6, 5, groups=2), (4, 20))
    assert result.multiply_adds == 6 * 16 * 2 * 5


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("name", RULES)
def test_rules_by_hand(name: str, device: str) -> None:
    function, shapes, expected = RULES[name]
    if name == "convolution of signals":
        function = lambda x, w: F.conv1d(x, w, groups=2)  # noqa: E731
    result = costs(function, *shapes, device=device)
    assert result.multiply_adds == expected
    assert result.not_counted == {}


def test_a_bilinear_layer_counts_one_for_each_weight() -> None:
    result = summary(nn.Bilinear(4, 5, 6), [(4,), (5,)])
    assert (result.multiply_adds, result.parameters) == (6 * 4 * 5, 6 * 4 * 5 + 6)


def test_recurrent_cells() -> None:
    for cell, gates in ((nn.RNNCell, 1), (nn.GRUCell, 3), (nn.LSTMCell, 4)):
        assert summary(cell(8, 6), (8,)).multiply_adds == gates * 6 * (8 + 6)


def test_a_deformable_convolution_costs_a_convolution_and_its_sampling_is_told_apart() -> None:
    class Deformable(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.offset = nn.Conv2d(3, 18, 3, padding=1)
            self.deformed = torchvision.ops.DeformConv2d(3, 64, 3, padding=1, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            return self.deformed(x, self.offset(x))

    for device in ("meta", "cpu"):
        result = summary(Deformable(), (3, 32, 32), device=device)
        assert result.multiply_adds == 1024 * 27 * 18 + 1024 * 27 * 64 == 2_267_136
        assert result.not_counted == {"sampling of deform_conv2d": 1}
        assert [dict(row.not_counted) for row in result.rows] == [{}, {"sampling of deform_conv2d": 1}]


def twice(function):
    return lambda x: function(x) + function(x)


def regions(x: Tensor) -> Tensor:
    boxes = torch.tensor([[0.0, 0.0, 0.0, 4.0, 4.0]], device=x.device)
    return torchvision.ops.roi_align(x, boxes, 2)


def sampled(x: Tensor) -> Tensor:
    return F.grid_sample(x, torch.zeros(1, 2, 2, 2, device=x.device))


NOT_COUNTED = {
    "grid_sampler_2d": sampled,
    "upsample_bilinear2d": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
    "upsample_bicubic2d": lambda x: F.interpolate(x, scale_factor=2, mode="bicubic"),
    "cumsum": lambda x: x.cumsum(2),
    "cumprod": lambda x: x.cumprod(2),
    "sort": lambda x: x.sort(2).values,
    "topk": lambda x: x.topk(2).values,
    "linalg_svd": lambda x: torch.linalg.svd(x)[1],
    "linalg_inv_ex": torch.linalg.inv,
    "linalg_qr": lambda x: torch.linalg.qr(x)[1],
    "linalg_matrix_exp": torch.matrix_exp,
    "torchvision::roi_align": regions,
    "mul of an outer product": lambda x: x[:, :, :, None] * x[:, :, None],
}


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("name", NOT_COUNTED)
def test_what_no_rule_counts_is_told_with_how_often_it_ran(name: str, device: str) -> None:
    result = costs(twice(NOT_COUNTED[name]), (1, 2, 8, 8), device=device)
    assert result.not_counted == {name: 2}
    assert result.multiply_adds == 0


def test_a_locally_connected_layer_written_out_is_told() -> None:
    weight = torch.rand(2, 3, 6, 6, 9)  # of x.unfold: every place its own

    def local(x: Tensor) -> Tensor:
        windows = x.unfold(2, 3, 1).unfold(3, 3, 1).flatten(4)
        return (windows[:, None] * weight).sum((2, 5))

    assert costs(local, (1, 3, 8, 8)).not_counted == {"mul of an outer product": 1}


def test_weighted_sums_of_embeddings_are_told() -> None:
    assert summary(nn.EmbeddingBag(50, 8), (2, 12)).not_counted == {"embedding_bag": 1}


def test_products_with_sparse_matrices_are_told_and_not_counted_as_dense() -> None:
    for matrix in (torch.eye(4).to_sparse(), torch.eye(4).to_sparse_csr()):
        result = costs(lambda x, matrix=matrix: matrix @ x, (4, 3), device="cpu")
        assert result.multiply_adds == 0
        assert list(result.not_counted.values()) == [1]
        assert "sparse" in str(result.not_counted)


def test_operations_of_ones_own_are_told() -> None:
    with torch.library._scoped_library("striate_test", "DEF") as library:
        library.define("halved(Tensor x) -> Tensor")
        library.impl("halved", lambda x: x / 2, "CompositeExplicitAutograd")
        result = costs(torch.ops.striate_test.halved, (2, 3))
    assert result.not_counted == {"striate_test::halved": 1}


class Plain(nn.Module):
    """Moved data, norms, pooling, sums, gates and sampling of random numbers: nothing that is counted."""

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.pad(x, (1, 1, 1, 1), "reflect"), 2) + F.avg_pool2d(x, 2).mean()
        x = F.layer_norm(F.group_norm(x, 2), x.shape[2:]) * torch.sigmoid(x.amax((2, 3), keepdim=True))
        x = F.softmax(F.dropout(F.gelu(x), training=True), 1) + torch.rand_like(x)
        x = torch.cat([x.roll(1, 2), x.flip(3), x.repeat(1, 1, 1, 1)], 1)
        x = F.interpolate(F.pixel_shuffle(x, 2), scale_factor=2).gather(2, torch.zeros_like(x[:, :1], dtype=torch.long))
        x = torch.where(x > 0, x, -x).index_select(1, torch.zeros(1, dtype=torch.long, device=x.device))
        return F.fold(F.unfold(x, 2, stride=2), x.shape[2:], 2, stride=2).var().sqrt()


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_what_counts_nothing_by_the_rule_is_not_told(device: str) -> None:
    result = summary(Plain(), (4, 8, 8), device=device)
    assert (result.multiply_adds, result.not_counted) == (0, {})


@pytest.fixture(scope="module")
def partly() -> Summary:
    class Partly(nn.Sequential):
        def forward(self, x: Tensor) -> Tensor:
            return sampled(super().forward(x)).cumsum(1)

    return summary(Partly(nn.Conv2d(1, 2, 3)), (1, 6, 6))


def test_every_form_tells_what_is_not_counted(partly: Summary) -> None:
    words = "grid_sampler_2d (1), cumsum (1)"
    assert f"not counted   {words}" in str(partly).splitlines()
    assert f"- not counted {words}" in partly.to_markdown()
    plain = partly.to_dict()
    assert plain["not_counted"] == {"grid_sampler_2d": 1, "cumsum": 1}
    assert [row["not_counted"] for row in plain["rows"]] == [{}, {"grid_sampler_2d": 1, "cumsum": 1}]
    assert partly.to_csv().splitlines()[0].endswith(",not_counted")
    assert f'"{words}"' in partly.to_csv().splitlines()[2]
    row = next(line for line in str(partly).splitlines() if "grid_sampler_2d, cumsum" in line)
    assert row.split()[4:6] == ["+", "+"]


def test_a_comparison_tells_what_is_not_counted_of_whom(partly: Summary) -> None:
    whole = summary(nn.Conv2d(1, 2, 3), (1, 6, 6))
    comparison = Comparison((Entry("partly", partly), Entry("whole", whole)))
    line = "not counted   partly: grid_sampler_2d (1), cumsum (1)"
    assert [text for text in str(comparison).splitlines() if "not counted" in text] == [line]
    assert f"- {' '.join(line.split())}" in comparison.to_markdown()
    assert [entry["not_counted"] for entry in comparison.to_dicts()] == [partly.not_counted, {}]
    assert "288+" in str(comparison).splitlines()[3]
    assert "288+" not in str(comparison).splitlines()[4]


def torchs_count(model: nn.Module, *inputs: Tensor) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.eval()(*inputs)
    return counter.get_total_flops()


SPREAD = {
    "signals": (lambda: nn.Sequential(nn.Conv1d(2, 8, 5, groups=2), nn.ConvTranspose1d(8, 4, 4, 2)), (3, 2, 50)),
    "volumes": (lambda: nn.Sequential(nn.Conv3d(2, 8, 3, 2), nn.ConvTranspose3d(8, 4, 2, 2)), (1, 2, 9, 9, 9)),
    "recurrent": (lambda: nn.LSTM(6, 5, 2, batch_first=True, bidirectional=True), (2, 4, 6)),
    "transformer": (lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (2, 5, 8)),
    "attention": (lambda: Function(F.scaled_dot_product_attention), ((1, 2, 5, 8),) * 3),
    "mobile": (lambda: torchvision.models.mobilenet_v3_small(), (1, 3, 64, 64)),
    "shuffled": (lambda: torchvision.models.shufflenet_v2_x0_5(), (1, 3, 64, 64)),
    "regnet": (lambda: torchvision.models.regnet_y_400mf(), (1, 3, 64, 64)),
    "windows": (lambda: torchvision.models.swin_v2_t(), (1, 3, 64, 64)),
    "segmentation": (
        lambda: torchvision.models.segmentation.lraspp_mobilenet_v3_large(weights_backbone=None),
        (1, 3, 64, 64),
    ),
}


@pytest.mark.parametrize("name", SPREAD)
def test_torchs_own_counter_agrees_on_all_that_both_count(name: str) -> None:
    make, shape = SPREAD[name]
    model = make().eval()
    inputs = [torch.rand(one) for one in (shape if isinstance(shape[0], tuple) else (shape,))]
    expected = torchs_count(copy.deepcopy(model).to("meta"), *(x.to("meta") for x in inputs))
    for device in ("meta", "cpu"):
        assert summary(model, inputs=inputs, device=device).flops == expected > 0


ATEN = torch.ops.aten


def test_operations_are_called_by_their_plain_names() -> None:
    names = [full_name(func) for func in (ATEN.add_.Tensor, ATEN.mm.default, ATEN.__lshift__.Scalar)]
    assert names == ["add", "mm", "__lshift__"]
    assert full_name(torch.ops.torchvision.nms.default) == "torchvision::nms"


def test_arguments_that_are_named_count_as_those_in_their_places() -> None:
    x, y, z = torch.empty(3, 7), torch.empty(3, 5), torch.empty(5, 7)
    for args, kwargs in (
        ((x, y, z), {}),
        ((x, y), {"mat2": z}),
        ((x,), {"mat2": z, "mat1": y}),
        ((), {"self": x, "mat1": y, "mat2": z, "beta": 2}),
    ):
        assert cost_of(ATEN.addmm.default, args, kwargs, [y], x) == Cost(3 * 5 * 7)
    ordered = (x[None], y[None], z[None])
    assert cost_of(ATEN.baddbmm.default, ordered, {"alpha": 2}, [y], x[None]) == Cost(3 * 5 * 7)


def test_a_cost_is_counted_free_or_told_by_name() -> None:
    x, row = torch.empty(4, 1), torch.empty(1, 5)
    assert cost_of(ATEN.mul.Tensor, (x, row), {}, [x], torch.empty(4, 5)) == Cost(0, "mul of an outer product")
    assert cost_of(ATEN.mul.Tensor, (x, row), {}, [x], x) == Cost()
    assert cost_of(ATEN._linalg_svd.default, (x,), {}, [x], x) == Cost(0, "linalg_svd")
    sparse = torch.eye(4).to_sparse()
    for operands in ((sparse, x), (row.T, sparse), (sparse, sparse)):
        assert cost_of(ATEN.mm.default, operands, {}, [x], x) == Cost(0, "mm of sparse values")
    assert cost_of(ATEN.addmm.default, (x, sparse, x), {}, [x], x) == Cost(0, "addmm of sparse values")
    deformed = (torch.empty(2, 4, 9, 8), torch.empty(6, 4, 3, 3))
    cost = cost_of(torch.ops.torchvision.deform_conv2d.default, deformed, {}, [x], torch.empty(2, 6, 7, 6))
    assert cost == Cost(2 * 6 * 42 * 36, "sampling of deform_conv2d")
