"""A folder of 200 pictures with twelve kinds of fault planted in it, and what each of them is."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

#: Images by split and class, faults among them; the fourth class is an empty folder.
COUNTS = {("train", "blue"): 55, ("train", "green"): 55, ("train", "red"): 55}
VAL = 11
TINTS = {"blue": (0.3, 0.5, 1.0), "green": (0.35, 1.0, 0.4), "red": (1.0, 0.35, 0.3)}


def picture(seed: int, tint: str, size: tuple[int, int] = (96, 128)) -> np.ndarray:
    """A cloudy picture like no other, uint8 (H, W, 3), of one colour mostly."""
    rng, (height, width) = np.random.default_rng(seed), size
    grey = np.zeros(size, np.float32)
    for cells, weight in ((3, 0.5), (7, 0.3), (19, 0.2)):
        coarse = rng.random((cells, cells), dtype=np.float32)
        grey += weight * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    grey = (grey - grey.min()) / np.ptp(grey)
    return (255 * grey[:, :, None] * np.array(TINTS[tint], np.float32)).clip(0, 255).astype(np.uint8)


def make_ailing(root: Path) -> dict[str, list[str]]:
    """Write the folder; the names (below it) of the planted images, by kind of finding, each name once."""
    seed = 0
    for split, count in (("train", 55), ("val", VAL)):
        for tint in TINTS:
            (root / split / tint).mkdir(parents=True)
            for number in range(count):
                seed += 1
                Image.fromarray(picture(seed, tint)).save(root / split / tint / f"{number:02}.jpg", quality=92)
    (root / "train" / "yellow").mkdir()
    planted = {
        "unreadable": ["train/red/50.jpg"],
        "misnamed": ["train/red/51.jpg"],
        "turned": ["train/red/52.jpg"],
        "inks": ["train/red/53.jpg"],
        "deep": ["train/red/54.png"],
        "tiny": ["train/green/50.jpg"],
        "thin": ["train/green/51.jpg"],
        "blank": ["train/green/52.jpg"],
        "duplicate": ["train/green/00.jpg", "train/green/53.jpg"],
        "near-duplicate": ["train/blue/00.jpg", "train/blue/54.jpg"],
        "leak": ["train/blue/01.jpg", "val/blue/10.jpg"],
        "near-leak": ["train/green/01.jpg", "val/green/10.jpg"],
        "label-error": ["train/blue/50.jpg", "train/blue/51.jpg", "train/green/54.jpg"],
        "empty-class": [],
    }
    whole = (root / "train/red/50.jpg").read_bytes()
    (root / "train/red/50.jpg").write_bytes(whole[: len(whole) // 2])
    Image.fromarray(picture(901, "red")).save(root / "train/red/51.jpg", "PNG")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture(902, "red")).save(root / "train/red/52.jpg", exif=exif)
    Image.fromarray(picture(903, "red")).convert("CMYK").save(root / "train/red/53.jpg")
    deep = picture(904, "red")[:, :, 0].astype(np.uint16) * 257
    (root / "train/red/54.jpg").unlink()
    Image.fromarray(deep).save(root / "train/red/54.png")
    Image.fromarray(picture(905, "green", (3, 3))).save(root / "train/green/50.jpg")
    Image.fromarray(picture(906, "green", (8, 200))).save(root / "train/green/51.jpg")
    Image.new("RGB", (128, 96), (90, 200, 90)).save(root / "train/green/52.jpg")
    shutil.copy(root / "train/green/00.jpg", root / "train/green/53.jpg")
    shutil.copy(root / "train/blue/01.jpg", root / "val/blue/10.jpg")
    small = Image.open(root / "train/blue/00.jpg").resize((100, 75), Image.Resampling.BICUBIC)
    small.save(root / "train/blue/54.jpg", quality=70)
    bright = Image.open(root / "train/green/01.jpg").point(lambda value: min(255, int(1.2 * value) + 12))
    bright.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(root / "val/green/10.jpg", quality=80)
    for number, (name, tint) in enumerate(zip(planted["label-error"], ("red", "green", "red"), strict=True)):
        Image.fromarray(picture(950 + number, tint)).save(root / name, quality=92)
    (root / "train/red/49.jpg").unlink()  # 198 of the two splits, and two more
    for number in range(3):
        Image.fromarray(picture(970 + number, "red")).save(root / f"val/red/extra{number}.jpg")
    return planted
