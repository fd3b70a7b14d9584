"""What striate's training loop costs: images per second against a bare PyTorch loop.

Compared are striate's Training class (Lightning Fabric, seeded batches, learning-rate schedule, running loss
and accuracy, checks for divergence, the end of the epoch with its CSV files; checkpoints and validation off,
nothing shown) and a loop of nothing but indexing, normalising, forward, loss, backward, step and zero_grad.
Both see the same uint8 images in memory, the same network with the same first weights, the same precision
(the one striate chooses itself), channels-last memory and the fused SGD. They take turns in many short
rounds; the figure is the median over rounds of striate's images per second over the bare loop's, 1.0 being
no cost at all.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable
from pathlib import Path

from common import Report, alternate, arguments, each, median, ratios

#: Network, side of the images, channels, batch, the ratio aimed at.
SETUPS = (
    ("resnet18", 64, 3, 64, 0.97),
    ("lenet5", 28, 1, 64, 0.9),
    ("lenet5", 28, 1, 256, 0.9),
)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each loop (9)")
    parser.add_argument("--seconds", type=float, default=3, help="roughly, of one round (3)")
    options = parser.parse_args()

    import torch

    from loops import BareLoop, Pixels, StriateLoop, automatic_precision, steps_in
    from striate.models import create_model, get_card

    report = Report("Cost of the training loop", options, "lightning-fabric")
    report.line(f"- Runs: {options.rounds} alternating rounds of each loop, about {options.seconds:g} s a round")
    rows = []
    for name, size, channels, batch, target in SETUPS:
        torch.manual_seed(0)
        fixed = size if get_card(name).fixed_size else None  # ResNet keeps the stem of large images
        model = create_model(name, num_classes=10, in_channels=channels, input_size=fixed)
        precision = automatic_precision(model, size, batch)
        steps = steps_in(options.seconds, copy.deepcopy(model), size, batch, precision)
        pixels = Pixels.random(steps * batch, size, channels, 10)
        with tempfile.TemporaryDirectory() as folder:
            loops: dict[str, Callable[[], float]] = {
                "striate": StriateLoop(copy.deepcopy(model), pixels, batch, precision, Path(folder, "run")),
                "bare": BareLoop(copy.deepcopy(model), pixels, batch, precision),
            }
            speeds = alternate(loops, options.rounds)
        shares = ratios(speeds["striate"], speeds["bare"])
        setup = f"{name}, {size} px, batch {batch}, {precision}"
        report.line(f"- {setup}: {steps} steps a round; ratio of each round {each(shares, '.3f')}")
        speed = [f"{median(speeds[loop]):,.0f}" for loop in ("striate", "bare")]
        rows.append([setup, *speed, f"{median(shares):.3f}", f"{target:g}"])
    report.table(["setup", "striate, images/s", "bare loop, images/s", "ratio", "target"], rows)
    report.close()


if __name__ == "__main__":
    main()
