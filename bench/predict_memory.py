"""Peak memory of `striate predict` on thin, huge and bomb images.

    python bench/predict_memory.py

Every file is given to a process of its own, whose largest resident size the kernel tells. The bombs have nearly
Pillow's limit of 89,478,485 pixels, the largest what `striate.data.unreadable` allows their format.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

LIMIT = 1_000  # MB
SIDE = 9459  # squared, just below the limit of pixels

Image.MAX_IMAGE_PIXELS = None  # this process writes what the other is to refuse


def blank(mode: str, width: int = SIDE, height: int = SIDE) -> Image.Image:
    return Image.new(mode, (width, height))


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


FILES: dict[str, Callable[[Path], object]] = {
    "thin_20000x1.png": lambda path: blank("RGB", 20000, 1).save(path),
    "thin_1x20000.png": lambda path: blank("RGB", 1, 20000).save(path),
    "thin_65000x2.png": lambda path: blank("RGB", 65000, 2).save(path),
    "thin_900x1.png": lambda path: blank("RGB", 900, 1).save(path),
    "thin_1x900.png": lambda path: blank("RGB", 1, 900).save(path),
    "thin_60000x70.jpg": lambda path: blank("RGB", 60000, 70).save(path),
    "thin_70x60000.tif": lambda path: blank("RGB", 70, 60000).save(path),
    "huge_20000x20000.png": lambda path: blank("1", 20000, 20000).save(path),
    "huge_20000x20000.gif": lambda path: blank("P", 20000, 20000).save(path),
    "huge_20000x20000.jpg": lambda path: blank("L", 20000, 20000).save(path),
    "huge_16383x16383.webp": lambda path: blank("RGB", 16383, 16383).save(path, lossless=True),
    "huge_20000x20000.tif": lambda path: blank("1", 20000, 20000).save(path, compression="group4"),
    "bomb_grey.png": lambda path: blank("L").save(path),
    "bomb_rgb.png": lambda path: blank("RGB").save(path),
    "bomb_rgba.png": lambda path: blank("RGBA").save(path),
    "bomb_grey_alpha.png": lambda path: blank("LA").save(path),
    "bomb_palette.png": lambda path: blank("P").save(path),
    "bomb_bilevel.png": lambda path: blank("1").save(path),
    "bomb_16bit.png": lambda path: blank("I;16").save(path),
    "bomb_transparent_colour.png": lambda path: blank("RGB").save(path, transparency=(0, 0, 0)),
    "bomb_turned.png": lambda path: blank("RGB").save(path, exif=turned()),
    "bomb_grey.jpg": lambda path: blank("L").save(path),
    "bomb_rgb.jpg": lambda path: blank("RGB").save(path),
    "bomb_progressive.jpg": lambda path: blank("RGB").save(path, progressive=True),
    "bomb_cmyk.jpg": lambda path: blank("CMYK").save(path),
    "bomb_turned.jpg": lambda path: blank("RGB").save(path, exif=turned()),
    "bomb.gif": lambda path: blank("P").save(path),
    "bomb.bmp": lambda path: blank("1").save(path),
    "bomb_lossless.webp": lambda path: blank("RGBA").save(path, lossless=True),
    "bomb_lzw.tif": lambda path: blank("RGB").save(path, compression="tiff_lzw"),
    "bomb_deflate.tif": lambda path: blank("RGB").save(path, compression="tiff_adobe_deflate"),
    "bomb_jpeg.tif": lambda path: blank("RGB").save(path, compression="jpeg"),
    "bomb_float.tif": lambda path: blank("F").save(path, compression="tiff_lzw"),
    "largest_rgb.png": lambda path: blank("RGB", 6200, 6200).save(path),
    "largest_rgba.png": lambda path: blank("RGBA", 6200, 6200).save(path),
    "phone_12000x9000.jpg": lambda path: blank("RGB", 12000, 9000).save(path),
    "shrunk_13300x13300.jpg": lambda path: blank("RGB", 13300, 13300).save(path),
    "shrunk_progressive_8000x6000.jpg": lambda path: blank("RGB", 8000, 6000).save(path, progressive=True),
    "largest_rgb.jpg": lambda path: blank("RGB", 7600, 7600).save(path),
    "largest_progressive.jpg": lambda path: blank("RGB", 5100, 5100).save(path, progressive=True),
    "largest_turned.jpg": lambda path: blank("RGB", 6000, 6000).save(path, exif=turned()),
    "largest_cmyk.jpg": lambda path: blank("CMYK", 5700, 5700).save(path),
    "largest.webp": lambda path: blank("RGB", 4100, 4100).save(path),
    "largest.jp2": lambda path: blank("RGB", 3800, 3800).save(path),
    "largest.avif": lambda path: blank("RGB", 4900, 4900).save(path, speed=10),
    "bomb.jp2": lambda path: blank("RGB", 6000, 6000).save(path),
    "bomb.avif": lambda path: blank("RGB", 8000, 8000).save(path, speed=10),
    "bomb.npy": lambda path: np.save(path, np.zeros((SIDE, SIDE, 3), np.uint8)),
    "bomb_13_bands.npy": lambda path: np.save(path, np.zeros((4500, 4500, 13), np.uint8)),
}


def apart(write: Callable[[Path], object], path: Path) -> None:
    """Write a file in a process of its own: what this one has ever held would count for its children too."""
    child = os.fork()
    if child == 0:
        write(path)
        os._exit(0)
    os.waitpid(child, 0)


def predict(model: Path, *files: Path) -> tuple[int, float, float, str]:
    """Exit code, peak memory (MB), seconds and the first line of what was said."""
    command = [sys.executable, "-m", "striate", "predict", str(model), *map(str, files)]
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        line = next(iter(said), "").strip()
    return process.returncode, usage.ru_maxrss / 1000, time.perf_counter() - began, line


def make_model(folder: Path) -> Path:
    """A run that has seen a few pictures; ResNet-18 at 224 pixels."""
    for label, name in enumerate(("dark", "light")):
        (folder / "pictures" / name).mkdir(parents=True)
        for number in range(8):
            value = 40 + 150 * label + number
            Image.new("RGB", (48, 48), (value, value, value)).save(folder / "pictures" / name / f"{number}.png")
    run = folder / "run"
    command = [sys.executable, "-m", "striate", "train", folder / "pictures", "--model", "resnet18", "--size", "224"]
    options = ["--epochs", "1", "--batch-size", "4", "--workers", "0", "--run", run, "--quiet"]
    subprocess.run([*map(str, command), *map(str, options)], check=True, capture_output=True)
    return run


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = make_model(folder)
        sample = folder / "pictures" / "dark" / "0.png"
        worst = 0.0
        print(f"{'file':30} {'MB':>6} {'s':>6}  outcome")
        for file, write in {"an ordinary picture": None, **FILES}.items():
            path = sample if write is None else folder / file
            if write is not None:
                apart(write, path)
            code, memory, seconds, line = predict(model, path)
            outcome = line.replace(str(folder) + "/", "").removeprefix("striate: ")
            print(f"{file:30} {memory:6.0f} {seconds:6.1f}  {code}: {outcome[:90]}", flush=True)
            worst = max(worst, memory)
            if write is not None and not file.startswith(("thin", "huge")):
                path.unlink()
        rest = [path for path in sorted(folder.iterdir()) if path.is_file()]
        code, memory, seconds, _ = predict(model, *rest, sample)
        print(f"{'thin, huge and ordinary at once':30} {memory:6.0f} {seconds:6.1f}  {code}")
        print(f"worst: {max(worst, memory):,.0f} MB of {LIMIT:,} MB")


if __name__ == "__main__":
    main()
