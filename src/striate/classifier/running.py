"""Running: a classifier's network at work on pictures, however they are given, on the engine that suits them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.data import Preprocessing, UnreadableImage
from striate.data.ahead import read_ahead
from striate.data.given_images import Source, Sources
from striate.engines import AUTO, Chosen, Frozen, Lazy, check_engine, images_at_once, state_of
from striate.errors import StriateError, UsageError, is_out_of_memory
from striate.models import Network
from striate.models.embedding import Embedding

#: Of a folder so many pictures are counted before the work begins.
COUNTED = 5_000
#: What is taken to come where there are more than that.
MANY = 20_000

#: A picture, and what a network says of it (K,), or why it could not be read.
Said = tuple[Source, NDArray[np.float32] | StriateError]

#: By name and whether they give vectors: the state of the network that an engine was made for, and the engine.
Engines = dict[tuple[str, bool], tuple[tuple[object, ...], Lazy]]


class Running:
    """Runs a network over pictures.

    Args:
        network: in evaluation mode.
        look: brings pictures to it.
        engines: those of earlier calls, which are used again while the network stays as it is.
    """

    def __init__(self, network: Network, look: Preprocessing, engines: Engines) -> None:
        self.network, self.look, self._engines = network, look, engines

    @property
    def together(self) -> int:
        """How many images go through the network at once, so that memory is bounded whatever its input size."""
        device = next(self.network.parameters()).device.type
        return images_at_once(self.look.size, device=device)

    def engine(self, expected: int, wanted: str = AUTO, embedding: bool = False) -> Lazy:
        """A predictor for so many pictures, about: of logits, or of the vectors that the classifier sees.

        Raises:
            UsageError: there is no engine of that name.
        """
        state, key = (id(self.network), self.look, *state_of(self.network)), (wanted, embedding)
        known = self._engines.get(key)
        if known is not None and known[0] == state and known[1].serves(expected):
            return known[1]
        module = Embedding(self.network).eval() if embedding else self.network
        called = self.network.spec.name
        frozen = Frozen(module, self.look.normalise, self.look.size, self.look.channels, called)
        lazy = Lazy(frozen, expected, wanted)
        self._engines[key] = state, lazy
        return lazy

    def over(self, wanted: str = AUTO, embedding: bool = False) -> Run:
        """The network, to be run over pictures once.

        Raises:
            UsageError: there is no engine of that name.
        """
        return Run(self, wanted, embedding)

    def one(self, source: Source, wanted: str = AUTO) -> NDArray[np.float32]:
        """What the network says of one picture, (1, K).

        Raises:
            StriateError: it cannot be read.
        """
        return self.engine(1, wanted)(self.read(source)[None])

    def read(self, source: Source) -> NDArray[np.uint8]:
        """The picture as the network sees it.

        Raises:
            StriateError: it cannot be read.
        """
        try:
            return self.look(source.read(self.look.channels, self.look.serving))
        except Exception as error:
            if is_out_of_memory(error) and not isinstance(error, StriateError):
                raise UnreadableImage("does not fit in memory", source.name) from error
            raise


class Run:
    """One run over pictures; `chosen` says, once it has begun, which engine does it, and why."""

    def __init__(self, running: Running, wanted: str, embedding: bool) -> None:
        check_engine(wanted)
        self._running, self._wanted, self._embedding = running, wanted, embedding
        self._engine: Lazy | None = None

    @property
    def chosen(self) -> Chosen | None:
        """The engine; None before the first pictures have come."""
        return None if self._engine is None else self._engine.chosen

    def __call__(self, given: Sources) -> Iterator[list[Said]]:
        """What the network says of each picture, in order, a group at a time.

        Pictures are read by threads while the network works on earlier ones. One that cannot be read has the reason in
        place of an output.

        Raises:
            UsageError: something among them is no image.
        """
        count, together = given.at_least(COUNTED), self._running.together
        self._engine = self._running.engine(MANY if count == COUNTED else count, self._wanted, self._embedding)
        for group in read_ahead(given, self._read_or_say, together, 1 if count == 1 else None):
            good = [picture for _, picture in group if not isinstance(picture, StriateError)]
            outputs = iter(self._engine(np.stack(good)) if good else ())
            yield [
                (source, picture if isinstance(picture, StriateError) else next(outputs)) for source, picture in group
            ]

    def _read_or_say(self, source: Source) -> Any:
        try:
            return self._running.read(source)
        except UsageError:
            raise
        except StriateError as error:
            return error


class Vectors(Iterator[tuple[list[str], NDArray[np.float32], list[str]]]):
    """Feature vectors of pictures, a group at a time: names, vectors (N, D), and why others could not be read."""

    def __init__(self, groups: Iterator[Any], notes: Callable[[], tuple[str, ...]], width: int) -> None:
        self._groups, self._notes, self._width = groups, notes, width

    def __next__(self) -> tuple[list[str], NDArray[np.float32], list[str]]:
        names, vectors, failed = [], [], []
        for source, output in next(self._groups):
            if isinstance(output, StriateError):
                failed.append(str(output))
            else:
                names.append(source.name)
                vectors.append(output)
        return names, np.stack(vectors) if vectors else np.empty((0, self._width), np.float32), failed

    @property
    def notes(self) -> tuple[str, ...]:
        """Which files of folders were left out, and why; engines that were not used."""
        return self._notes()
