"""From a folder of photographs to a saved classifier of pretrained features, and how quick the features alone are.

    python bench/transfer_features.py

`striate train FOLDER --transfer features` is timed as a whole process: the first time, with nothing kept, and again on
the same folder. Then features are taken of the same pictures, already decoded, by the engine that was chosen and by
the same network in plain eager PyTorch, whose features are compared. MobileNet v2 and the shared flowers, with their
own division, unless said otherwise.
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

from common import Report, alternate, arguments, data, each, median, ratios
from views import weights

FILES = {
    "mobilenet_v2": "mobilenet_v2_imagenet.safetensors",
    "efficientnet_lite0": "efficientnet_lite0_imagenet.safetensors",
    "efficientnet_lite2": "efficientnet_lite2_imagenet.safetensors",
    "mobilenet_v1_0.75": "mobilenet_v1_0.75_192_imagenet.safetensors",
}
PICTURES, BATCH = 320, 32


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="mobilenet_v2", choices=FILES)
    options = parser.parse_args()
    report = Report(f"A classifier of {options.model}'s features", options, "openvino")
    with tempfile.TemporaryDirectory() as place, tarfile.open(data("flowers.tar")) as archive:
        archive.extractall(place, filter="data")
        folder, file = Path(place, "flowers"), weights(FILES[options.model])
        os.environ["STRIATE_CACHE"] = str(Path(place, "cache"))

        def train() -> tuple[float, float]:
            """Seconds, and validation accuracy."""
            run = Path(place, "run")
            shutil.rmtree(run, ignore_errors=True)
            words = ["train", folder, "--model", options.model, "--weights", file, "--transfer", "features"]
            words += ["--run", run, "--json", "--quiet"]
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "striate", *map(str, words)], check=True, capture_output=True, text=True
            )
            return time.perf_counter() - began, json.loads(done.stdout)["top1"]

        first, second, score = [], [], 0.0
        for _ in range(options.rounds):
            shutil.rmtree(Path(place, "cache"), ignore_errors=True)
            seconds, score = train()
            first.append(seconds)
            second.append(train()[0])
        speeds, chosen, off = extraction(folder, options)
    report.line(f"- Runs: {options.rounds} of each")
    report.table(
        ["folder to saved classifier, whole process", "seconds", "each"],
        [
            ["the first time", f"{median(first):.1f}", each(first, ".1f")],
            ["again on the same folder", f"{median(second):.1f}", each(second, ".1f")],
        ],
    )
    report.line(f"Validation accuracy {100 * score:.2f} % on 734 images.")
    report.table(
        ["features alone", "images/s", "each", "against plain eager"],
        [
            [name, f"{median(values):.0f}", each(values, ".0f"), f"{median(ratios(values, speeds['eager'])):.2f} x"]
            for name, values in speeds.items()
        ],
    )
    report.line(f"Engine: {chosen}. Features differ by {off:.1e} of the largest.")
    report.close()


def extraction(folder: Path, options) -> tuple[dict[str, list[float]], str, float]:
    """Images a second of the chosen engine and of plain eager PyTorch; the engine; how far their features differ."""
    import numpy as np
    import torch

    import striate
    from striate.engines import Frozen, choose
    from striate.models.embedding import Embedding

    classifier = striate.Classifier.pretrained(options.model, weights(FILES[options.model]))
    look = classifier.description.preprocessing
    dataset = striate.open_dataset(folder)
    pictures = np.stack([look(dataset.train.images.read(row)) for row in range(PICTURES)])
    network = Embedding(classifier.model).eval()
    chosen = choose(Frozen(network, look.normalise, look.size, 3, options.model), pictures, 20_000)
    plain = Embedding(striate.Classifier.pretrained(options.model, weights(FILES[options.model])).model).eval()
    plain = plain.to(memory_format=torch.contiguous_format)

    @torch.no_grad()
    def eager(batch: np.ndarray) -> np.ndarray:
        images = torch.from_numpy(batch).permute(0, 3, 1, 2).contiguous()
        return plain(look.normalise(images)).numpy()

    found = {}

    def timed(name, run):
        def contest() -> float:
            began = time.perf_counter()
            found[name] = np.concatenate([run(pictures[at : at + BATCH]) for at in range(0, PICTURES, BATCH)])
            return PICTURES / (time.perf_counter() - began)

        return contest

    speeds = alternate({"eager": timed("eager", eager), "chosen": timed("chosen", chosen.engine)}, 5)
    off = float(np.abs(found["chosen"] - found["eager"]).max() / np.abs(found["eager"]).max())
    return speeds, chosen.engine.name, off


if __name__ == "__main__":
    main()
