"""Parameters and multiply-adds of 20 networks, and of single operations, as several counters give them.

The networks are torchvision's and timm's; where the catalogue has the same network ours is counted too. The operations
are small modules whose multiply-adds follow from a formula, so that a difference can be put down to its cause. Each
counter runs as its documentation shows, on one image, and its figure is turned into multiply-adds as it defines it.

`--docs` writes docs/counters.md from what was measured.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import Report, arguments, skip, versions

PAGE = Path(__file__).resolve().parents[1] / "docs" / "counters.md"
PACKAGES = ("torchvision", "timm", "torchinfo", "fvcore", "ptflops")
#: Library, its name of the network, side of the image.
NETWORKS = (
    ("torchvision", "alexnet", 224),
    ("torchvision", "vgg16", 224),
    ("torchvision", "googlenet", 224),
    ("torchvision", "inception_v3", 299),
    ("torchvision", "resnet18", 224),
    ("torchvision", "resnet50", 224),
    ("torchvision", "resnet152", 224),
    ("torchvision", "resnext50_32x4d", 224),
    ("torchvision", "densenet121", 224),
    ("torchvision", "squeezenet1_0", 224),
    ("torchvision", "mobilenet_v2", 224),
    ("torchvision", "shufflenet_v2_x1_0", 224),
    ("torchvision", "efficientnet_b0", 224),
    ("torchvision", "vit_b_16", 224),
    ("torchvision", "swin_t", 224),
    ("timm", "legacy_xception", 299),
    ("timm", "inception_v4", 299),
    ("timm", "mobilenetv1_100", 224),
    ("timm", "nasnetalarge", 331),
    ("timm", "vit_base_patch16_224", 224),
)


def counters() -> dict[str, Callable[[Any, tuple[int, ...]], tuple[int, int]]]:
    """Each counter as a function of a module and the shape of its input: (parameters, multiply-adds)."""
    import torch
    from fvcore.nn import FlopCountAnalysis, parameter_count
    from ptflops import get_model_complexity_info
    from torch.utils.flop_counter import FlopCounterMode
    from torchinfo import summary as torchinfo_summary

    from striate.analysis import summary

    def ours(model: Any, shape: tuple[int, ...]) -> tuple[int, int]:
        result = summary(model, inputs=torch.empty(1, *shape, device="meta"))
        return result.parameters, result.multiply_adds

    def torchs(model: Any, shape: tuple[int, ...]) -> tuple[int, int]:
        with torch.no_grad(), FlopCounterMode(display=False) as mode:
            model(torch.rand(1, *shape))
        return sum(p.numel() for p in model.parameters()), mode.get_total_flops() // 2

    def fvcore(model: Any, shape: tuple[int, ...]) -> tuple[int, int]:
        analysis = FlopCountAnalysis(model, torch.rand(1, *shape))
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        return parameter_count(model)[""], int(analysis.total())

    def ptflops(backend: str) -> Callable[[Any, tuple[int, ...]], tuple[int, int]]:
        def count(model: Any, shape: tuple[int, ...]) -> tuple[int, int]:
            macs, parameters = get_model_complexity_info(
                model, shape, as_strings=False, print_per_layer_stat=False, verbose=False, backend=backend
            )
            return int(parameters), int(macs)

        return count

    def torchinfo(model: Any, shape: tuple[int, ...]) -> tuple[int, int]:
        result = torchinfo_summary(model, input_size=(1, *shape), verbose=0)
        return result.total_params, result.total_mult_adds

    return {
        "striate": ours,
        "torch / 2": torchs,
        "fvcore": fvcore,
        "ptflops": ptflops("pytorch"),
        "ptflops aten": ptflops("aten"),
        "torchinfo": torchinfo,
    }


def quiet(count: Callable[..., tuple[int, int]], model: Any, shape: tuple[int, ...]) -> tuple[int, int] | None:
    """The counter's answer without what it prints; None where it fails."""
    words = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(words), contextlib.redirect_stderr(words):
        warnings.simplefilter("ignore")
        try:
            return count(model, shape)
        except Exception:
            return None


def network(library: str, name: str) -> Any:
    if library == "timm":
        import timm

        return timm.create_model(name, pretrained=False).eval()
    import torchvision

    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return torchvision.models.get_model(name, weights=None, **options).eval()


def ours_of(library: str, name: str) -> str | None:
    """The network of the catalogue whose card says that it is the same."""
    from striate.models import get_card, list_models

    same = [each for each in list_models() if get_card(each).peers.get(library) == name]
    # where options make ours theirs, the network that has them by default
    return max(same, key=lambda each: each.endswith(("_v1_5", "_torchvision")), default=None)


def operations() -> dict[str, tuple[Any, tuple[int, ...], int]]:
    """Small modules: the module, the shape of its input, its multiply-adds by hand."""
    import torch
    from torch import Tensor, nn
    from torch.nn import functional as F

    class Functional(nn.Module):
        def __init__(self, call: Callable[..., Tensor], **parameters: Tensor) -> None:
            super().__init__()
            self.call = call
            for key, value in parameters.items():
                setattr(self, key, nn.Parameter(value))

        def forward(self, x: Tensor) -> Tensor:
            return self.call(self, x)

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(32, 32, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(self.layer(x))

    class Attends(nn.Module):
        def __init__(self, bias: bool) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(32, 2, batch_first=True, bias=bias)

        def forward(self, x: Tensor) -> Tensor:
            return self.attention(x, x, x, need_weights=False)[0]

    class Product(nn.Module):
        def __init__(self, product: Callable[[Tensor, Tensor], Tensor]) -> None:
            super().__init__()
            self.layer, self.product = nn.Linear(32, 32, bias=False), product

        def forward(self, x: Tensor) -> Tensor:
            x = self.layer(x)
            return self.product(x, x)

    kernel, image, tokens = torch.rand(8, 3, 3, 3), (3, 16, 16), (10, 32)
    conv = 8 * 27 * 14 * 14
    products = 2 * 10 * 10 * 32  # scores, and their sum of values
    return {
        "convolution without bias": (nn.Conv2d(3, 8, 3, bias=False), image, conv),
        "convolution with bias": (nn.Conv2d(3, 8, 3), image, conv),
        "grouped convolution": (nn.Conv2d(4, 8, 3, groups=4, bias=False), (4, 16, 16), 8 * 9 * 14 * 14),
        "transposed convolution": (nn.ConvTranspose2d(3, 8, 3, 2, bias=False), image, 3 * 16 * 16 * 8 * 9),
        "F.conv2d": (Functional(lambda self, x: F.conv2d(x, self.kernel), kernel=kernel), image, conv),
        "dense layer without bias": (nn.Linear(32, 64, bias=False), (32,), 32 * 64),
        "dense layer with bias": (nn.Linear(32, 64), (32,), 32 * 64),
        "dense layer on 10 tokens": (nn.Linear(32, 64, bias=False), tokens, 10 * 32 * 64),
        "F.linear": (Functional(lambda self, x: F.linear(x, self.w), w=torch.rand(64, 32)), (32,), 32 * 64),
        "dense layer, then x @ x.mT": (
            Product(lambda x, y: x @ y.mT),
            tokens,
            10 * 32 * 32 + 10 * 10 * 32,
        ),
        "dense layer, then einsum": (
            Product(lambda x, y: torch.einsum("bik,bjk->bij", x, y)),
            tokens,
            10 * 32 * 32 + 10 * 10 * 32,
        ),
        "dense layer, then fused attention": (
            Product(lambda x, y: F.scaled_dot_product_attention(x[:, None], y[:, None], y[:, None])),
            tokens,
            10 * 32 * 32 + products,
        ),
        "MultiheadAttention without bias": (Attends(False), tokens, 4 * 10 * 32 * 32 + products),
        "MultiheadAttention": (Attends(True), tokens, 4 * 10 * 32 * 32 + products),
        "dense layer used twice": (Twice(), (32,), 2 * 32 * 32),
        "batch norm": (nn.BatchNorm2d(3), image, 0),
        "layer norm": (nn.LayerNorm(32), tokens, 0),
        "ReLU": (nn.ReLU(), image, 0),
        "maximum pooling 2×2": (nn.MaxPool2d(2), image, 0),
        "global average pooling": (nn.AdaptiveAvgPool2d(1), image, 0),
        "addition": (Functional(lambda _, x: x + x), image, 0),
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--docs", action="store_true", help=f"write {PAGE.relative_to(PAGE.parents[1])}")
    options = parser.parse_args()
    try:
        tools = counters()
    except ImportError as error:
        skip(f"{error}; pip install 'striate[bench,timm]'")
    report = Report("Counters of multiply-adds", options, *PACKAGES)

    import torch

    torch.manual_seed(0)
    small: dict[str, dict[str, tuple[int, int] | None]] = {}
    hands: dict[str, int] = {}
    for name, (module, shape, hand) in operations().items():
        small[name] = {tool: quiet(count, module.eval(), shape) for tool, count in tools.items()}
        hands[name] = hand
    rows = [[name, f"{hand:,}", *(_figure(small[name][tool], hand) for tool in tools)] for name, hand in hands.items()]
    operations_table = (["operation", "by hand", *tools], rows)
    report.table(*operations_table)

    large: dict[str, dict[str, tuple[int, int] | None]] = {}
    lines, parameter_lines = [], []
    for library, name, side in NETWORKS:
        model = network(library, name)
        found = {tool: quiet(count, model, (3, side, side)) for tool, count in tools.items()}
        large[f"{library} {name}"] = found
        first = found["striate"]
        assert first is not None
        own = _own(library, name, side)
        lines.append([f"{library} {name}", str(side), own[1], f"{first[1]:,}", *_differences(found, first, 1)])
        parameter_lines.append([f"{library} {name}", own[0], f"{first[0]:,}", *_differences(found, first, 0)])
        print("  ".join(lines[-1]), flush=True)
        del model
    others = [tool for tool in tools if tool != "striate"]
    header = ["network", "side", "ours", "multiply-adds", *others]
    parameter_header = ["network", "ours", "parameters", *others]
    report.table(header, lines)
    report.table(parameter_header, parameter_lines)
    report.close()
    if options.docs:
        tables = (operations_table, (header, lines), (parameter_header, parameter_lines))
        PAGE.write_text(page(tables, small, hands, large), encoding="utf-8")
        print(f"written: {PAGE}")


def _own(library: str, name: str, side: int) -> tuple[str, str]:
    """What our network of the catalogue counts: parameters and multiply-adds, empty where there is none."""
    import torch

    from striate.analysis import summary
    from striate.models import create_model

    same = ours_of(library, name)
    if same is None:
        return "", ""
    with torch.device("meta"):
        model = create_model(same)
    result = summary(model, (3, side, side))
    return f"{result.parameters:,} ({same})", f"{result.multiply_adds:,} ({same})"


def _figure(found: tuple[int, int] | None, hand: int) -> str:
    if found is None:
        return "fails"
    return "=" if found[1] == hand else f"{found[1]:,}"


def _differences(found: dict[str, tuple[int, int] | None], first: tuple[int, int], which: int) -> list[str]:
    """Every other counter's figure as a difference from ours."""
    cells = []
    for tool, value in found.items():
        if tool == "striate":
            continue
        if value is None:
            cells.append("fails")
        elif value[which] == first[which]:
            cells.append("=")
        else:
            cells.append(f"{value[which]:,} ({100 * (value[which] / first[which] - 1):+.1f} %)")
    return cells


def page(tables: Any, small: Any, hands: dict[str, int], large: Any) -> str:
    """docs/counters.md."""
    (one, two, three) = (_markdown(*table) for table in tables)
    said = "\n".join(f"- {line}" for line in claims(small, hands, large))
    return (
        "<!-- Written by bench/counters.py --docs; change that. -->\n"
        "# What counters count\n\n"
        "One multiply-add is a multiplication and an addition; FLOPs are two each. Published figures that speak of\n"
        '"FLOPs" mostly are multiply-adds. Below, what several tools answer for the same modules, as multiply-adds:\n'
        "torch's `FlopCounterMode` halved, the others as they come (fvcore's \"flops\", ptflops' and torchinfo's\n"
        '"mult-adds"/"MACs"). "=" is exactly our figure (in the first table: the figure by hand).\n\n'
        f"Measured with {versions(*PACKAGES)}.\n\n"
        "## Who differs, and why\n\n"
        f"{said}\n\n"
        "## Single operations\n\n"
        f"{one}\n\n"
        "## Networks: multiply-adds\n\n"
        '"ours" is the same network of the catalogue, where it has it.\n\n'
        f"{two}\n\n"
        "## Networks: parameters\n\n"
        f"{three}\n"
    )


def _markdown(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def claims(small: Any, hands: dict[str, int], large: Any) -> list[str]:
    """Sentences on each counter, each of them only where what was measured bears it out."""
    values, channels = 3 * 16 * 16, 3

    def adds(tool: str, name: str) -> int | None:
        """What the counter gives beyond the figure by hand."""
        found = small[name][tool]
        return None if found is None else found[1] - hands[name]

    def has(tool: str, **wanted: int) -> bool:
        return all(adds(tool, name.replace("_", " ")) == value for name, value in wanted.items())

    def exact(tool: str, names: Any = None) -> bool:
        return all(adds(tool, name) == 0 for name in names or small)

    def misses(tool: str, *names: str) -> bool:
        """Whether the products in these are not counted at all."""
        return all(
            small[name][tool] is not None and adds(tool, name) in (-hands[name], -_product(name)) for name in names
        )

    def short(tool: str, name: str) -> str:
        found = large[name][tool]
        return "fails" if found is None else f"{found[1]:,}, {100 * (found[1] / large[name]['striate'][1] - 1):+.1f} %"

    functional = ("F.conv2d", "F.linear")
    products = ("dense layer, then x @ x.mT", "dense layer, then einsum")
    fused = "dense layer, then fused attention"
    bias = {"convolution_with_bias": 8 * 14 * 14, "dense_layer_with_bias": 64}
    vit, timms = "torchvision vit_b_16", "timm vit_base_patch16_224"
    candidates = [
        (exact("striate"), "**striate**: every operation below as by hand."),
        (
            exact("torch / 2", [name for name in small if name != "MultiheadAttention"])
            and adds("torch / 2", "MultiheadAttention") != 0
            and _without_fast_path(),
            "**torch's FlopCounterMode**: right, but for `nn.MultiheadAttention` in evaluation mode, which runs as one "
            f"fused operation that the counter does not know: ViT-B/16 of torchvision {short('torch / 2', vit)}. With "
            "`torch.backends.mha.set_fastpath_enabled(False)` it gives our figure.",
        ),
        (
            exact("fvcore", ["convolution with bias", "dense layer with bias", *functional, *products]),
            '**fvcore**: its "flop" is one multiply-add, so its figures are half of torch\'s; a bias counts nothing.',
        ),
        (
            has("fvcore", batch_norm=2 * values, layer_norm=5 * 320, global_average_pooling=values),
            "**fvcore** adds 2 for each value of a batch norm, 5 of a layer norm and 1 for each value that a global "
            f"average pooling reads: MobileNet v2 {short('fvcore', 'torchvision mobilenet_v2')}.",
        ),
        (
            misses("fvcore", fused),
            f"**fvcore** counts nothing for fused attention: ViT-B/16 of torchvision {short('fvcore', vit)} "
            "(the products of attention missing, layer norms added).",
        ),
        (
            has("ptflops", **bias, batch_norm=2 * values, ReLU=2 * values)
            and adds("ptflops", "maximum pooling 2×2") == adds("ptflops", "global average pooling") == 2 * values,
            "**ptflops** (default) adds 1 for each output of a layer with a bias, 2 for each value of a batch norm, 2 "
            "for each value that an `nn.ReLU` or a pooling layer reads (1 as the module and 1 as the function in it): "
            f"EfficientNet-B0 {short('ptflops', 'torchvision efficientnet_b0')}.",
        ),
        (
            misses("ptflops", *functional, *products),
            "**ptflops** (default) counts nothing for `F.conv2d` and `F.linear` on a module's own parameters, nor for "
            f"matrix products and einsum: Swin-T {short('ptflops', 'torchvision swin_t')}.",
        ),
        (
            misses("ptflops", fused),
            f"**ptflops** (default) counts nothing for fused attention: timm's ViT-B/16 {short('ptflops', timms)}.",
        ),
        (
            has("ptflops aten", **bias) and has("ptflops aten", batch_norm=0, ReLU=0),
            "**ptflops aten** adds 1 for each output of a layer with a bias, and nothing for norms and activations.",
        ),
        (
            misses("ptflops aten", fused),
            "**ptflops aten** counts nothing for fused attention: ViT-B/16 of torchvision "
            f"{short('ptflops aten', vit)}.",
        ),
        (
            has("torchinfo", **bias, batch_norm=2 * channels),
            "**torchinfo** adds 1 for each output of a layer with a bias, and a batch norm's parameters.",
        ),
        (
            small["dense layer on 10 tokens"]["torchinfo"] is not None
            and small["dense layer on 10 tokens"]["torchinfo"][1] * 10 == hands["dense layer on 10 tokens"]
            and misses("torchinfo", *functional)
            and small[fused]["torchinfo"][1] == 32 * 32,
            "**torchinfo** counts a dense layer on (N, tokens, C) once instead of once per token, and nothing for "
            f"functional calls and attention: ViT-B/16 of torchvision {short('torchinfo', vit)}, timm's "
            f"{short('torchinfo', timms)}.",
        ),
        (
            adds("torchinfo", "transposed convolution") == 3 * 8 * 9 * 33 * 33 - hands["transposed convolution"],
            "**torchinfo** takes each output of a transposed convolution to meet the whole kernel; with stride 2 each "
            "input does.",
        ),
    ]
    unsaid = [text for holds, text in candidates if not holds]
    for text in unsaid:
        print(f"not borne out, left away: {text}")
    return [text for holds, text in candidates if holds]


def _product(name: str) -> int:
    """Multiply-adds of the product behind the dense layer of an operation."""
    return 2 * 10 * 10 * 32 if "fused" in name else 10 * 10 * 32


def _without_fast_path() -> bool:
    """Whether torch's counter gives ours for torchvision's ViT-B/16 once fused attention layers are off."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from striate.analysis import summary

    with torch.device("meta"):
        model = network("torchvision", "vit_b_16")
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as mode:
            model(torch.empty(1, 3, 224, 224, device="meta"))
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
    return mode.get_total_flops() == 2 * summary(model, (3, 224, 224)).multiply_adds


if __name__ == "__main__":
    main()
