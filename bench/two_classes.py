"""A small folder of two classes without any option: how good the classifier is on hundreds of others, for every pair.

    python bench/two_classes.py

From each pair of the shared flowers' five classes 122 photographs of each make the folder, the size of the lectures'
small folders, and `striate train FOLDER` is all that is asked. It sets some of them aside to validate; what it says of
these few stands beside what is true of all that were not in the folder. Beside it, what one would do by hand: MobileNet
v2's features of the whole folder by plain PyTorch and scikit-learn's logistic regression, with nothing set aside.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from common import Report, arguments, data
from views import weights

PICTURES, FILE = 122, "mobilenet_v2_imagenet.safetensors"


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--pairs", type=int, help="only the first so many of the ten pairs")
    options = parser.parse_args()
    report = Report("Two classes of 122 photographs, without any option", options, "scikit-learn", "openvino")
    os.environ["STRIATE_WEIGHTS"] = str(weights(FILE).parent)
    rows, ours, hand = [], [], []
    with tempfile.TemporaryDirectory() as place, tarfile.open(data("flowers.tar")) as archive:
        archive.extractall(place, filter="data")
        flowers = Path(place, "flowers")
        vectors = features(flowers)
        names = sorted(folder.name for folder in (flowers / "train").iterdir())
        for pair in itertools.islice(itertools.combinations(names, 2), options.pairs):
            folder, others = divide(flowers, Path(place, "-".join(pair)), pair)
            seconds, told, found = by_command(folder, others)
            ours.append(found["top1"])
            hand.append(by_hand(folder, others, vectors))
            said = f"{100 * told['top1']:.1f} of {told['images']}"
            row = [" ".join(pair), taken(folder.parent / "run"), f"{seconds:.1f}", said, f"{found['images']:,}"]
            rows.append([*row, f"{100 * ours[-1]:.1f}", f"{100 * hand[-1]:.1f}"])
            print(" | ".join(rows[-1]), flush=True)
    report.line("- Runs: one of each pair, each with an empty cache")
    heads = ["classes", "network taken", "seconds", "validation %", "others", "true % of them", "by hand %"]
    report.table(heads, rows)
    mean, by = (100 * sum(each) / len(each) for each in (ours, hand))
    report.line(f"Mean on the others: {mean:.2f} % without an option, {by:.2f} % by hand.")
    report.close()


def divide(flowers: Path, place: Path, pair: tuple[str, ...]) -> tuple[Path, Path]:
    """The folder of the first photographs of each class, and that of all others."""
    folder, others = place / "photos", place / "others"
    for name in pair:
        pictures = sorted((flowers / "train" / name).iterdir())
        rest = [*pictures[PICTURES:], *(flowers / "val" / name).iterdir()]
        for where, files in ((folder / name, pictures[:PICTURES]), (others / "test" / name, rest)):
            where.mkdir(parents=True)
            for file in files:
                os.link(file, where / file.name)
    return folder, others


def by_command(folder: Path, others: Path) -> tuple[float, dict, dict]:
    """Seconds of the whole command, what it says of its validation images, and what is true of the others."""
    run = folder.parent / "run"
    os.environ["STRIATE_CACHE"] = str(folder.parent / "cache")
    began = time.perf_counter()
    told = striate("train", folder, "--run", run)
    seconds = time.perf_counter() - began
    return seconds, told, striate("evaluate", run, others)


def taken(run: Path) -> str:
    """The network that a run chose."""
    return json.loads((run / "config.json").read_text())["network"]["name"]


def striate(*words: object) -> dict:
    """What a command says as JSON."""
    command = [sys.executable, "-m", "striate", *map(str, words), "--json", "--quiet"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def features(flowers: Path) -> dict[str, list[float]]:
    """MobileNet v2's features of every photograph by its file's name, as the tutorials take them."""
    import torch
    from PIL import Image
    from torchvision.transforms import functional as F

    from striate import Classifier
    from striate.models.embedding import Embedding

    classifier = Classifier.pretrained("mobilenet_v2", weights(FILE))
    network, look = Embedding(classifier.model).eval(), classifier.description.preprocessing
    found: dict[str, list[float]] = {}
    files = sorted(flowers.glob("*/*/*"))
    for at in range(0, len(files), 32):
        batch = []
        for file in files[at : at + 32]:
            with Image.open(file) as picture:
                small = F.center_crop(F.resize(picture.convert("RGB"), 256), [224, 224])
            batch.append(F.pil_to_tensor(small))
        with torch.no_grad():
            vectors = network(look.normalise(torch.stack(batch)))
        found |= zip([file.name for file in files[at : at + 32]], vectors.tolist(), strict=True)
    return found


def by_hand(folder: Path, others: Path, vectors: dict[str, list[float]]) -> float:
    """Accuracy on the others of a logistic regression on the features of the whole folder."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def of(place: Path) -> tuple[list[list[float]], list[str]]:
        files = sorted(place.glob("*/*"))
        return [vectors[file.name] for file in files], [file.parent.name for file in files]

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    return float(model.fit(*of(folder)).score(*of(others / "test")))


if __name__ == "__main__":
    main()
