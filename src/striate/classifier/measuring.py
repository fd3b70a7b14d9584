"""Which images a classifier is measured on: those it was trained with as they were divided then, or others."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from striate.classifier.places import locate
from striate.data import Dataset, Split, open_dataset
from striate.data.division import divide_again
from striate.data.listing import in_places, match_classes
from striate.data.named import NAMES
from striate.data.split_names import split_and_rest, split_of
from striate.errors import StriateError, UsageError
from striate.files import at_home, is_address
from striate.training.model_file import Description
from striate.training.run_folder import RunFolder


class Measuring:
    """Finds the images to measure a classifier on.

    Args:
        description: of the classifier.
        path: the run folder or file it came from, or None.
    """

    def __init__(self, description: Description, path: Path | None) -> None:
        self.description, self.path = description, path

    def part(self, source: str | Path | Dataset | Split | None, split: str | None) -> tuple[Split, tuple[str, ...]]:
        """The images, with their labels in the classifier's terms, and what is to be said about them.

        Args:
            source: a place of images, a data set, a split; None for those of the training.
            split: the part of it that was asked for.

        Raises:
            StriateError: the data has classes that the classifier does not know, or lacks the split.
        """
        if isinstance(source, Split):
            return source, ()
        if isinstance(source, Dataset):
            return self._pick(source, split), ()
        dataset = self._open(source, split)
        return self._pick(dataset, split), _told(dataset)

    def _pick(self, dataset: Dataset, name: str | None) -> Split:
        chosen = getattr(dataset, name) if name else dataset.test or dataset.val or dataset.train
        if not chosen:
            there = ", ".join(split.name for split in dataset.splits if split)
            raise StriateError(f"{dataset.source} has no {name} images; it has {there}.")
        positions = match_classes(dataset.classes, self.description.classes, dataset.source)
        undivided = name is None and chosen is dataset.train and not dataset.divided and not self._learnt_from(dataset)
        called = _spoken_of(dataset.source) if undivided else chosen.name
        return Split(called, chosen.images, in_places(chosen.labels, positions, len(self.description.classes)))

    def _open(self, source: str | Path | None, split: str | None) -> Dataset:
        """The data set to measure on: that of the training as it was divided then, or another."""
        if source is None:
            return self._reopen()
        if self._is_of_training(source):
            with suppress(_Changed):
                return self._reopen()
        channels = self.description.preprocessing.channels
        dataset = open_dataset(
            source,
            channels=channels,
            val_fraction=0,
            classes=self.description.classes,
            task=self.description.learnt.kind,
            target=self._target,
            remember=True,
        )
        # Without a split asked for, none is cut off: all images of a flat folder are measured.
        return self._as_trained(dataset) or (divide_again(dataset, 0.1, seed=0) if split == "val" else dataset)

    def _as_trained(self, dataset: Dataset) -> Dataset | None:
        """The images of the training, wherever they lie, divided as they were then; None where these are others."""
        trained_on = self.description.data
        if not trained_on or dataset.fingerprint == trained_on["fingerprint"]:
            return dataset if trained_on else None
        again = divide_again(dataset, trained_on["val_fraction"], trained_on["seed"])
        return again if again.fingerprint == trained_on["fingerprint"] else None

    def _reopen(self) -> Dataset:
        """The data set it was trained with, divided as it was then."""
        trained_on = self.description.data
        if not trained_on:
            raise UsageError("this model does not say what it was trained on; name the images to evaluate on.")
        source, absolute = self._place_of_training()
        where = locate(source, absolute, f"striate evaluate {self.path or 'MODEL'} NEW_PLACE")
        dataset = open_dataset(
            where,
            channels=self.description.preprocessing.channels,
            seed=trained_on["seed"],
            val_fraction=trained_on["val_fraction"],
            task=self.description.learnt.kind,
            target=self._target,
            remember=True,
        )
        if dataset.fingerprint != trained_on["fingerprint"]:
            raise _Changed(
                f"{where}: the images have changed since the model was trained on them, so some that are set aside "
                "now may have been trained on. Name images to evaluate on."
            )
        return replace(dataset, notes=())  # they were told when it was trained

    @property
    def _target(self) -> list[str]:
        """The columns of a table that it has learnt from, where they were named."""
        return self.description.data.get("target", []) if self.description.data else []

    def _place_of_training(self) -> tuple[str, str]:
        """What the images of the training were called, and their absolute path where it is known."""
        run = RunFolder(self.path or "")
        absolute = run.read_config().get("absolute_source", "") if self.path and run.config.is_file() else ""
        return self.description.data["source"], absolute

    def _is_of_training(self, source: str | Path) -> bool:
        """Whether a source is the very place that the classifier was trained with."""
        if not self.description.data:
            return False
        called, absolute = self._place_of_training()
        if called in NAMES or (isinstance(source, str) and source in NAMES):
            return source == called
        return at_home(source).resolve() == at_home(absolute or called).resolve()

    def _learnt_from(self, dataset: Dataset) -> bool:
        """Whether some of a data set's images may have been trained on, as far as its place and content say."""
        return self._as_trained(dataset) is not None or self._is_of_training(dataset.source)


def _told(dataset: Dataset) -> tuple[str, ...]:
    """What is to be said about images that were opened to measure on."""
    if not dataset.skipped:
        return dataset.notes
    first, count = dataset.skipped[0], len(dataset.skipped)
    return (*dataset.notes, f"{count:,} left out, since they cannot be used (the first: {first.path}: {first.reason})")


def _spoken_of(source: str) -> str:
    """The split that the name of an undivided source speaks of (`photos/test`, `train.parquet`), else "all"."""
    path = Path(source).absolute()
    if path.is_file() or is_address(source):
        return split_and_rest(path.stem)[0] or split_of(path.parent.name) or "all"
    return split_of(path.name) or "all"


class _Changed(StriateError):
    """The images of the training are no longer what they were."""
