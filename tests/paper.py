"""A picture as it lies on paper: which words were drawn, where, how large, and what is wrong with that."""

from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

CENTIMETRES = 2.54
#: An A4 page between its margins, in centimetres, with a little over for the rounding of inches.
WIDEST, HIGHEST = 17.05, 25.7
SMALLEST_TYPE = 6.0


@dataclass
class Sheet:
    """A figure, and the words that were drawn on it with the boxes that they fill, in pixels."""

    figure: Any
    words: list[tuple[str, float, Any]] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [text for text, _, _ in self.words]

    @property
    def flaws(self) -> list[str]:
        """Words that overlap, leave the figure or are too small, and a figure that does not fit on a page."""
        width, height = self.figure.bbox.width, self.figure.bbox.height
        inches = self.figure.get_size_inches()
        found = [f"{centimetres:.1f} cm" for centimetres in inches * CENTIMETRES if centimetres > HIGHEST]
        if inches[0] * CENTIMETRES > WIDEST:
            found.append(f"{inches[0] * CENTIMETRES:.1f} cm wide")
        for text, size, box in self.words:
            if size < SMALLEST_TYPE:
                found.append(f"'{text}' has {size:g} pt")
            if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1:
                found.append(f"'{text}' lies outside")
        for (one, _, first), (other, _, second) in combinations(self.words, 2):
            across = min(first.x1, second.x1) - max(first.x0, second.x0)
            down = min(first.y1, second.y1) - max(first.y0, second.y0)
            if min(across, down) > 1.5:  # pixels: boxes hold room for descenders that few letters have
                found.append(f"'{one}' overlaps '{other}'")
        return found


def lay_out(figure: Any) -> Sheet:
    """Draw the figure, and note each text that is really drawn: ticks beyond an axis are not."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    sheet, draw = Sheet(figure), Text.draw

    def noted(text: Any, renderer: Any, *arguments: Any, **options: Any) -> Any:
        if text.get_visible() and text.get_text().strip():
            box = Text.get_window_extent(text, renderer)  # of an annotation without the line that leads to its point
            sheet.words.append((text.get_text(), text.get_fontsize(), box))
        return draw(text, renderer, *arguments, **options)

    canvas = FigureCanvasAgg(figure)
    figure.draw_without_rendering()  # where the layout moves words after they were placed
    Text.draw = noted
    try:
        canvas.draw()
    finally:
        Text.draw = draw
    return sheet
