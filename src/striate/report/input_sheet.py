"""What a network sees of a picture: its part and size in evaluation, under other resize rules, and in training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from striate.augment import Augment
from striate.augment.geometry import fit
from striate.augment.showing import versions
from striate.data import Preprocessing
from striate.data.channels import to_channels
from striate.report.contact_sheet import PAPER, Cell
from striate.report.policy_sheet import ACROSS, in_rows

#: The resize rules that suit a picture of any size.
RULES = ("crop", "letterbox", "stretch")
#: The colour of the frame around the part that is seen.
FRAME = (220, 30, 30)

Picture = NDArray[np.uint8]


def input_sheet(look: Preprocessing, policy: Augment, picture: Picture, side: int) -> Iterator[list[Cell]]:
    """Rows of the sheet.

    Args:
        look: the network's preprocessing.
        policy: by which its training images were augmented.
        picture: uint8 (H, W, C), decoded from its file.
        side: pixels a side of each cell; small inputs are enlarged to it, pixel by pixel.
    """
    given, (height, width) = to_channels(picture, look.channels), look.size
    seen = f"the network sees {height}x{width}, {look.resize}"
    yield [
        Cell(f"the picture, {given.shape[0]}x{given.shape[1]}", on_paper(_framed(given, look, side), side)),
        Cell(seen, on_paper(look(given), side)),
    ]
    yield [Cell(f"by {rule}", on_paper(replace(look, resize=rule)(given), side)) for rule in RULES]
    if policy.changes_anything:
        made = versions(policy, [given], look.size, ACROSS, 0, None, look.resize, look.crop_fraction)
        yield from in_rows("in training", [on_paper(version, side) for version in made])


def _framed(picture: Picture, look: Preprocessing, side: int) -> Picture:
    """The picture brought to the cell's size, a frame around what the network sees of it."""
    corners = fit(np.array([picture.shape[:2]]), look.size, look.resize, look.crop_fraction)[0] @ np.array(
        [[0, look.size[1]], [0, look.size[0]], [1, 1]]
    )
    shown = _coloured(_within(picture, side)).copy()
    (left, right), (top, bottom) = np.rint(corners[:2] * shown.shape[0] / picture.shape[0]).astype(int).tolist()
    cv2.rectangle(shown, (left, top), (right - 1, bottom - 1), FRAME, 2)
    return shown


def _within(picture: Picture, side: int) -> Picture:
    """The picture, its longer side brought to `side`: enlarged pixel by pixel, shrunk by averaging."""
    scale = side / max(picture.shape[:2])
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    way = cv2.INTER_NEAREST if scale > 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, size, interpolation=way), np.uint8).reshape(size[1], size[0], -1)


def on_paper(picture: Picture, side: int) -> Picture:
    """The picture in the middle of a square of paper, as large as it fits, uint8 (side, side, 3)."""
    shown = _within(_coloured(picture), side)
    top, left = (side - shown.shape[0]) // 2, (side - shown.shape[1]) // 2
    paper = np.full((side, side, 3), PAPER, np.uint8)
    paper[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    return paper


def _coloured(picture: Picture) -> Picture:
    return picture[:, :, :3] if picture.shape[2] >= 3 else np.repeat(picture[:, :, :1], 3, axis=2)
