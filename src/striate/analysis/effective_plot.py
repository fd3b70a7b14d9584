"""The picture of an effective receptive field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from striate.analysis.drawing import figure, save
from striate.analysis.spread import Spread

#: The colour scale ends at this share of the strongest pixel.
FAINTEST = 1e-3
STYLES: tuple[tuple[float, dict[str, Any]], ...] = (
    (0.68, {"edgecolor": "#35d07f", "linestyle": "-"}),
    (0.95, {"edgecolor": "#4fb4ff", "linestyle": "--"}),
)
THEORETICAL = {"edgecolor": "white", "linestyle": ":"}


def plot_field(field: Spread, path: str | Path) -> Path:
    """Draw the gradient's size (logarithmic), the squares that hold 68 and 95 % of it, and the theoretical field."""
    drawn = figure(path, 7.2, 6.4)
    from matplotlib.colors import LogNorm
    from matplotlib.patches import Rectangle

    axis = drawn.subplots()
    strength = (field.map / field.map.max()).clamp(min=FAINTEST).numpy()
    image = axis.imshow(strength, norm=LogNorm(FAINTEST, 1), cmap="magma")
    height, width = field.map.shape
    rows, columns = field.centre
    squares: list[tuple[str, tuple[int, int], dict[str, Any]]] = []
    for share, style in STYLES:
        squares.append((f"{share:.0%} in {field.side(share)} px", (field.side(share),) * 2, style))
    if field.theoretical is not None:
        sides = field.theoretical[0], field.theoretical[1]
        beyond = ", beyond the image" if sides[0] > height or sides[1] > width else ""
        squares.append((f"theoretical {sides[0]}×{sides[1]} px{beyond}", sides, THEORETICAL))
    for label, (tall, wide), style in squares:
        corner = (columns - wide / 2, rows - tall / 2)
        axis.add_patch(Rectangle(corner, wide, tall, fill=False, linewidth=1.6, label=label, **style))
    axis.set_xlim(-0.5, width - 0.5)
    axis.set_ylim(height - 0.5, -0.5)
    axis.set_title(f"effective receptive field of unit {field.unit} of {field.layer}", fontsize=10)
    axis.set_xlabel(f"sigma {field.sigma[1]:.1f} px", fontsize=9)
    axis.set_ylabel(f"sigma {field.sigma[0]:.1f} px", fontsize=9)
    legend = drawn.legend(loc="outside lower center", ncols=len(squares), fontsize=8, facecolor="0.35")
    for text in legend.get_texts():
        text.set_color("white")
    drawn.colorbar(image, ax=axis, label="gradient, share of the strongest pixel", shrink=0.85)
    return save(drawn, path)
