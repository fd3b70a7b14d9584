"""Networks of other people, trained, killed, resumed, moved and used: whether each comes out the same bit for bit.

    python bench/foreign_networks.py [NAME ...]

Every step is a `striate` command, or a few lines of Python, in a process of its own: two epochs without a stop; the
same once more, killed by SIGKILL in the middle of an epoch and resumed; the result loaded in another folder by another
process, which predicts and summarises. Compared are model.safetensors, metrics.csv and the predictions, byte for byte.
The pictures are of three classes of CIFAR-10, as JPEG.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import BENCH, Report, arguments, data

ODD = BENCH.parent / "tests" / "models" / "odd_networks.py"
ODD_NETWORKS = ("Functional", "TwoOutputs", "own_pool", "OneDimensional", "in_place")
#: Networks, and the side of the pictures that each is given.
NETWORKS = {
    **dict.fromkeys(
        (
            *("timm:resnet10t", "timm:mobilenetv3_small_050", "timm:lcnet_050", "timm:tinynet_e", "timm:ghostnet_100"),
            *(
                "timm:regnetx_002",
                "timm:convnext_atto",
                "timm:repvgg_a0",
                "timm:efficientnet_lite0",
                "timm:mnasnet_small",
            ),
            *("torchvision:resnet18", "torchvision:squeezenet1_1", "torchvision:shufflenet_v2_x0_5"),
            *("torchvision:mobilenet_v3_small", "torchvision:densenet121"),
        ),
        64,
    ),
    **{
        f"odd_networks.py:{name}": 16 for name in ("Functional", "TwoOutputs", "own_pool", "OneDimensional", "in_place")
    },
}
CLASSES, EACH, BATCH = (0, 1, 8), 24, 8
#: The step after whose checkpoint a training is killed: in the middle of the second epoch.
KILLED_AFTER = 11

TRAIN = """
import sys, striate
photos, network, size, run = sys.argv[1:]
striate.train(photos, model=network, size=int(size), epochs=2, batch_size={batch}, recipe="tiny", workers=1, run=run,
              precision="32", checkpoint_every=1e-6, quiet=True)
"""


def photographs(folder: Path) -> Path:
    """A folder of a few pictures of three classes."""
    import pyarrow.parquet as pq
    from PIL import Image

    table = pq.read_table(data("cifar10_jpeg", "test.parquet"))
    label = next(name for name in table.column_names if "label" in name)
    image = next(name for name in table.column_names if "im" in name)
    counts = dict.fromkeys(CLASSES, 0)
    for content, kind in zip(table[image].to_pylist(), table[label].to_pylist(), strict=True):
        if counts.get(kind, EACH) < EACH:
            (folder / str(kind)).mkdir(parents=True, exist_ok=True)
            picture = Image.open(io.BytesIO(content["bytes"] if isinstance(content, dict) else content))
            picture.save(folder / str(kind) / f"{counts[kind]}.png")
            counts[kind] += 1
    return folder


def run(*words: object, cwd: Path) -> str:
    """What a command prints."""
    done = subprocess.run([sys.executable, *map(str, words)], cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "failed")
    return done.stdout


def killed(words: list[str], checkpoint: Path, cwd: Path) -> int:
    """Start a training and kill it once its checkpoint is past `KILLED_AFTER`; the step that it had then saved."""
    process = subprocess.Popen([sys.executable, *words], cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    from striate.training.checkpoints import load_state_alone

    while process.poll() is None:
        try:
            step = load_state_alone(checkpoint)["position"]["step"]
        except Exception:  # not there yet, or being replaced
            step = 0
        if step >= KILLED_AFTER:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return int(load_state_alone(checkpoint)["position"]["step"])
        time.sleep(0.02)
    raise RuntimeError(
        "it ended before it was killed: " + (process.stderr.read() if process.stderr else b"").decode()[-300:]
    )


def examine(network: str, side: int, folder: Path, photos: Path) -> dict[str, str]:
    """What became of a network at each stage: "same", "yes", or why not."""
    trust: list[object] = []
    if network.startswith(ODD.name):
        shutil.copy(ODD, folder / ODD.name)
        trust = ["--trust", folder / ODD.name]
    script = folder / "train.py"
    script.write_text(TRAIN.format(batch=BATCH))
    whole, parts = folder / "whole", folder / "parts"
    run(script, photos, network, side, whole, cwd=folder)
    step = killed([str(script), str(photos), network, str(side), str(parts)], parts / "last.ckpt", folder)
    run("-m", "striate", "train", "--resume", parts, *trust, "--quiet", cwd=folder)
    found = {"killed at step": str(step)}
    for name in ("model.safetensors", "metrics.csv"):
        found[name] = "same" if (whole / name).read_bytes() == (parts / name).read_bytes() else "OTHER"
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(parts / "model.safetensors", elsewhere / "moved.safetensors")
    here = run("-m", "striate", "predict", whole, photos, "--top", 3, *trust, cwd=folder)
    there = run("-m", "striate", "predict", "moved.safetensors", photos, "--top", 3, *trust, cwd=elsewhere)
    found["predictions elsewhere"] = "same" if here == there and here.count("\n") == len(CLASSES) * EACH else "OTHER"
    summary = run("-m", "striate", "summary", whole, *trust, cwd=folder)
    found["summary"] = "yes" if "parameters" in summary.lower() else "NO"
    report = (whole / "report.html").read_text(encoding="utf-8")
    found["report"] = "yes" if network in report and "multiply-adds" in report.lower() else "NO"
    return found


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="networks; all by default")
    options = parser.parse_args()
    report = Report("Networks of other people, bit for bit", options, "timm", "torchvision")
    rows, header, failed = [], ["network", "side"], 0
    with tempfile.TemporaryDirectory() as place:
        photos = photographs(Path(place) / "photos")
        for network in options.names or NETWORKS:
            folder = Path(place) / network.replace(":", "_")
            folder.mkdir()
            began = time.perf_counter()
            try:
                found = examine(network, NETWORKS[network], folder, photos)
            except RuntimeError as error:
                found = {"failed": str(error)}
            failed += bool({"OTHER", "NO"} & {*found.values()} or "failed" in found)
            print(network, found, f"{time.perf_counter() - began:.0f} s", flush=True)
            header = header if len(header) > 2 or "failed" in found else [*header, *found]
            rows.append([network, str(NETWORKS[network]), *found.values()])
            shutil.rmtree(folder)
    report.table(header, [row + ["–"] * (len(header) - len(row)) for row in rows])
    report.line(f"- {len(rows) - failed} of {len(rows)} came out the same at every stage")
    report.close()


if __name__ == "__main__":
    main()
