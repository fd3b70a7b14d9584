"""What the images suggest where nothing was asked for: network, resolution, batch, preprocessing, workers."""

from __future__ import annotations

from pathlib import Path

from striate.caller import either
from striate.data import ArrayImages, Dataset, KeptImages, Preprocessing
from striate.data.kept import becomes
from striate.data.preprocessing import SMALL
from striate.data.survey import size_text, typical_side
from striate.data.workers import worker_count
from striate.models import Network, Outline
from striate.models.pretrained import input_size_of
from striate.models.weights_of_own import images_said

#: The side at which a network of one's own sees larger images, where it does not say.
USUAL = 224
#: Images that are shown so many times larger than they are were enlarged by much.
MUCH = 2


def typical_side_of(dataset: Dataset) -> int | None:
    """The longer side of a typical training image; None where nobody has looked at their sizes."""
    images, facts = dataset.train.images, dataset.train.facts
    if facts is not None:
        return typical_side(facts.sizes)
    return max(images.array.shape[1:3]) if isinstance(images, ArrayImages) else None


def default_network(dataset: Dataset, side: int | None) -> str:
    """The network where none is asked for."""
    if side is None or side > SMALL:
        return "resnet18"
    return "striate_m" if dataset.channels == 1 else "striate_l"


def input_size(outline: Outline, side: int | None, weights: str | Path | None) -> int:
    """The side of the images that a network is to see: its weights' own, else what suits images and network."""
    if weights and outline.card is not None:
        return input_size_of(outline.card, weights)
    said = images_said(outline.name, weights) if weights and not outline.fixed_size else None
    if said is not None:
        return said.input_size
    made_for = outline.input_size or USUAL
    if side is None or side > SMALL or side < outline.smallest:
        return made_for
    # Networks made for small images see them at their own size; others at the size they were made for.
    return made_for if outline.fixed_size else side


def size_notes(dataset: Dataset, side: int | None, size: int) -> list[str]:
    """How images of several sizes came to be shown at the size of some of them."""
    sizes = dataset.survey.sizes if dataset.survey else None
    if sizes is None or sizes.different == 1 or size != side:
        return []
    between = f"from {size_text(sizes.smallest)} to {size_text(sizes.largest)}"
    return [
        f"the images are of {sizes.different:,} sizes, {between}; the network sees {size}x{size}, chosen by the middle "
        "one of their longer sides"
    ]


def enlarged_notes(network: Network, side: int | None, size: int) -> list[str]:
    """That images far smaller than those that the weights were trained on are enlarged."""
    source = network.weights_source
    if source is None or side is None or size < MUCH * side:
        return []
    return [
        f"the images are {side} pixels a side and the weights were trained at {source.input_size}: they are enlarged "
        f"to {size}x{size}; {either('--size N', 'size=N')} shows them at another size"
    ]


def preprocessing_for(network: Network, dataset: Dataset, size: int, resize: str | None = None) -> Preprocessing:
    """As the weights want their images, else by the statistics of these; `resize` is the rule that is asked for."""
    source = network.weights_source
    side = typical_side_of(dataset)
    if source is not None:
        mean, std = source.normalisation(dataset.channels)
        rule, crop, way = source.resize, source.crop_fraction, source.interpolation
        return Preprocessing((size, size), dataset.channels, mean, std, resize or rule, crop, way)
    # Small pictures are shown whole: a centre crop would cut their edges off.
    whole = side is not None and side <= SMALL
    rule = resize or ("stretch" if whole else "crop")
    return Preprocessing.for_dataset(dataset, (size, size), resize=rule)


def fitting_batch(images: int) -> int:
    """The largest power of two, at least 2, that gives an epoch ten steps; all images where there are fewer."""
    return min(images, max(2, 2 ** ((images // 10).bit_length() - 1)))


def workers_for(dataset: Dataset, side: int | None, wanted: int | None) -> int:
    """Worker processes: none for small images in memory, whose batches cost less than sending them would."""
    if wanted is not None:
        return wanted
    images, facts = dataset.train.images, dataset.train.facts
    held = type(images) if facts is None else becomes(images, facts.sizes)
    is_small = held is KeptImages and side is not None and side <= SMALL
    return 0 if held is ArrayImages or is_small else worker_count()
