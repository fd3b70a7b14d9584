"""Whether augmentation makes one class look like another (a turned 6, a mirrored b, a hue), asked of the pictures.

A small classifier is trained twice, on plain thumbnails and on those under one transform, and names plain ones both
times. A transform that leaves classes apart costs it nothing or helps; one that makes classes alike, or takes away what
tells them apart, costs it pictures. Those that only one of the two names rightly decide (a sign test, McNemar, 1947).

The classifier is that of Coates, Ng and Lee, "An Analysis of Single-Layer Networks in Unsupervised Feature Learning"
(2011): responses to patches of the pictures themselves, whitened, pooled, and a ridge regression on them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from striate.augment import Augment
from striate.augment.augmenting import moved, recoloured
from striate.augment.sampling import draws, geometries
from striate.augment.showing import skipped
from striate.data import Preprocessing, Split
from striate.data.workers import reading_threads

#: Transforms that are asked about, from which strength on: less changes no class that a person would not confuse.
ASKED: Final = {"flip": 0.0, "vertical_flip": 0.0, "rotate": 15.0, "hue": 20.0, "grey": 0.0}
#: Images that are looked at, at most and at least.
MOST, LEAST = 1000, 100
#: What counts: a loss that chance gives less often than this where there is none, and so many times the mistakes.
DOUBT, WORSE = 1e-3, 1.125
#: Sides of the pictures that are transformed, and of the thumbnails that are classified.
SIDE, THUMBNAIL = 32, 16
#: Pixels a side of a patch, patches, and times that each picture is shown under the transform.
PATCH, PATCHES, SHOWINGS = 5, 96, 2
#: Cells a side over which responses are averaged, and how much more the colours of these count.
POOL, COLOURS = 4, 2.0
#: Of a patch's contrast, of the whitening, of the responses: what is too weak to count. Of the regression: its ridge.
FAINT, SMOOTH, QUIET, RIDGE = 0.03, 0.1, 0.5, 1.0
_SAMPLED = 6000  # patches from which the whitening is learnt


@dataclass(frozen=True)
class LabelChange:
    """A transform that costs the small classifier images.

    Attributes:
        transform: its field in the policy.
        strength: in the policy.
        plain: share of plain images named rightly by the classifier trained on plain ones.
        changed: by the one trained on images under the transform.
    """

    transform: str
    strength: float
    plain: float
    changed: float

    def __str__(self) -> str:
        return (
            f"augment.{self.transform}={self.strength:g} seems to change what these images show: a small classifier "
            f"trained with it names {self.changed:.1%} of them rightly, without it {self.plain:.1%}; "
            f"--set augment.{self.transform}=0 leaves it out"
        )


def label_changes(split: Split, policy: Augment, seed: int = 0) -> list[LabelChange]:
    """The transforms of a policy, of those that can do so, that make classes of these images alike.

    Args:
        split: images with one class each; of others, and of fewer than `LEAST`, nothing is known.
        policy: the strengths.
        seed: decides which images are looked at, and the transforms.
    """
    if split.labels.ndim > 1 or len(split) < LEAST:
        return []
    idle = skipped(policy, split.images.read(0).shape[2])
    asked = [name for name, least in ASKED.items() if getattr(policy, name) > least and name not in idle]
    if not asked:
        return []
    rows = np.random.default_rng(seed).permutation(len(split))[:MOST]
    pictures = _pictures(split, rows)
    labels = torch.from_numpy(np.unique(split.labels[rows], return_inverse=True)[1])
    responses = _Responses(_thumbnails(pictures))
    plain = responses.of(_thumbnails(pictures))
    named = _named(plain, [plain], labels)
    found = []
    for name in asked:
        alone = Augment(border=policy.border).with_strengths(**{name: getattr(policy, name)})
        shown = [responses.of(_thumbnails(made)) for made in _under(alone, pictures, seed)]
        instead = _named(plain, shown, labels)
        lost, won = int((named & ~instead).sum()), int((instead & ~named).sum())
        worse = (~instead).sum() > WORSE * (~named).sum()
        if worse and _chance_of(lost, lost + won) < DOUBT:
            found.append(LabelChange(name, getattr(policy, name), _share(named), _share(instead)))
    return found


def _chance_of(losses: int, changes: int) -> float:
    """The chance of so many losses or more among changes that go either way."""
    return sum(math.comb(changes, number) for number in range(losses, changes + 1)) / 2**changes


def _share(named: Tensor) -> float:
    return float(named.double().mean())


def _pictures(split: Split, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    channels = split.images.read(int(rows[0])).shape[2]
    look = Preprocessing((SIDE, SIDE), channels, (0.5,) * channels, (0.5,) * channels, "stretch")
    with reading_threads() as pool:
        return np.stack(list(pool.map(lambda row: look(split.images.read(row, look.serving)), rows.tolist())))


def _under(policy: Augment, pictures: NDArray[np.uint8], seed: int) -> Iterator[NDArray[np.uint8]]:
    """The pictures under a policy, time after time."""
    sizes = np.tile(pictures.shape[1:3], (len(pictures), 1))
    for showing in range(SHOWINGS):
        drawn = draws(policy, seed, showing, np.arange(len(pictures)))
        made = moved(policy, drawn, pictures, geometries(policy, drawn, sizes, (SIDE, SIDE), "stretch"), (SIDE, SIDE))
        recoloured(policy, drawn, made)
        yield made


def _thumbnails(pictures: NDArray[np.uint8]) -> Tensor:
    """(N, C, THUMBNAIL, THUMBNAIL) in 0..1."""
    batch = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    return F.avg_pool2d(batch, SIDE // THUMBNAIL)


class _Responses:
    """What thumbnails are described by: how strongly patches answer in each part of them, and their colours there."""

    def __init__(self, thumbnails: Tensor) -> None:
        chance = torch.Generator().manual_seed(0)
        patches = F.unfold(thumbnails, PATCH).transpose(1, 2).flatten(0, 1)
        patches = patches[torch.randint(len(patches), (_SAMPLED,), generator=chance)]
        patches = patches - patches.mean(1, keepdim=True)
        patches = patches / (patches.std(1, keepdim=True) + FAINT)
        mean = patches.mean(0)
        variances, directions = torch.linalg.eigh(torch.cov((patches - mean).T))
        whitening = directions * (variances + SMOOTH).rsqrt() @ directions.T
        chosen = F.normalize((patches[:PATCHES] - mean) @ whitening) @ whitening
        self._offsets = (chosen @ mean)[:, None, None]
        self._filters = (chosen - chosen.mean(1, keepdim=True)).unflatten(1, (thumbnails.shape[1], PATCH, PATCH))

    def of(self, thumbnails: Tensor) -> Tensor:
        """(N, features)."""
        level = torch.full_like(self._filters[:1], 1 / self._filters[0].numel())
        mean = F.conv2d(thumbnails, level)
        contrast = (F.conv2d(thumbnails**2, level) - mean**2).clamp_min(0).sqrt() + FAINT
        answers = F.conv2d(thumbnails, self._filters) / contrast - self._offsets
        answers = torch.cat([F.relu(answers - QUIET), F.relu(-answers - QUIET)], dim=1)
        kinds = (F.avg_pool2d(answers, POOL).flatten(1), 1.0), (F.avg_pool2d(thumbnails, POOL).flatten(1), COLOURS)
        return torch.cat([weight * kind for kind, weight in kinds], dim=1)


def _named(plain: Tensor, shown: list[Tensor], labels: Tensor) -> Tensor:
    """Which plain images are named rightly by what is learnt of the other half of them as they are shown: bool (N,)."""
    mean, spread = plain.mean(0), plain.std(0)
    spread = spread + 0.1 * spread.mean() + 1e-6
    known, taught = (plain - mean) / spread, [(features - mean) / spread for features in shown]
    goals = F.one_hot(labels).double()
    goals -= goals.mean(0)
    named = torch.empty(len(labels), dtype=torch.bool)
    for half in range(2):
        asked = torch.arange(len(labels)) % 2 == half
        lessons = torch.cat([features[~asked] for features in taught])
        alike = (lessons @ lessons.T).double()
        alike.diagonal().add_(RIDGE * alike.diagonal().mean() / lessons.shape[1] * (len(lessons) / len(taught)))
        weights = torch.linalg.solve(alike, goals[~asked].repeat(len(taught), 1))
        named[asked] = ((known[asked] @ lessons.T).double() @ weights).argmax(1) == labels[asked]
    return named
