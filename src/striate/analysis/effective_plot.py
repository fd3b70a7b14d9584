"""The picture of an effective receptive field, in an image or along a signal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from striate.analysis.drawing import COLOURS, SMALL, log_ticks, sheet
from striate.analysis.spread import Spread
from striate.text_tables import shortened
from striate.units import percent, plural, sizes, whole

#: The scale ends at this share of the strongest pixel.
FAINTEST = 1e-3
#: How what holds a share is drawn, over dark colours and on white.
STYLES: tuple[tuple[float, dict[str, Any], str], ...] = (
    (0.68, {"edgecolor": "#35d07f", "linestyle": "-"}, COLOURS[2]),
    (0.95, {"edgecolor": "#4fb4ff", "linestyle": "--"}, COLOURS[5]),
)
THEORETICAL = {"edgecolor": "white", "linestyle": ":"}
STRENGTH = "gradient, share of the strongest"
#: Inches: how wide the image is drawn, and the lowest and highest that it becomes.
WIDTH, LOWEST, HIGHEST = 5.2, 2.4, 7.0
LONGEST_NETWORK = 46


def plot_field(field: Spread, path: str | Path) -> Path:
    """Draw the gradient's size (logarithmic), what holds 68 and 95 % of it, and the theoretical field."""
    title = f"Effective receptive field of {shortened(field.network, LONGEST_NETWORK) or field.layer}"
    size = sizes(field.map.shape)
    shown = f"{plural(field.samples, 'sample')}{' of noise' if field.noise else ''} on {size}"
    weights = shortened(field.weights, LONGEST_NETWORK) or "its weights as they were given"
    unit = ", ".join(map(str, field.unit))
    about = f"Unit ({unit}) of {shortened(field.layer, LONGEST_NETWORK)}; {weights}; {shown}."
    is_image = field.map.dim() == 2
    height = min(max(WIDTH * field.map.shape[0] / field.map.shape[1], LOWEST), HIGHEST) + 0.9 if is_image else 3.2
    with sheet(path, height, title, about=about, reading=reading(field)) as body:
        (_draw_image if is_image else _draw_signal)(body, field)
    return Path(path)


def reading(field: Spread) -> str:
    """A sentence on how large a share of the image the effective field covers, against the theoretical one."""
    what, image = ("pixels", "image") if field.map.dim() == 2 else ("places", "signal")
    area, size = field.area(0.95), field.map.numel()
    share = percent(area / size, 0)
    said = f"95% of the gradient lies in {whole(area)} of {whole(size)} {what}, {share} of the {image}"
    if field.theoretical_area is None or field.fraction is None:
        return f"{said}; how far the theoretical field reaches is not known."
    return (
        f"{said}; the theoretical field covers {percent(field.theoretical_area / size, 0)} of it, and the effective "
        f"one fills {percent(field.fraction, 0)} of that."
    )


def _beyond(field: Spread) -> str:
    assert field.theoretical is not None
    outside = any(side > size for side, size in zip(field.theoretical, field.map.shape, strict=True))
    return ", beyond the image" if outside else ""


def _draw_image(body: Any, field: Spread) -> None:
    from matplotlib.colors import LogNorm
    from matplotlib.patches import Rectangle

    axis, scale = body.subplots(1, 2, width_ratios=(24, 1))
    strength = (field.map / field.map.max()).clamp(min=FAINTEST).numpy()
    image = axis.imshow(strength, norm=LogNorm(FAINTEST, 1), cmap="magma")
    height, width = field.map.shape
    rows, columns = field.centre
    squares: list[tuple[str, tuple[int, int], dict[str, Any]]] = []
    for share, style, _ in STYLES:
        squares.append((f"{percent(share, 0)} in {field.side(share)} px", (field.side(share),) * 2, style))
    if field.theoretical is not None:
        sides = field.theoretical[0], field.theoretical[1]
        squares.append((f"theoretical {sizes(sides)} px{_beyond(field)}", sides, THEORETICAL))
    for label, (tall, wide), style in squares:
        corner = (columns - wide / 2, rows - tall / 2)
        axis.add_patch(Rectangle(corner, wide, tall, fill=False, linewidth=1.6, label=label, **style))
    axis.set_xlim(-0.5, width - 0.5)
    axis.set_ylim(height - 0.5, -0.5)
    axis.set_xlabel(f"column, pixels (sigma {field.sigma[1]:.1f})")
    axis.set_ylabel(f"row, pixels (sigma {field.sigma[0]:.1f})")
    legend = body.legend(loc="outside lower center", ncols=len(squares), fontsize=SMALL, facecolor="0.35")
    for text in legend.get_texts():
        text.set_color("white")
    body.colorbar(image, cax=scale, label=f"{STRENGTH} pixel")
    log_ticks(scale.yaxis, FAINTEST, 1)


def _draw_signal(body: Any, field: Spread) -> None:
    axis = body.subplots()
    (middle,) = field.centre
    strength = (field.map / field.map.max()).clamp(min=FAINTEST).numpy()
    axis.semilogy(range(len(strength)), strength, color=COLOURS[0], linewidth=1)
    for share, style, colour in STYLES:
        half = field.side(share) / 2
        label = f"{percent(share, 0)} in {field.side(share)} places"
        axis.axvline(middle - half, color=colour, linestyle=style["linestyle"], linewidth=1.6, label=label)
        axis.axvline(middle + half, color=colour, linestyle=style["linestyle"], linewidth=1.6)
    if field.theoretical is not None:
        (length,) = field.theoretical
        label = f"theoretical {length} places{_beyond(field)}".replace("image", "signal")
        axis.axvline(middle - length / 2, color="black", linestyle=":", linewidth=1.6, label=label)
        axis.axvline(middle + length / 2, color="black", linestyle=":", linewidth=1.6)
    axis.set_xlim(-0.5, len(strength) - 0.5)
    axis.set_ylim(FAINTEST, 1.3)
    log_ticks(axis.yaxis, FAINTEST, 1.3)
    axis.set_xlabel(f"place in the signal (sigma {field.sigma[0]:.1f} places)")
    axis.set_ylabel(f"{STRENGTH} place")
    axis.spines[["top", "right"]].set_visible(False)
    body.legend(loc="outside lower center", ncols=3, fontsize=SMALL, frameon=False)
