"""How to train, by how many images there are and how like the pretrained network's they are: the lectures' advice.

Few and similar: a linear classifier on frozen features. Few and different: on features of an earlier layer, since the
last ones belong to the old task. Many: fine-tune all (Yosinski et al., 2014, arXiv:1411.1792, measured how features
grow from general to particular with depth).
"""

from __future__ import annotations

from dataclasses import dataclass

#: From so many images on, all layers are trained.
ENOUGH_TO_FINE_TUNE_ALL = 10_000
#: Below this many images a network that starts from random weights learns them by heart.
ENOUGH_TO_START_FROM_NOTHING = 20_000


#: Stands for the middle one of a network's stages.
MIDDLE = "middle"


@dataclass(frozen=True)
class Regime:
    """One way to train.

    Attributes:
        when: for which images.
        advice: what to do, in a sentence.
        freeze: what is not trained, as `train(..., freeze=...)` and `--freeze` take it: "all" below the head, or up to
            the stage in the `MIDDLE`; None for nothing.
    """

    when: str
    advice: str
    freeze: str | None = None


SIMILAR = Regime(
    "few images, similar to those of the weights",
    "train a linear classifier on the frozen features of the last layer (--freeze all)",
    "all",
)
DIFFERENT = Regime(
    "few images, unlike those of the weights",
    "take features from an earlier layer: freeze up to a stage in the middle (--freeze STAGE) and train what follows",
    MIDDLE,
)
ALL = Regime("many images", "fine-tune all layers from the weights, at a low learning rate")
NOTHING = Regime(
    "small pictures, at whose size no weights were trained",
    "train a network made for CIFAR from nothing, with augmentation",
)
ENLARGED = Regime(
    "few small pictures",
    "enlarge them, for a linear classifier on the frozen features of an ImageNet network (--size 224 --freeze all)",
    "all",
)


def regimes(images: int, similar: bool | None = None, pretrained: bool = True) -> tuple[Regime, ...]:
    """What the lectures advise for so many images, the likelier first.

    Args:
        images: how many labelled ones there are.
        similar: whether they are like those that the weights were trained on; None where nobody knows.
        pretrained: whether there are weights that were trained on images of about that size.
    """
    if not pretrained:
        return (NOTHING, ENLARGED) if images < ENOUGH_TO_FINE_TUNE_ALL else (NOTHING,)
    if images >= ENOUGH_TO_FINE_TUNE_ALL:
        return (ALL,)
    if similar is None:
        return (SIMILAR, DIFFERENT)
    return (SIMILAR,) if similar else (DIFFERENT,)
