"""How quickly pictures are read from a folder, a zip, a tar and Parquet shards, and what shards take of memory.

    python bench/sources.py [--rounds 5] [--gigabytes 1]

The flowers of the shared data are packed in each way; a process of its own reads all of them in a shuffled order, as an
epoch does, once with nothing but the bytes and once decoded as for training at 224 pixels. Forms alternate. Then a
Parquet set made large is opened and read in place, and the kernel tells the process's largest resident size; the
same with all bytes in memory, for comparison.
"""

from __future__ import annotations

import json
import resource
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

from common import BENCH, Report, arguments, child, data, each, median, ratios

FORMS = ("folder", "zip", "tar", "Parquet in place", "Parquet in memory")
#: Pictures of a row group, as Hugging Face's `datasets` has written them.
GROUP = 100


def pack(folder: Path, place: Path) -> dict[str, Path]:
    """The same pictures in each form."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = sorted(file for file in folder.rglob("*") if file.suffix == ".jpg")
    with (
        zipfile.ZipFile(place / "a.zip", "w", zipfile.ZIP_STORED, strict_timestamps=False) as zipped,
        tarfile.open(place / "a.tar", "w") as tarred,
    ):
        for file in files:
            zipped.write(file, file.relative_to(folder).as_posix())
            tarred.add(file, file.relative_to(folder).as_posix())
    (place / "shards").mkdir()
    for shard in range(4):
        own = files[shard::4]
        table = pa.table({"image": [file.read_bytes() for file in own], "label": [file.parent.name for file in own]})
        pq.write_table(table, place / "shards" / f"train-{shard:05d}-of-00004.parquet", row_group_size=GROUP)
    shards = place / "shards"
    return dict(zip(FORMS, (folder, place / "a.zip", place / "a.tar", shards, shards), strict=True))


def make_large(folder: Path, place: Path, gigabytes: float) -> Path:
    """Shards of so many gigabytes of pictures, each one's bytes its own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    contents = [(file.read_bytes(), file.parent.name) for file in sorted(folder.rglob("*.jpg"))]
    size, count, shard = 0, 0, 0
    while size < gigabytes * 1e9:
        rows = [
            (content + count.to_bytes(8, "big") + bytes([row % 256]), label)
            for row, (content, label) in enumerate(contents)
        ]
        table = pa.table({"image": [row[0] for row in rows], "label": [row[1] for row in rows]})
        path = place / f"train-{shard:05d}.parquet"
        pq.write_table(table, path, row_group_size=GROUP)
        size, count, shard = size + path.stat().st_size, count + 1, shard + 1
    return place


def read_all(source: str, form: str, decoded: str) -> dict[str, float]:
    """Pictures a second of one shuffled pass."""
    import numpy as np

    from striate.data import Preprocessing, open_dataset
    from striate.data.decode import read_file

    dataset = open_dataset(source, val_fraction=0, memory_limit=1 << 40 if form == "Parquet in memory" else 0)
    images = getattr(dataset.train.images, "source", dataset.train.images)
    order = np.random.default_rng(0).permutation(len(images)).tolist()
    look = Preprocessing((224, 224), 3, mean=(0.5,) * 3, std=(0.25,) * 3)
    began = time.perf_counter()
    for row in order:
        if decoded == "decoded":
            look(images.read(row, look.serving))
        elif hasattr(images, "paths"):
            read_file(images.paths[row])
        else:
            bytes(images.encoded[row])
    return {"speed": len(order) / (time.perf_counter() - began)}


def peak(source: str, limit: str) -> dict[str, float]:
    """Megabytes of a process that opens a set and reads a thousand of its pictures."""
    import numpy as np

    from striate.data import open_dataset

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    dataset = open_dataset(source, val_fraction=0, memory_limit=int(limit))
    began = time.perf_counter()
    for row in np.random.default_rng(0).integers(0, len(dataset.train), 1000).tolist():
        dataset.train.images.read(row)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"imports": before / 1e3, "peak": after / 1e3, "images": len(dataset.train), "speed": 1000 / seconds}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    options = parser.parse_args()
    report = Report("Sources of images", options, "pyarrow", "opencv-python-headless")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "folder"
        with tarfile.open(data("flowers.tar")) as tar:
            tar.extractall(folder, filter="data")
        folder = folder / "flowers" / "train"
        forms = pack(folder, Path(place))
        for decoded in ("bytes", "decoded"):
            speeds: dict[str, list[float]] = {form: [] for form in FORMS}
            for _ in range(options.rounds):
                for form, source in forms.items():
                    speeds[form].append(_child("read", source, form, decoded)["speed"])
            report.table(
                [f"one pass, shuffled, {decoded}", "images/s", "each", "against the folder"],
                [
                    [
                        form,
                        f"{median(values):,.0f}",
                        each(values, ",.0f"),
                        f"{median(ratios(values, speeds['folder'])):.2f} x",
                    ]
                    for form, values in speeds.items()
                ],
            )
        large = Path(place) / "large"
        large.mkdir()
        make_large(folder, large, options.gigabytes)
        size = sum(file.stat().st_size for file in large.iterdir())
        rows = []
        for name, limit in (("in place", 0), ("in memory", 1 << 40)):
            found = _child("peak", large, str(limit))
            rows.append([name, f"{found['imports']:,.0f} MB", f"{found['peak']:,.0f} MB", f"{found['speed']:,.0f}"])
        report.table([f"Parquet of {size / 1e9:.1f} GB", "imports", "peak", "images/s at random"], rows)
    report.close()


def _against(values: list[float], others: list[float]) -> float:
    return median(ratios(values, others))


def _child(*words: object) -> dict[str, float]:
    return child(str(BENCH / "sources.py"), *words, OMP_NUM_THREADS="1")


if __name__ == "__main__":
    if sys.argv[1:2] == ["read"]:
        print(json.dumps(read_all(*sys.argv[2:5])))
    elif sys.argv[1:2] == ["peak"]:
        print(json.dumps(peak(*sys.argv[2:4])))
    else:
        main()
