"""What `striate predict` says of each image and of all together, and where it goes: lines, JSON, a table, folders."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from striate.classifier.prediction import Prediction, Stream
from striate.classifier.prediction_table import PredictionTable
from striate.classifier.sorting import Sorting
from striate.cli.json_lines import JsonLines
from striate.cli.long_json import LongJson
from striate.training.counting import Counter as Shown
from striate.units import percent, plural, whole

#: Classes that the last line counts one by one; the others are counted together.
CLASSES_TOLD = 20


class Told:
    """What has been said of the images so far, wherever it goes, and the counts of it."""

    def __init__(
        self,
        unsure: float | None,
        json: LongJson | JsonLines | None,
        table: PredictionTable | None,
        sorting: Sorting | None,
        shown: Shown,
    ) -> None:
        self._least, self._json, self._table, self._sorting, self._shown = unsure, json, table, sorting, shown
        self.count = self.unsure = self.unreadable = 0
        self.classes: Counter[str] = Counter()

    def tell(self, prediction: Prediction) -> None:
        """Say what one image is, and put it where it belongs."""
        is_sure = self._least is None or prediction.probability >= self._least
        lies = self._sorting.put(prediction, is_sure) if self._sorting else None
        if self._table:
            self._table.write(prediction, is_sure)
        self.count += 1
        if prediction.error:
            self.unreadable += 1
        else:
            self.classes.update(prediction.named)
            self.unsure += not is_sure
        if self._json:
            self._json.add(self._as_dict(prediction, is_sure, lies))
        if prediction.error:
            with self._shown.aside():
                print(f"striate: {prediction.error}", file=sys.stderr)
        elif not self._json:
            self._print(prediction, is_sure)
        self._shown(self.count)

    def _print(self, prediction: Prediction, is_sure: bool) -> None:
        with self._shown.aside() if sys.stdout.isatty() else nullcontext():
            print(prediction.name, *prediction.text, *([] if is_sure else ["unsure"]), sep="\t")

    def _as_dict(self, prediction: Prediction, is_sure: bool, lies: Path | None) -> dict[str, Any]:
        found = prediction.to_dict()
        if prediction.error:
            return found
        if self._least is not None:
            found["unsure"] = not is_sure
        return found if self._sorting is None else {**found, "sorted_to": None if lies is None else str(lies)}

    def finish(self, stream: Stream, csv: Path | None) -> None:
        """Say how many images there were of each class, what was left out, and what was written."""
        if self._json:
            counts = dict(sorted(self.classes.items(), key=lambda entry: (-entry[1], entry[0])))
            unsure = None if self._least is None else self.unsure
            figures = {"counts": counts, "unsure": unsure, "unreadable": self.unreadable}
            self._json.print({"notes": list(stream.notes), **figures})
        for note in stream.notes:
            print(f"note: {note}", file=sys.stderr)
        if self.count > 1 and not isinstance(self._json, LongJson):
            print(self._counts(), file=sys.stderr)
            if stream.engine:
                print(f"engine {stream.engine}", file=sys.stderr)
        for line in self._written(csv):
            print(line, file=sys.stderr)

    def _counts(self) -> str:
        """How many images there were, and of each class."""
        line = plural(self.count, "image")
        if self.classes:
            line += f": {_tally(self.classes.most_common())}"
        if self._least is not None:
            line += f"; {whole(self.unsure)} unsure (below {percent(self._least, 0)})"
        return f"{line}; {whole(self.unreadable)} could not be read" if self.unreadable else line

    def _written(self, csv: Path | None) -> list[str]:
        lines = [] if self._sorting is None else [str(self._sorting)]
        return lines if csv is None else [*lines, f"written to {csv}"]

    def done(self, csv: Path | None) -> str:
        """What has been done when it ends early."""
        parts = [plural(self.count, "image"), *([] if self._sorting is None else [str(self._sorting)])]
        return "; ".join(parts if csv is None else [*parts, f"{csv} is not written"])


def _tally(counts: Iterable[tuple[str, int]]) -> str:
    """Classes with their numbers, "12 cat, 3 dog"; of many the rarest together."""
    told = [(f"{whole(count)} {name}", count) for name, count in counts]
    words = [text for text, _ in told[:CLASSES_TOLD]]
    rest = told[CLASSES_TOLD:]
    if rest:
        words.append(f"{whole(sum(count for _, count in rest))} of {plural(len(rest), 'more class', 'more classes')}")
    return ", ".join(words)
