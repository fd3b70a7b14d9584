"""How long advice on the shared flowers takes, by five networks; and a folder of two classes, without any option.

    python bench/advise.py

Each is a process of its own with an empty cache, imports included. The folder of two classes has 122 photographs of
each, and no option is given.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from common import Report, alternate, arguments, data, each, median
from views import weights

TWO, PICTURES = ("roses", "tulips"), 122


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    report = Report("Advice, and a small folder without options", options, "openvino")
    os.environ["STRIATE_WEIGHTS"] = str(weights("mobilenet_v2_imagenet.safetensors").parent)
    told: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as place, tarfile.open(data("flowers.tar")) as archive:
        archive.extractall(place, filter="data")
        flowers, two = Path(place, "flowers"), Path(place, "two")
        for name in TWO:
            (two / name).mkdir(parents=True)
            for picture in sorted((flowers / "train" / name).iterdir())[:PICTURES]:
                os.link(picture, two / name / picture.name)

        def timed(*words: object) -> float:
            os.environ["STRIATE_CACHE"] = str(Path(place, "cache"))
            shutil.rmtree(os.environ["STRIATE_CACHE"], ignore_errors=True)
            shutil.rmtree(Path(place, "run"), ignore_errors=True)
            command = [sys.executable, "-m", "striate", *map(str, words), "--json"]
            began = time.perf_counter()
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            seconds = time.perf_counter() - began
            told[str(words[0])] = json.loads(done.stdout)
            return seconds

        contestants = {
            "advise, five networks": lambda: timed("advise", flowers),
            "train, two classes": lambda: timed("train", two, "--run", Path(place, "run")),
        }
        seconds = alternate(contestants, options.rounds, warm_up=0)
    report.line(f"- Runs: {options.rounds} of each, alternating, each with an empty cache")
    rows = [[name, f"{median(values):.1f}", each(values, ".1f")] for name, values in seconds.items()]
    report.table(["", "seconds, whole process", "each"], rows)
    rows = [
        [
            one["network"],
            f"{100 * one['accuracy']:.1f}",
            " to ".join(f"{100 * end:.1f}" for end in one["interval"]),
            f"{100 * one['forecast']['accuracy']:.1f}",
            " to ".join(f"{100 * end:.1f}" for end in one["forecast"]["interval"]),
        ]
        for one in told["advise"]["networks"]
    ]
    report.table(["network", "probe %", "95 %", "forecast of all %", "95 %"], rows)
    report.line(
        f"Accuracy of the classifier of two classes: {100 * told['train']['top1']:.1f} % on its validation images."
    )
    report.close()


if __name__ == "__main__":
    main()
