"""Images per second of the same network here, at torchvision and at timm: inference and training steps.

Ours is built with the options that make it the peer's network (its key table's) and gets the peer's weights, so
that all of them do the same arithmetic; inputs, batch, threads and memory layout are the same. Inference is a
forward pass in evaluation mode under `torch.inference_mode`; a training step is forward, cross-entropy, backward
and an SGD step. They take turns within one process, in alternating order; the ratio is the median over rounds of
our images per second over the peer's.

Memory is measured in processes of its own: the highest resident size during three steps (or passes) after the
network was built, less the size before that; the ratio is ours over the peer's, median of the runs.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import Report, alternate, arguments, child, each, median, ratios

#: Our name for each network; the peers are those its card names.
NETWORKS = (
    "resnet18",
    "resnet50_v1_5",
    "resnext50_32x4d",
    "densenet121",
    "mobilenet_v2",
    "efficientnet_b0",
    "shufflenet_v2_x1_0",
    "squeezenet1_1",
    "inception_v3",
    "vgg11_bn",
)
LIBRARIES = ("torchvision", "timm")
SPEED, MEMORY = 0.97, 1.03


def network(name: str, library: str) -> Any:
    """The network as the library has it; "striate" or "striate as LIBRARY" is ours with that library's options."""
    import torch
    import torchvision

    from striate.models import create_model, get_card
    from striate.models.options import defaults_of
    from striate.weights import key_tables

    card = get_card(name)
    torch.manual_seed(0)
    if library.startswith("striate"):
        wanted = key_tables(card.family)[library.removeprefix("striate as ")].options
        return create_model(name, **{key: value for key, value in wanted.items() if key in defaults_of(card)})
    spelled = card.peers[library]
    if library == "torchvision":
        plain = {"init_weights": False, "aux_logits": False} if "ception" in spelled else {}
        return torchvision.models.get_model(spelled, weights=None, **plain)
    import timm

    return timm.create_model(spelled)


class Contestant:
    """One network doing one kind of work: a call does it once over and returns images per second."""

    def __init__(self, name: str, library: str, options: Any) -> None:
        import torch

        self.torch, self.options = torch, options
        layout = torch.channels_last if options.layout == "channels-last" else torch.contiguous_format
        self.model = network(name, library).to(memory_format=layout)
        self.model.train(options.work == "training")
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(options.batch, 3, options.size, options.size, generator=generator)
        self.x = x.to(memory_format=layout)
        self.y = torch.arange(options.batch)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-3)
        self.work: Callable[[], None] = self.train if options.work == "training" else self.infer

    def infer(self) -> None:
        """A forward pass in evaluation mode."""
        with self.torch.inference_mode():
            self.model(self.x)

    def train(self) -> None:
        """A training step."""
        self.optimizer.zero_grad()
        self.torch.nn.functional.cross_entropy(self.model(self.x), self.y).backward()
        self.optimizer.step()

    def __call__(self) -> float:
        """Work once over; images per second."""
        began = time.perf_counter()
        for _ in range(self.options.passes):
            self.work()
        return self.options.passes * self.options.batch / (time.perf_counter() - began)


def resident(key: str) -> float:
    """VmRSS or VmHWM of this process, MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    raise OSError(f"no {key} on this system")


def measure_memory(name: str, library: str, options: Any) -> None:
    """Print the peak of three passes over what stood before the network was built, MiB."""
    import torch  # noqa: F401

    network(name, library)  # imports everything that building takes
    gc.collect()
    before = resident("VmRSS")
    contestant = Contestant(name, library, options)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    for _ in range(3):
        contestant.work()
    print(json.dumps({"peak": resident("VmHWM") - before}))


def compare(name: str, options: Any, report: Report) -> list[list[str]]:
    from striate.models import get_card

    peers = [library for library in LIBRARIES if library in get_card(name).peers]
    names = [f"striate as {peers[0]}", *peers]
    contestants: dict[str, Callable[[], float]] = {one: Contestant(name, one, options) for one in names}
    speeds = alternate(contestants, options.rounds)
    contestants.clear()
    gc.collect()
    words = ("--work", options.work, "--layout", options.layout, "--batch", options.batch, "--size", options.size)
    peaks: dict[str, list[float]] = {one: [] for one in names}
    for _ in range(options.memory_runs):
        for one in names:
            peaks[one].append(child(__file__, "--memory", name, one, *words)["peak"])
    rows = []
    ours = names[0]
    for library in peers:
        gains = ratios(speeds[ours], speeds[library])
        memory = median(peaks[ours]) / median(peaks[library])
        verdict = "yes" if median(gains) >= SPEED and memory <= MEMORY else "NO"
        speed = [f"{median(speeds[one]):.1f}" for one in (ours, library)]
        setup = [name, library, options.work, options.layout]
        rows.append([*setup, *speed, f"{median(gains):.3f}", f"{median(peaks[ours]):.0f}", f"{memory:.3f}", verdict])
        print(*rows[-1], "| rounds", each(gains, ".3f"), flush=True)
    return rows


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--networks", nargs="*", default=NETWORKS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--passes", type=int, default=2, help="passes a round")
    parser.add_argument("--memory-runs", type=int, default=1)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--work", choices=("inference", "training"), help="one kind only")
    parser.add_argument("--layout", choices=("channels-last", "contiguous"), help="one layout only")
    parser.add_argument("--memory", nargs=2, metavar=("NETWORK", "LIBRARY"), help="a child's work")
    options = parser.parse_args()
    if options.memory:
        measure_memory(*options.memory, options)
        return
    report = Report("Forward speed and memory against torchvision and timm", options, "torchvision", "timm")
    report.line(
        f"- Runs: {options.rounds} alternating rounds of {options.passes} passes, batch {options.batch}, "
        f"{options.size} px, float32; memory: median of {options.memory_runs} process(es) each"
    )
    rows = []
    works = (options.work,) if options.work else ("inference", "training")
    layouts = (options.layout,) if options.layout else ("channels-last", "contiguous")
    for options.work in works:
        for options.layout in layouts:
            for name in options.networks:
                rows += compare(name, options, report)
    header = ["network", "peer", "work", "layout", "ours, images/s", "peer's", "ratio", "ours, MiB", "memory ratio"]
    report.table([*header, f">= {SPEED} and <= {MEMORY}"], rows)
    report.close()


if __name__ == "__main__":
    sys.exit(main())
