"""Training, evaluation and prediction of two checkouts of striate, in turn: images a second and peak memory.

    python bench/versus.py OTHER [--rounds 3] [JOB ...]

OTHER is the folder of another checkout (`git worktree add OTHER COMMIT`); ratios are this one's over that one's, round
by round. Every figure is of a fresh process that does what the command of the same name does, freed memory kept where
the command keeps it; timed is the work alone (of training its epoch, by timing.csv), without the imports. The
photographs are those of flowers.tar, those evaluated and predicted none of those trained on; the weights are MobileNet
v2's in `$STRIATE_WEIGHTS`, else in ../shared/weights.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import BENCH, Report, alternate, arguments, data, each, median, ratios, skip

HERE = BENCH.parent
PICTURES = 240
#: What the child does: a training with these settings, or a use of the classifier that was prepared.
TRAININGS: dict[str, dict[str, Any]] = {
    "train, frozen MobileNet v2": {"model": "mobilenet_v2", "weights": True, "freeze": "all"},
    "train, all of MobileNet v2": {"model": "mobilenet_v2", "weights": True, "recipe": "finetune", "size": 160},
    "train, ResNet-18": {"model": "resnet18", "recipe": "photos", "size": 128},
    "train, LeNet-5 on MNIST": {"model": "lenet5", "source": "mnist"},
}
USES = ("evaluate, MobileNet v2", "predict, a folder")
JOBS = (*TRAININGS, *USES)


def weights() -> Path:
    """MobileNet v2's weights."""
    path = Path(os.environ.get("STRIATE_WEIGHTS", HERE.parent / "shared" / "weights"))
    if not (path / "mobilenet_v2_imagenet.safetensors").exists():
        skip(f"there is no {path}/mobilenet_v2_imagenet.safetensors (set STRIATE_WEIGHTS)")
    return path / "mobilenet_v2_imagenet.safetensors"


def work(job: str, folder: Path) -> dict[str, float]:
    """A child's work: do a job with the striate that is on the path; its seconds and images."""
    import csv

    import striate

    if keep := getattr(striate, "keep_memory", None):
        from striate.cli.app import KEEP_MEMORY

        keep(KEEP_MEMORY[job.partition(",")[0]])
    if job in USES:
        classifier = striate.load(folder / "run")
        began = time.perf_counter()
        found = classifier.evaluate(folder / "others") if job == USES[0] else classifier.predict(folder / "others")
        return {"seconds": time.perf_counter() - began, "images": len(found)}
    settings = dict(TRAININGS[job])
    source = data("mnist", "MNIST", "raw") if settings.pop("source", "") else folder / "photos"
    given = {"weights": weights()} if settings.pop("weights", False) else {}
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        run = Path(scratch) / "run"
        fixed = {"epochs": 1, "val_fraction": 0.2, "precision": "32", "workers": 0, "run": run, "quiet": True}
        striate.train(source, **settings, **given, **fixed, report=False)
        (row,) = csv.DictReader((run / "timing.csv").open(encoding="utf-8"))
    seconds = float(row["seconds"])
    return {"seconds": seconds, "images": seconds * float(row["images_per_second"])}


class Checkout:
    """One of the two: a call does a job in a fresh process and returns its images a second."""

    def __init__(self, folder: Path, job: str, work_in: Path) -> None:
        self.folder, self.job, self.work_in = folder, job, work_in
        self.peaks: list[float] = []

    def __call__(self) -> float:
        """Do it; note the peak memory, MB."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder / "src")}
        words = [sys.executable, __file__, "-", "--child", self.job, str(self.work_in)]
        process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{self.job} in {self.folder} failed with exit code {process.returncode}")
        figures = json.loads(said.strip().splitlines()[-1])
        self.peaks.append(usage.ru_maxrss / 1000)
        return figures["images"] / figures["seconds"]


def prepare(folder: Path) -> None:
    """Lay out the pictures, and train the run that is used."""
    import tarfile

    import striate

    with tarfile.open(data("flowers.tar")) as tar:
        tar.extractall(folder, filter="data")
    for label in sorted((folder / "flowers" / "train").iterdir()):
        each_class, pictures = PICTURES // 5, sorted(label.iterdir())
        for name, chosen in (("photos", pictures[:each_class]), ("others", pictures[each_class : 2 * each_class])):
            (folder / name / label.name).mkdir(parents=True)
            for number, path in enumerate(chosen):
                (folder / name / label.name / f"{number}.jpg").write_bytes(path.read_bytes())
    settings = {"weights": weights(), "freeze": "all", "epochs": 1, "run": folder / "run", "quiet": True}
    striate.train(folder / "photos", model="mobilenet_v2", **settings, report=False)


def compare(job: str, other: Path, rounds: int, folder: Path, report: Report) -> list[str]:
    """One row of the table."""
    contests: dict[str, Callable[[], float]] = {
        "other": Checkout(other, job, folder),
        "this": Checkout(HERE, job, folder),
    }
    speeds = alternate(contests, rounds, warm_up=0)
    gains = ratios(speeds["this"], speeds["other"])
    peaks = {name: median(contest.peaks) for name, contest in contests.items()}  # type: ignore[attr-defined]
    report.line(f"- {job}: ratio of each round {each(gains)}")
    return [
        job,
        f"{median(speeds['other']):.1f} -> {median(speeds['this']):.1f}",
        f"{median(gains):.2f}",
        f"{peaks['other']:.0f} -> {peaks['this']:.0f}",
        f"{peaks['this'] / peaks['other']:.2f}",
    ]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("other", metavar="OTHER", help="the folder of another checkout")
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="jobs whose name begins so; all by default")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each (3)")
    parser.add_argument("--child", nargs=2, metavar=("JOB", "FOLDER"), help="a child's work")
    parser.add_argument("--prepare", type=Path, metavar="FOLDER", help="a child's work, too")
    options = parser.parse_args()
    if options.child:
        print(json.dumps(work(options.child[0], Path(options.child[1]))))
        return
    if options.prepare:
        prepare(options.prepare)
        return
    sys.argv = ["OTHER" if word == options.other else word for word in sys.argv]  # where it lies is nobody's business
    report = Report("Two checkouts in turn", options)
    other = Path(options.other).resolve()
    commits = [
        subprocess.run(["git", "-C", folder, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout
        for folder in (other, HERE)
    ]
    report.line(f"- Commits: {' against '.join(commit.strip() for commit in reversed(commits))}")
    report.line(f"- Runs: {options.rounds} fresh processes of each, in turn")
    with tempfile.TemporaryDirectory() as place:
        environment = {**os.environ, "PYTHONPATH": str(other / "src")}  # its run can be read by both
        subprocess.run([sys.executable, __file__, "-", "--prepare", place], check=True, env=environment)
        wanted = [job for job in JOBS if job.startswith(tuple(options.jobs) or "")]
        rows = [compare(job, other, options.rounds, Path(place), report) for job in wanted]
    report.table(["job", "images/s", "ratio", "peak MB", "ratio"], rows)
    report.close()


if __name__ == "__main__":
    main()
