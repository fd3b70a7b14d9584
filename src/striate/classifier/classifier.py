"""Classifier: a trained network with all that is needed to use it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from striate.classifier.inputs import Source, is_single, sources
from striate.classifier.prediction import Prediction
from striate.data import Dataset, Split, UnreadableImage, open_dataset
from striate.errors import StriateError, UsageError, is_out_of_memory, nearest
from striate.models import ConvNet
from striate.training.batches import Batches
from striate.training.evaluation import evaluate
from striate.training.losses import class_logits
from striate.training.metrics import Evaluation
from striate.training.model_file import Description, load_model, save_model
from striate.training.run_folder import RunFolder

#: Images that go through the network together when predicting, at most; and their pixels, 20 images of 224 x 224.
BATCH_SIZE, PIXELS_AT_ONCE = 64, 1 << 20


class Classifier:
    """A trained network, its classes and its preprocessing.

    Attributes:
        model: the network, in evaluation mode.
        classes: class names, in the order of the outputs.
        description: network, preprocessing, recipe, data and figures as stored in model.safetensors.
        path: the run folder or file it came from, or None.
        evaluation: what `striate.train` measured at its end, or None.
    """

    evaluation: Evaluation | None = None

    def __init__(self, model: ConvNet, description: Description, path: Path | None = None) -> None:
        self.model = model.eval().to(memory_format=torch.channels_last)
        self.description = description
        self.path = path

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the outputs."""
        return self.description.classes

    @property
    def classes_(self) -> NDArray[np.str_]:
        """Class names as scikit-learn spells them."""
        return np.array(self.classes)

    def __repr__(self) -> str:
        size = "x".join(map(str, self.description.preprocessing.size))
        return f"Classifier({self.description.network['name']}, {len(self.classes)} classes, {size} pixels)"

    def predict(self, images: Any, top: int = 1) -> Prediction | list[Prediction]:
        """Classify images.

        Args:
            images: a path, a PIL image, a uint8 array (H, W) or (H, W, C): one Prediction is returned. A folder,
                an array (N, H, W, C) or an iterable of all these: a list, in order, in which an image that cannot be
                read has an `error` instead of classes.
            top: how many classes each prediction names.

        Raises:
            StriateError: a single image that cannot be read.
        """
        if top < 1:
            raise UsageError(f"top is {top}; ask for at least 1 class.")
        if is_single(images):
            (source,) = sources(images)
            (probabilities,) = self._probabilities([self._read(source)])
            return Prediction.of(source.name, probabilities, self.classes, top)
        predictions, remaining = [], sources(images)
        while group := list(islice(remaining, self._together)):
            predictions += self._predict_group(group, top)
        return predictions

    def _predict_group(self, group: list[Source], top: int) -> list[Prediction]:
        read: list[NDArray[np.uint8] | StriateError] = []
        for source in group:
            try:
                read.append(self._read(source))
            except UsageError:
                raise
            except StriateError as error:
                read.append(error)
        good = [image for image in read if not isinstance(image, StriateError)]
        probabilities = iter(self._probabilities(good))
        return [
            Prediction(source.name, error=str(image))
            if isinstance(image, StriateError)
            else Prediction.of(source.name, next(probabilities), self.classes, top)
            for source, image in zip(group, read, strict=True)
        ]

    def predict_proba(self, images: Any) -> NDArray[np.float32]:
        """Probabilities (N, K) of N images, as scikit-learn's classifiers give them; K in the order of `classes`.

        Raises:
            StriateError: an image cannot be read (every row must belong to an image).
        """
        rows: list[NDArray[np.float32]] = []
        remaining = sources(images)
        while group := list(islice(remaining, self._together)):
            rows.append(self._probabilities([self._read(source) for source in group]))
        return np.concatenate(rows) if rows else np.empty((0, len(self.classes)), np.float32)

    def evaluate(self, source: str | Path | Dataset | Split | None = None, split: str | None = None) -> Evaluation:
        """Measure the classifier on labelled images; their classes are matched by name.

        Args:
            source: what `open_dataset` takes, a data set, or a split of one; None for the data set it was trained
                with, split as it was then.
            split: "train", "val" or "test"; by default the test images where there are any, else validation
                images, else all.

        Raises:
            StriateError: the data has classes that the classifier does not know, or lacks the split.
        """
        if not isinstance(source, Split):
            source = self._pick_split(source, split)
        batches = Batches(source, self.description.preprocessing, BATCH_SIZE)
        return evaluate(self.model, batches, self.description.preprocessing, self.classes)

    def _pick_split(self, source: str | Path | Dataset | None, name: str | None) -> Split:
        if name not in (None, "train", "val", "test"):
            raise UsageError(f"split '{name}' is unknown; it is one of train, val, test.")
        dataset = source if isinstance(source, Dataset) else self._open(source, name)
        chosen = getattr(dataset, name) if name else dataset.test or dataset.val or dataset.train
        if chosen is None:
            there = ", ".join(split.name for split in dataset.splits)
            raise StriateError(f"{dataset.source} has no {name} images; it has {there}.")
        return Split(chosen.name, chosen.images, self._own_labels(dataset, chosen.labels))

    def _open(self, source: str | Path | None, split: str | None) -> Dataset:
        channels, trained_on = self.description.preprocessing.channels, self.description.data
        if source is not None:
            # Without a split asked for, none is cut off: all images of a flat folder are measured.
            fraction = 0.1 if split == "val" else 0.0
            return open_dataset(source, channels=channels, val_fraction=fraction, classes=self.classes)
        if not trained_on:
            raise UsageError("this model does not say what it was trained on; name the images to evaluate on.")
        run = RunFolder(self.path or "")
        absolute = run.read_config()["absolute_source"] if self.path and run.config.is_file() else ""
        where = locate(trained_on["source"], absolute)
        seed, fraction = trained_on["seed"], trained_on["val_fraction"]
        dataset = open_dataset(where, channels=channels, seed=seed, val_fraction=fraction)
        if dataset.fingerprint != trained_on["fingerprint"]:
            raise StriateError(
                f"{where}: the images have changed since the model was trained on them, so some that are set aside "
                "now may have been trained on. Name images to evaluate on."
            )
        return dataset

    def _own_labels(self, dataset: Dataset, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """The data set's labels as positions in the classifier's classes."""
        unknown = [name for name in dataset.classes if name not in self.classes]
        if unknown:
            raise StriateError(
                f"{dataset.source} has {len(unknown)} classes that the model was not trained on: "
                f"{', '.join(unknown[:5])}{' …' * (len(unknown) > 5)}.{nearest(unknown[0], self.classes)} "
                f"The model knows {', '.join(self.classes[:10])}{' …' * (len(self.classes) > 10)}."
            )
        return np.array([self.classes.index(name) for name in dataset.classes])[labels]

    def save(self, path: str | Path) -> Path:
        """Write the classifier to one .safetensors file that `striate.load` reads; return its path.

        Raises:
            StriateError: it cannot be written.
        """
        path = Path(path)
        if path.suffix != ".safetensors":
            raise UsageError(f"{path}: a classifier is saved as a .safetensors file.")
        return save_model(path, self.model, self.description)

    @property
    def _together(self) -> int:
        """How many images go through the network at once, so that memory is bounded whatever its input size."""
        height, width = self.description.preprocessing.size
        return max(1, min(BATCH_SIZE, PIXELS_AT_ONCE // (height * width)))

    def _read(self, source: Source) -> NDArray[np.uint8]:
        look = self.description.preprocessing
        try:
            return look(source.read(look.channels))
        except Exception as error:
            if is_out_of_memory(error) and not isinstance(error, StriateError):
                raise UnreadableImage("does not fit in memory", source.name) from error
            raise

    @torch.inference_mode()
    def _probabilities(self, images: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Probabilities (N, K) of preprocessed images."""
        if not images:
            return np.empty((0, len(self.classes)), np.float32)
        device = next(self.model.parameters()).device
        batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).to(device)
        logits = class_logits(self.model(self.description.preprocessing.normalise(batch)), len(self.classes))
        return logits.float().softmax(1).cpu().numpy()


def locate(source: str, absolute: str) -> str:
    """Where a data set lies: at its absolute path, else as it was called, for it may have moved along."""
    return absolute if absolute and Path(absolute).exists() else source


def load(path: str | Path) -> Classifier:
    """Load a classifier from a run folder, or from the .safetensors file that `Classifier.save` wrote.

    Raises:
        StriateError: there is none, it is damaged, it is a pickle, or it does not describe itself.
    """
    path = Path(path)
    if path.is_dir() and not (path / "model.safetensors").exists():
        unfinished = (path / "last.ckpt").exists()
        hint = f"the run has no result yet; go on with --resume {path}" if unfinished else "no run folder"
        raise StriateError(f"{path}: no model.safetensors in it ({hint}).")
    file = path / "model.safetensors" if path.is_dir() else path
    return Classifier(*load_model(file), path=path)
