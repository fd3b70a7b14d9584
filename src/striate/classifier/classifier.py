"""Classifier: a trained network with all that is needed to use it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast, overload

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image as PillowImage

from striate.classifier.measuring import Measuring
from striate.classifier.prediction import Prediction, Predictions, Stream, predicted
from striate.classifier.pretrained import pretrained
from striate.classifier.running import Engines, Run, Running, Said, Vectors
from striate.data import Dataset, Split
from striate.data.given_images import Sources, is_single
from striate.data.targets import REGRESSION
from striate.data.views import views_called
from striate.engines import AUTO, check_engine
from striate.errors import StriateError, UsageError
from striate.files import at_home
from striate.models import Network
from striate.notebook import Facts, Shown, listed
from striate.training.batches import Batches
from striate.training.evaluation import evaluate
from striate.training.hardware import device_type
from striate.training.metrics import Evaluation
from striate.training.model_file import Description, save_model
from striate.training.tasks import Task

#: One image, as a type checker knows it: an array may be one or several.
One = str | Path | bytes | bytearray | memoryview | BinaryIO | PillowImage


class Classifier(Shown):
    """A trained network, its classes and its preprocessing.

    Attributes:
        model: the network, in evaluation mode.
        classes: class names, in the order of the outputs; of other tasks those of labels or values.
        description: network, preprocessing, recipe, data and figures as stored in model.safetensors.
        path: the run folder or file it came from, or None.
        evaluation: what `striate.train` measured at its end, or None.
        task: what it has learnt: one class per image, several labels, or values.
    """

    evaluation: Evaluation | None = None

    def __init__(self, model: Network, description: Description, path: Path | None = None) -> None:
        self.model = model.eval().to(memory_format=model.memory_format)
        self.description = description
        self.task: Task = description.learnt
        self.path = path
        self._engines: Engines = {}

    @classmethod
    def pretrained(cls, model: str, weights: str | Path | None = None, classes: tuple[str, ...] = ()) -> Classifier:
        """A network with published weights, used as it is: it classifies ImageNet's 1,000 classes without training.

        Args:
            model: a name of the catalogue ("resnet50"), `torchvision:NAME`, `timm:NAME`, or `hf:ORG/NAME`.
            weights: a name on the network's card, `hf:ORG/NAME`, a file, or a run of this network, which brings its
                classes; by default the first on the card, or the library's own.
            classes: names of its outputs, where they are not ImageNet's and the weights do not say them.

        Raises:
            UsageError: nothing has that name, or its outputs have no names.
            StriateError: the weights cannot be had (offline, the line says where to put them) or do not fit.
        """
        return cls(*pretrained(model, weights, classes))

    def to(self, device: str) -> Classifier:
        """Move the network to a device, on which it then predicts and evaluates; return the classifier itself.

        Args:
            device: "cpu", "cuda" or "mps"; "auto" for the fastest that this machine has.

        Raises:
            UsageError: an unknown device.
            StriateError: it is not on this machine.
        """
        self.model.to(device_type(device))
        return self

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the outputs."""
        return self.description.classes

    @property
    def classes_(self) -> NDArray[np.str_]:
        """Class names as scikit-learn spells them."""
        return np.array(self.classes)

    @property
    def _running(self) -> Running:
        return Running(self.model, self.description.preprocessing, self._engines)

    def _facts(self) -> Facts:
        size = "x".join(map(str, self.description.preprocessing.size))
        return Facts(
            {
                "network": self.description.network["name"],
                "classes": f"{len(self.classes)} classes: {listed(self.classes)}",
                "images": f"{size} pixels",
                "from": str(self.path or ""),
            }
        )

    @overload
    def predict(self, images: One, top: int = 1, engine: str = AUTO) -> Prediction: ...

    @overload
    def predict(self, images: NDArray[Any], top: int = 1, engine: str = AUTO) -> Prediction | Predictions: ...  # type: ignore[overload-overlap]

    @overload
    def predict(self, images: Iterable[Any], top: int = 1, engine: str = AUTO) -> Predictions: ...

    def predict(self, images: Any, top: int = 1, engine: str = AUTO) -> Prediction | Predictions:
        """Classify images.

        A type checker takes a path for that of one picture; give a folder in a list, `[folder]`, where that matters.

        Args:
            images: a path, a PIL image, a uint8 array (H, W) or (H, W, C): one Prediction is returned. A folder,
                an array (N, H, W, C) or an iterable of all these: a list, in order, in which an image that cannot be
                read has an `error` instead of classes, and whose `notes` name the files of folders that are no images.
            top: how many classes each prediction names.
            engine: what runs the network: one of `striate.engines.ENGINES`, or "auto", the fastest that gives the same.

        Raises:
            StriateError: a single image that cannot be read.
        """
        if not is_single(images):
            stream = self.stream(images, top, engine)
            predictions = Predictions(stream)
            predictions.notes = stream.notes
            return predictions
        _check_top(top)
        check_engine(engine)
        (source,) = Sources(images)
        (answer,) = self._answers(self._running.one(source, engine))
        return replace(predicted(self.task, source.name, answer, top), path=source.path)

    def stream(self, images: Any, top: int = 1, engine: str = AUTO) -> Stream:
        """Classify images one after another, in their order, however many there are: memory stays the same.

        Args:
            images: what `predict` takes; a single image is a stream of one.
            top: how many classes each prediction names.
            engine: as for `predict`.

        Returns:
            An iterator of predictions. An image that cannot be read has an `error` instead of classes.
        """
        _check_top(top)
        given, run = Sources(images), self._running.over(engine)
        return Stream(self._predicted(run(given), top), given.notes, lambda: run.chosen)

    def _predicted(self, groups: Iterator[list[Said]], top: int) -> Iterator[Prediction]:
        for group in groups:
            good = [output for _, output in group if not isinstance(output, StriateError)]
            answers = iter(self._answers(np.stack(good)) if good else ())
            for source, output in group:
                if isinstance(output, StriateError):
                    yield Prediction(source.name, error=str(output), path=source.path)
                else:
                    yield replace(predicted(self.task, source.name, next(answers), top), path=source.path)

    def predict_proba(self, images: Any, engine: str = AUTO) -> NDArray[np.float32]:
        """Probabilities (N, K) of N images, as scikit-learn's classifiers give them; K in the order of `classes`.

        Raises:
            StriateError: an image cannot be read (every row must belong to an image).
            UsageError: it predicts values, which have no probabilities.
        """
        if self.task.kind == REGRESSION:
            raise UsageError("this model predicts values, which have no probabilities; predict gives the values.")
        rows = [self._answers(outputs) for outputs in self._outputs(images, self._running.over(engine))]
        return np.concatenate(rows) if rows else np.empty((0, len(self.classes)), np.float32)

    def embed(self, images: Any, engine: str = AUTO) -> NDArray[np.float32]:
        """The vectors (N, D) that the classifier's last layer sees of N images: alike for images that look alike.

        Args:
            images: what `predict` takes; a single image is one row.
            engine: as for `predict`.

        Raises:
            StriateError: an image cannot be read (every row must belong to an image).
        """
        rows = list(self._outputs(images, self._running.over(engine, embedding=True)))
        return np.concatenate(rows) if rows else np.empty((0, self.model.num_features), np.float32)

    def vectors(self, images: Any, engine: str = AUTO) -> Vectors:
        """The same, a group of images after the other, however many there are: memory stays the same.

        Args:
            images: what `predict` takes.
            engine: as for `predict`.

        Returns:
            An iterator of (names, vectors (N, D), errors): images that could not be read are left out, with the reason.
        """
        given, run = Sources(images), self._running.over(engine, embedding=True)
        width = self.model.num_features
        return Vectors(run(given), lambda: (*given.notes, *(run.chosen.notes if run.chosen else ())), width)

    def _outputs(self, images: Any, run: Run) -> Iterator[NDArray[np.float32]]:
        for group in run(Sources(images)):
            found = []
            for _, output in group:
                if isinstance(output, StriateError):
                    raise output
                found.append(output)
            yield np.stack(found)

    def evaluate(
        self,
        source: str | Path | Dataset | Split | None = None,
        split: str | None = None,
        *,
        views: str | int = "centre",
        engine: str = AUTO,
        shown: Callable[[int, int], None] | None = None,
    ) -> Evaluation:
        """Measure the classifier on labelled images; their classes are matched by name.

        Args:
            source: what `open_dataset` takes, a data set, or a split of one; None, or the place of the data set it was
                trained with, for that data set, split as it was then.
            split: "train", "val" or "test"; by default the test images where there are any, else validation
                images, else what there is.
            views: how often and how each image is looked at: "centre", "flip" (2), "five" (5), "ten" (10) or "scales"
                (6); see `striate.data.views`. The probabilities are averaged.
            engine: as for `predict`.
            shown: told after each batch how many images are done, and of how many.

        Returns:
            The outcome: an `Evaluation` of classes; of several labels a `MultiLabelEvaluation`, of values a
            `RegressionEvaluation`. Its `split` says what was measured: "train" for images that are for training; for
            other images that are not divided, what their place is called after (`photos/test`), else "all".

        Raises:
            StriateError: the data has classes that the classifier does not know, or lacks the split.
        """
        if split not in (None, "train", "val", "test"):
            raise UsageError(f"split '{split}' is unknown; it is one of train, val, test.")
        if not isinstance(source, str | Path | Dataset | Split | None) or source == "":
            raise UsageError(f"{source!r} is no place of images, no data set and no split of one.")
        chosen = views_called(views)
        check_engine(engine)
        part, notes = Measuring(self.description, self.path).part(source, split)
        size = max(1, self._running.together // len(chosen))
        batches = Batches(part, self.description.preprocessing, size, views=chosen if len(chosen) > 1 else ())
        count = len(part)
        told = (lambda done: shown(done, count)) if shown else _tell_nobody
        run = self._running.engine(count * len(chosen), engine)
        evaluation = evaluate(run, batches, self.task, told)
        assert run.chosen is not None
        return cast(Evaluation, replace(evaluation, notes=notes + run.chosen.notes, engine=run.chosen.words))

    def save(self, path: str | Path) -> Path:
        """Write the classifier to one .safetensors file that `striate.load` reads; return its path.

        Raises:
            StriateError: it cannot be written.
        """
        path = at_home(path)
        if path.suffix != ".safetensors":
            raise UsageError(f"{path}: a classifier is saved as a .safetensors file.")
        return save_model(path, self.model, self.description)

    def _answers(self, outputs: NDArray[np.float32]) -> NDArray[Any]:
        """Probabilities or values (N, K) from what the network gives."""
        return self.task.answers(self.task.logits(torch.from_numpy(outputs))[:, None])


def _check_top(top: Any) -> None:
    if isinstance(top, bool) or not isinstance(top, (int, np.integer)) or top < 1:
        raise UsageError(f"top is {top!r}; ask for at least 1 class, by a whole number.")


def _tell_nobody(done: int) -> None:
    """What is shown where nobody looks."""
