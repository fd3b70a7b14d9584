"""Damaged files of many formats through `striate check`, `predict` and `train`.

    python bench/damaged_files.py [--files 2000] [--seed 0]

Small sound pictures are truncated, flipped in bits, zeroed in runs, robbed of bytes, given swapped pieces, other
sizes in the header, joined or filled with noise, decided by the seed. Each is judged by Pillow (opened and loaded as
it comes) and must not be taken where Pillow refuses it. The commands must leave no traceback, no raw line of a library,
and must not hang.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from striate.data.listen import listen

warnings.simplefilter("ignore")
SIZE = (64, 48)


def picture(mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Smooth colours with a little noise."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    planes = [127 + 90 * np.sin(x / (7 + c + seed % 5)) * np.cos(y / (9 + c)) for c in range(3)]
    noise = np.random.default_rng(seed).normal(0, 8, (SIZE[1], SIZE[0], 3))
    return Image.fromarray(np.clip(np.stack(planes, axis=2) + noise, 0, 255).astype(np.uint8)).convert(mode)


def encoded(format: str, mode: str = "RGB", **options: object) -> Callable[[int], bytes]:
    def make(seed: int) -> bytes:
        stream = io.BytesIO()
        picture(mode, seed).save(stream, format, **options)
        return stream.getvalue()

    return make


def array(seed: int) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(picture(seed=seed)))
    return stream.getvalue()


SOUND: dict[str, Callable[[int], bytes]] = {
    "baseline.jpg": encoded("JPEG"),
    "optimised.jpg": encoded("JPEG", optimize=True, subsampling=0),
    "progressive.jpg": encoded("JPEG", progressive=True),
    "restarts.jpg": encoded("JPEG", restart_marker_blocks=3),
    "cmyk.jpg": encoded("JPEG", "CMYK"),
    "rgb.png": encoded("PNG"),
    "palette.png": encoded("PNG", "P"),
    "gif.gif": encoded("GIF", "P"),
    "lossy.webp": encoded("WEBP"),
    "lossless.webp": encoded("WEBP", lossless=True),
    "bmp.bmp": encoded("BMP"),
    "raw.tif": encoded("TIFF"),
    "lzw.tif": encoded("TIFF", compression="tiff_lzw"),
    "deflate.tif": encoded("TIFF", compression="tiff_adobe_deflate"),
    "packbits.tif": encoded("TIFF", compression="packbits"),
    "jpeg.tif": encoded("TIFF", compression="jpeg"),
    "fax.tif": encoded("TIFF", "1", compression="group4"),
    "ppm.ppm": encoded("PPM"),
    "jp2.jp2": encoded("JPEG2000"),
    "avif.avif": encoded("AVIF", speed=10),
    "ico.ico": encoded("ICO"),
    "npy.npy": array,
}


def truncate(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(1, len(data))]


def flip(data: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(chance.choice((1, 1, 3, 20))):
        damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def zero(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    length = min(len(data) - start, chance.choice((8, 64, 512)))
    return data[:start] + bytes(length) + data[start + length :]


def lose(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.choice((1, 16, 300)) :]


def swap(data: bytes, chance: random.Random) -> bytes:
    first, second, third = sorted(chance.randrange(len(data)) for _ in range(3))
    return data[:first] + data[second:third] + data[first:second] + data[third:]


def enlarge(data: bytes, chance: random.Random) -> bytes:
    """Other numbers where the header holds width or height."""
    places = [
        place
        for size in SIZE
        for kind, width in (("big", 2), ("little", 2), ("big", 4), ("little", 4))
        for place in [data.find(size.to_bytes(width, kind), 4, 400)]  # type: ignore[arg-type]
        if place > 0
    ]
    place = chance.choice(places or [8])
    return data[:place] + chance.choice((b"\xff\xff", b"\x7f\xff", b"\x00\x00", b"\x4e\x20")) + data[place + 2 :]


def join(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) // 2, len(data))] + data


def scramble(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    length = min(len(data) - start, 40)
    return data[:start] + chance.randbytes(length) + data[start + length :]


DAMAGE = (truncate, flip, zero, lose, swap, enlarge, join, scramble)


def files(count: int, seed: int) -> list[tuple[str, str, bytes]]:
    """Format, kind of damage and content of so many files."""
    chance = random.Random(seed)
    kinds = list(SOUND.items())
    made = []
    for number in range(count):
        name, make = kinds[number % len(kinds)]
        damage = DAMAGE[number // len(kinds) % len(DAMAGE)]
        made.append((name, damage.__name__, damage(make(number % 7), chance)))
    return made


def pillow_takes(data: bytes) -> bool:
    def load() -> bool:
        try:
            with Image.open(io.BytesIO(data)) as image:
                image.load()
            return True
        except Exception:
            return False

    return listen(load)[0]  # libtiff prints


def raw_lines(text: str) -> list[str]:
    """Lines on standard error that are not ours."""
    return [line for line in text.splitlines() if line and not line.startswith("striate: ")]


def command(*words: object, seconds: int = 900) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "striate", *map(str, words)], capture_output=True, text=True, timeout=seconds
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    made = files(options.files, options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label in ("one", "two"):
            (folder / "pictures" / label).mkdir(parents=True)
            for number in range(12):
                picture(seed=number).save(folder / "pictures" / label / f"sound_{number}.png")
        paths = []
        for number, (kind, damage, data) in enumerate(made):
            stem, extension = kind.split(".")
            path = folder / "pictures" / ("one", "two")[number % 2] / f"{number:05}_{stem}_{damage}.{extension}"
            path.write_bytes(data)
            paths.append(path)
        run = folder / "run"
        trained = command(
            "train", folder / "pictures", "--model", "lenet5", "--size", 32, "--epochs", 1, "--run", run, "--workers", 2
        )
        checked = command("check", folder / "pictures", "--json", "--skipped", folder / "skipped.csv")
        began = time.perf_counter()
        predicted = command("predict", run, folder / "pictures", "--json")
        seconds = time.perf_counter() - began
        predictions = {entry["name"]: entry for entry in json.loads(predicted.stdout)["predictions"]}
        table: Counter[tuple[str, str]] = Counter()
        wrong = []
        for path, (kind, damage, data) in zip(paths, made, strict=True):
            entry = predictions.get(str(path), {"error": "not listed"})
            taken, sound = "error" not in entry or not entry["error"], pillow_takes(data)
            table[kind, "files"] += 1
            table[kind, "refused"] += not taken
            table[kind, "refused though Pillow takes it"] += not taken and sound
            if taken and not sound and kind != "npy.npy":
                table[kind, "taken though Pillow refuses it"] += 1
                wrong.append((path, damage))
        columns = ("files", "refused", "refused though Pillow takes it", "taken though Pillow refuses it")
        print("| format | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
        for kind in SOUND:
            print(f"| {kind} | " + " | ".join(str(table[kind, column]) for column in columns) + " |")
        print("| all | " + " | ".join(str(sum(table[kind, c] for kind in SOUND)) for c in columns) + " |\n")
        for word, process in (("train", trained), ("check", checked), ("predict", predicted)):
            raw = raw_lines(process.stderr) if word != "train" else []
            tracebacks = process.stderr.count("Traceback") + process.stdout.count("Traceback")
            print(f"- {word}: exit code {process.returncode}, {tracebacks} tracebacks, {len(raw)} raw lines", *raw[:5])
        noisy = [line for line in trained.stderr.splitlines() if "JPEG" in line or "TIFF" in line or "Warning" in line]
        print(f"- train: {len(noisy)} lines of libraries", *noisy[:5])
        print(f"- predict took {seconds:.1f} s for {len(predictions):,} files")
        keep = Path(tempfile.gettempdir()) / "striate-damaged"
        for path, damage in wrong:
            keep.mkdir(exist_ok=True)
            (keep / path.name).write_bytes(path.read_bytes())
            print("taken though refused:", path.name, damage)


if __name__ == "__main__":
    main()
