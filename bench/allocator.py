"""What `striate.keep_memory` gains and costs, job by job: the same work with glibc's usual thresholds and without.

    python bench/allocator.py [JOB ...]

Every figure is of a fresh process. The two take turns, in the other order every other round, and ratios are taken round
by round. Processor seconds (user and system, of worker processes too) are what other programs on the machine disturb
least, so the gain is the ratio of those; images per second are of the wall clock. Steps are timed in the process, after
two that are not; commands are timed as a whole, from the start of Python to its end. The peak is the largest resident
size of any one process. Where a job writes a model or prints what it found, both must be the same, byte for byte.

Photographs are those of flowers.tar; MobileNet v2's weights lie in `$STRIATE_WEIGHTS`, else in ../shared/weights.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import BENCH, Report, alternate, arguments, data, each, median, ratios

#: Where the gain is less, or the memory more, a command leaves the thresholds alone.
GAIN, MEMORY = 1.02, 1.2
WARM_UP = 2


@dataclass(frozen=True)
class Job:
    """One piece of work, timed.

    Attributes:
        images: how many it deals with; 0 where that says nothing.
        command: words of the `striate` command, in the bench's folder; RUN is a run folder of its own.
        steps: in place of a command: (network, "inference" or a precision of training, steps).
    """

    images: int
    command: str = ""
    steps: tuple[str, str, int] | None = None


BATCH = 32
PICTURES = 240
#: Words for the frozen run, which is also what makes the classifier that others use.
FROZEN = "train photos --model mobilenet_v2 --weights {weights} --freeze all --epochs 1 --seed 0 --val-fraction 0.2"
JOBS = {
    "inference, MobileNet v2, batch 32": Job(6 * BATCH, steps=("mobilenet_v2", "inference", 6)),
    "inference, ResNet-50, batch 32": Job(2 * BATCH, steps=("resnet50_v1_5", "inference", 2)),
    "inference, MobileNet v2, batch 1": Job(60, steps=("mobilenet_v2", "inference", 60)),
    "training, ResNet-18, batch 32, float32": Job(2 * BATCH, steps=("resnet18", "32-true", 2)),
    "training, ResNet-18, batch 32, bfloat16": Job(4 * BATCH, steps=("resnet18", "bf16-mixed", 4)),
    "training, MobileNet v2, batch 32, float32": Job(2 * BATCH, steps=("mobilenet_v2", "32-true", 2)),
    "train, frozen MobileNet v2, 1 epoch": Job(PICTURES, FROZEN + " --workers 0 --run RUN"),
    "train, the same, 2 workers": Job(PICTURES, FROZEN + " --workers 2 --run RUN"),
    "train, LeNet-5, MNIST, 1 epoch": Job(70_000, "train {mnist} --model lenet5 --epochs 1 --run RUN"),
    "evaluate, MobileNet v2": Job(PICTURES, "evaluate run photos"),
    "predict, a folder": Job(PICTURES, "predict run photos"),
    "predict, one picture": Job(1, "predict run photos/daisy/0.jpg"),
    "check, photographs": Job(0, "check flowers"),
    "check, 12 megapixels": Job(24, "check large"),
    "gradients, ResNet-34, batch 8": Job(8, "gradients resnet34"),
    "field, ResNet-18, 16 samples": Job(16, "field resnet18"),
    "summary, ResNet-50": Job(0, "summary resnet50"),
    "recommend, latency": Job(0, "recommend --images 2000 --size 224 --latency 100ms"),
}


def weights() -> Path:
    """MobileNet v2's weights."""
    folder = Path(os.environ.get("STRIATE_WEIGHTS", BENCH.parents[1] / "shared" / "weights"))
    return folder / "mobilenet_v2_imagenet.safetensors"


def words_of(command: str, run: Path) -> list[str]:
    """The words of a job's command."""
    filled = command.format(weights=weights(), mnist=data("mnist", "MNIST", "raw"))
    return [str(run) if word == "RUN" else word for word in filled.split()]


def prepare(folder: Path) -> None:
    """Lay out the pictures, and train the run that predicts and is evaluated."""
    import tarfile

    from PIL import Image

    with tarfile.open(data("flowers.tar")) as tar:
        tar.extractall(folder, filter="data")
    for label in sorted((folder / "flowers" / "train").iterdir()):
        (folder / "photos" / label.name).mkdir(parents=True)
        (folder / "large" / label.name).mkdir(parents=True)
        for number, path in enumerate(sorted(label.iterdir())[: PICTURES // 5]):
            (folder / "photos" / label.name / f"{number}.jpg").write_bytes(path.read_bytes())
            if number < 5:
                Image.open(path).resize((4000, 3000)).save(folder / "large" / label.name / f"{number}.jpg")
    command = [sys.executable, "-m", "striate", *words_of(FROZEN + " --workers 0 --run RUN", folder / "run")]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)


def work(job: Job, keep: bool, run: Path) -> None:
    """A child's work: print the figures of a job that is timed by steps; run a command."""
    import striate

    if keep and not (setting := striate.keep_memory(largest_of(job))):
        raise SystemExit(f"keep_memory does nothing here: {setting.reason}")
    os.environ["STRIATE_MALLOC"] = "off"  # the command decides nothing by itself
    if job.steps:
        print(json.dumps(take_steps(*job.steps, images=job.images)))
        return
    from striate.cli import main

    sys.argv = ["striate", *words_of(job.command, run)]
    main()


def largest_of(job: Job) -> int:
    """The largest block that is kept: what the job's command keeps, by default what `keep_memory` does."""
    from striate.allocator import LARGEST_KEPT
    from striate.cli.app import KEEP_MEMORY

    return KEEP_MEMORY.get(job.command.partition(" ")[0], LARGEST_KEPT)


def take_steps(name: str, kind: str, steps: int, images: int) -> dict[str, Any]:
    """Steps of inference or training on random images; what they took, and a digest of what came out."""
    import torch

    from striate.models import create_model

    torch.manual_seed(0)
    model = create_model(name).to(memory_format=torch.channels_last)
    x = torch.randn(images // steps, 3, 224, 224).to(memory_format=torch.channels_last)
    y = torch.arange(len(x))
    optimizer = torch.optim.SGD(model.parameters(), 1e-3, momentum=0.9, fused=True)

    def infer() -> torch.Tensor:
        with torch.inference_mode():
            return model.eval()(x)

    def train() -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=kind == "bf16-mixed"):
            logits = model(x)
        torch.nn.functional.cross_entropy(logits.float(), y).backward()
        optimizer.step()
        optimizer.zero_grad()
        return logits.detach().float()

    step = infer if kind == "inference" else train
    for _ in range(WARM_UP):
        step()
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(steps):
        logits = step()
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": seconds,
        "user": after.ru_utime - before.ru_utime,
        "system": after.ru_stime - before.ru_stime,
        "digest": hashlib.sha256(logits.numpy().tobytes()).hexdigest(),
    }


class Contestant:
    """A job with one of the two settings: a call does it in a fresh process and returns its processor seconds."""

    def __init__(self, name: str, keep: bool, folder: Path) -> None:
        self.name, self.keep, self.folder = name, keep, folder
        self.figures: list[dict[str, Any]] = []

    def __call__(self) -> float:
        """Do it; note what it took."""
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch, tempfile.TemporaryFile("w+") as said:
            run = Path(scratch, "run")
            words = ["--child", self.name, "keep" if self.keep else "leave", str(run)]
            began = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, __file__, *words], stdout=said, stderr=subprocess.DEVNULL, cwd=self.folder
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            took: dict[str, Any] = {"seconds": time.perf_counter() - began}
            if process.returncode:
                raise SystemExit(f"{self.name} failed with exit code {process.returncode}")
            took |= {"user": usage.ru_utime, "system": usage.ru_stime, "peak": usage.ru_maxrss / 1000}
            said.seek(0)
            took |= json.loads(said.read()) if JOBS[self.name].steps else {"digest": digest(said.read(), run)}
        self.figures.append(took)
        return took["user"] + took["system"]

    def all(self, figure: str) -> list[float]:
        """A figure of every round."""
        return [took[figure] for took in self.figures]


def digest(said: str, run: Path) -> str:
    """The checksum of what a job has made: its model, else what it printed."""
    model = run / "model.safetensors"
    return hashlib.sha256(model.read_bytes() if model.exists() else said.encode()).hexdigest()


def compare(name: str, rounds: int, folder: Path, report: Report) -> list[str]:
    """One row of the table."""
    usual, kept = (Contestant(name, keep, folder) for keep in (False, True))
    contests: dict[str, Callable[[], float]] = {"usual": usual, "kept": kept}
    processor = alternate(contests, rounds, warm_up=0)
    gains = ratios(processor["usual"], processor["kept"])
    memory = median(kept.all("peak")) / median(usual.all("peak"))
    made = {took["digest"] for took in (*usual.figures, *kept.figures)}
    images = JOBS[name].images

    def both(figure: Callable[[Contestant], float], form: str) -> str:
        return f"{figure(usual):{form}} -> {figure(kept):{form}}"

    report.line(f"- {name}: gain of each round {each(gains)}")
    return [
        name,
        both(lambda one: median([images / seconds for seconds in one.all("seconds")]), ".1f") if images else "",
        both(lambda one: median(processor["kept" if one.keep else "usual"]), ".2f"),
        both(lambda one: median(one.all("system")), ".2f"),
        f"{median(gains):.2f}",
        both(lambda one: median(one.all("peak")), ".0f"),
        f"{memory:.2f}",
        "yes" if len(made) == 1 else "NO",
        "yes" if median(gains) >= GAIN and memory <= MEMORY else "no",
    ]


def possible(name: str) -> bool:
    """Whether a job can be measured here: bfloat16 takes minutes a step where the processor cannot multiply it."""
    steps = JOBS[name].steps
    return not steps or steps[1] != "bf16-mixed" or "avx512_bf16" in Path("/proc/cpuinfo").read_text()


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="jobs whose name begins so; all by default")
    parser.add_argument("--rounds", type=int, default=5, help="processes of each (5)")
    parser.add_argument("--child", nargs=3, metavar=("NAME", "SETTING", "RUN"), help="a child's work")
    parser.add_argument("--prepare", type=Path, metavar="FOLDER", help="a child's work, too")
    options = parser.parse_args()
    if options.child:
        name, setting, run = options.child
        work(JOBS[name], setting == "keep", Path(run))
        return
    if options.prepare:
        prepare(options.prepare)
        return
    wanted = [name for name in JOBS if name.startswith(tuple(options.jobs) or "")]
    names = [name for name in wanted if possible(name)]
    report = Report("Freed memory kept", options)
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    report.line(f"- Runs: {options.rounds} fresh processes of each, in turn; OMP_NUM_THREADS {threads}")
    for name in set(wanted) - set(names):
        report.line(f"- Not measured, since this processor does not multiply bfloat16: {name}")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, "--prepare", folder], check=True)
        rows = [compare(name, options.rounds, Path(folder), report) for name in names]
    header = ["job", "images/s", "processor s", "system s", "gain", "peak MB", "memory", "same bytes", "worth it"]
    report.table(header, rows)
    report.close()


if __name__ == "__main__":
    sys.exit(main())
