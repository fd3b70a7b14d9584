"""Views: named ways to cut a picture for a network, by which one picture is looked at several times.

Ten views are those of Krizhevsky, Sutskever and Hinton (2012, section 4.1): the corners, the centre, and their mirror
images. Several scales follow Simonyan and Zisserman (2015, section 4.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from striate.data.channels import to_channels
from striate.data.decode import Serving
from striate.data.preprocessing import Preprocessing
from striate.data.resizing import centred, resize_image
from striate.errors import UsageError, unknown

#: Where a view lies in the picture, from its top left: shares of the room that is left over.
PLACES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "centre": (0.5, 0.5),
        "top left": (0.0, 0.0),
        "top right": (0.0, 1.0),
        "bottom left": (1.0, 0.0),
        "bottom right": (1.0, 1.0),
    }
)

#: Room around a picture that is shown whole, as a share of its side: it is laid out so by reflection.
MARGIN = 1 / 16


@dataclass(frozen=True)
class View:
    """One way to cut a picture.

    Attributes:
        place: one of `PLACES`.
        mirrored: left and right are exchanged.
        scale: size of the resized picture, against the one that the network was trained to see.
    """

    place: str = "centre"
    mirrored: bool = False
    scale: float = 1.0

    def __str__(self) -> str:
        scale = f" at {self.scale:g}" if self.scale != 1 else ""
        return f"{self.place}{scale}{', mirrored' if self.mirrored else ''}"

    def serving(self, look: Preprocessing) -> Serving | None:
        """How much smaller a picture serves as well; None where it has to be read whole."""
        return look.serving if self.scale == 1 else None

    def cut(self, picture: np.ndarray, look: Preprocessing) -> np.ndarray:
        """What the network sees of uint8 (H, W, C): uint8 (*look.size, look.channels)."""
        if self == CENTRE:
            return look(picture)
        if self.place == "centre" and self.scale == 1:
            seen = look(picture)
        else:
            seen = _window(_laid_out(to_channels(picture, look.channels), look, self.scale), look.size, self.place)
        return np.ascontiguousarray(seen[:, ::-1]) if self.mirrored else seen


CENTRE = View()
_CORNERS = tuple(View(place) for place in PLACES if place != "centre")
_FIVE = (CENTRE, *_CORNERS)
_SCALES = (1.0, 1.15, 1.3)

#: Sets of views by name; the centre, by which the others are measured, comes first.
VIEWS: Mapping[str, tuple[View, ...]] = MappingProxyType(
    {
        "centre": (CENTRE,),
        "flip": (CENTRE, replace(CENTRE, mirrored=True)),
        "five": _FIVE,
        "ten": (*_FIVE, *(replace(view, mirrored=True) for view in _FIVE)),
        "scales": tuple(
            View(scale=scale, mirrored=mirrored) for scale in (1.0, 1.15, 1.3) for mirrored in (False, True)
        ),
    }
)
#: The same by number.
NUMBERS = {"1": "centre", "2": "flip", "5": "five", "10": "ten", "6": "scales"}


def views_called(name: str | int) -> tuple[View, ...]:
    """The views of that name ("ten") or number (10).

    Raises:
        UsageError: there are none.
    """
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise UsageError(f"views is {name!r}; give one of {', '.join(VIEWS)}, or their number")
    called = NUMBERS.get(str(name), str(name))
    if called not in VIEWS:
        raise unknown("set of views", str(name), VIEWS)
    return VIEWS[called]


def cut_all(picture: np.ndarray, look: Preprocessing, views: Sequence[View]) -> np.ndarray:
    """All views of a picture, uint8 (V, *look.size, look.channels)."""
    return np.stack([view.cut(picture, look) for view in views])


def _laid_out(picture: np.ndarray, look: Preprocessing, scale: float) -> np.ndarray:
    """The picture resized, with room around what the network sees of it."""
    whole = resize_image(picture, *_scaled(look.whole(*picture.shape[:2]), scale), look.interpolation)
    if look.resize == "letterbox":
        whole = centred(whole, _scaled(look.size, scale))
    if look.resize == "crop" or scale > 1:
        return whole
    rows, columns = (max(1, round(MARGIN * side)) for side in look.size)
    return np.pad(whole, ((rows, rows), (columns, columns), (0, 0)), mode="symmetric")


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return round(size[0] * scale), round(size[1] * scale)


def _window(picture: np.ndarray, size: tuple[int, int], place: str) -> np.ndarray:
    down, across = PLACES[place]
    top, left = round((picture.shape[0] - size[0]) * down), round((picture.shape[1] - size[1]) * across)
    return np.ascontiguousarray(picture[top : top + size[0], left : left + size[1]])
