"""What `summary` of each network of the catalogue costs: seconds after import, and memory above what torch takes.

Each network runs in a process of its own, which imports torch, notes its peak memory, imports striate, builds the
network on "meta" with its default options and summarises it on its card's input. Seconds are those of building and
of the summary, in processor time too, as the machine may be busy with other things.
"""

from __future__ import annotations

import json
import subprocess
import sys

from common import Report, arguments

#: The child's program; prints one JSON object.
CHILD = """
import json, sys, time, resource
import torch
def peak():
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (2**20 if sys.platform == "darwin" else 2**10)
before = peak()
from striate.analysis import summary
from striate.models import create_model, get_card
card = get_card(sys.argv[1])
began, worked = time.perf_counter(), time.process_time()
with torch.device("meta"):
    model = create_model(card.name)
built = time.perf_counter()
text = str(summary(model, (card.in_channels, card.input_size, card.input_size)))
print(json.dumps({
    "seconds": time.perf_counter() - began, "build": built - began, "processor": time.process_time() - worked,
    "memory": peak() - before, "lines": len(text.splitlines()),
}))
"""
SECONDS, MEBIBYTES = 1.0, 150.0


def cost(network: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", CHILD, network], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{network}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def names(pattern: str) -> list[str]:
    """The catalogue's networks, asked of another process so that this one stays small."""
    code = f"from striate.models import list_models; print(*list_models({pattern!r}))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("networks", nargs="?", default="*", help="a shell pattern (all)")
    options = parser.parse_args()
    report = Report("Cost of a summary", options, "torchvision")
    report.line(f"- Targets: {SECONDS:g} s, {MEBIBYTES:g} MB above `import torch`; a network in a process of its own")
    costs = {}
    for name in names(options.networks):
        costs[name] = cost(name)
        print(name, {key: round(value, 2) for key, value in costs[name].items()}, flush=True)
    header = ["network", "seconds", "of them building", "processor seconds", "MB above torch", "lines"]
    slowest = sorted(costs, key=lambda name: -costs[name]["seconds"])
    rows = [
        [
            name,
            *(f"{costs[name][key]:.2f}" for key in ("seconds", "build", "processor")),
            f"{costs[name]['memory']:.0f}",
            f"{costs[name]['lines']:.0f}",
        ]
        for name in slowest
    ]
    report.table(header, rows)
    late = [name for name in costs if costs[name]["seconds"] > SECONDS]
    large = [name for name in costs if costs[name]["memory"] > MEBIBYTES]
    report.line(f"- {len(costs)} networks; over {SECONDS:g} s: {', '.join(late) or 'none'}")
    report.line(f"- Over {MEBIBYTES:g} MB: {', '.join(large) or 'none'}")
    report.close()


if __name__ == "__main__":
    main()
