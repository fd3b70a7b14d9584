"""LeNet's output units: distances from codes drawn as digits, and the losses made for them (LeCun et al., 1998)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import UsageError

#: The ten digits on 7x12 pixels, in the manner of the paper's figure 3, drawn anew: the paper prints a picture and no
#: numbers. Ink is +1 and paper -1.
DIGITS = """
 .......  .......  .......  .......  .......  .......  .......  .......  .......  .......
 ..###..  ...#...  ..###..  #######  .....#.  #######  ...###.  #######  .#####.  .#####.
 .#...#.  ..##...  .#...#.  .....#.  ....##.  #......  ..##...  #....##  ##...##  ##...##
 ##...##  .###...  ##...##  ....#..  ...###.  #......  .##....  .....#.  #.....#  #.....#
 #.....#  ...#...  .....##  ...#...  ..##.#.  ##.....  #......  .....#.  ##...##  #.....#
 #.....#  ...#...  ....##.  ..####.  .##..#.  .####..  #.####.  ....#..  .#####.  ##...##
 #.....#  ...#...  ...##..  .....##  ##...#.  ....##.  ##...##  ....#..  ##...##  .####.#
 #.....#  ...#...  ..##...  ......#  #######  .....##  #.....#  ...#...  #.....#  ......#
 ##...##  ...#...  .##....  ......#  .....#.  ......#  #.....#  ...#...  #.....#  .....##
 .#...#.  ...#...  ##.....  ##...##  .....#.  ##...##  ##...##  ..#....  ##...##  ...###.
 ..###..  .#####.  #######  .#####.  .....#.  .#####.  .#####.  ..#....  .#####.  .###...
 .......  .......  .......  .......  .......  .......  .......  .......  .......  .......
"""

#: Seed of the codes beyond those of Paley's matrix.
SEED = 1998


def digit_bitmaps() -> Tensor:
    """The ten digits as +-1 codes (10, 84): 12 rows of 7 pixels."""
    rows = [line.split() for line in DIGITS.strip().splitlines()]
    return torch.tensor(
        [[1.0 if pixel == "#" else -1.0 for row in rows for pixel in row[digit]] for digit in range(10)]
    )


def paley_codes() -> Tensor:
    """168 codes of +-1 (168, 84), each pair at least 42 entries apart: a Hadamard matrix of order 84 and its negative.

    Paley (1933): with q = 83, a prime of the form 4 n + 3, and chi(a) = +1 for squares mod q and -1 for other a but 0,
    the matrix I + [[0, 1], [-1, chi(i - j)]] has orthogonal rows.
    """
    q = 83
    squares = {i * i % q for i in range(1, q)}
    rows = [[1.0] * (q + 1)]
    for i in range(q):
        rows.append([-1.0] + [1.0 if i == j or (i - j) % q in squares else -1.0 for j in range(q)])
    matrix = torch.tensor(rows)
    return torch.cat([matrix, -matrix])


def codes(num_classes: int) -> Tensor:
    """The codes of `num_classes` classes, (num_classes, 84).

    Ten classes have the digits' bitmaps. Other numbers have the first of Paley's codes, and from 169 on random codes
    of a fixed seed after them.
    """
    if num_classes == 10:
        return digit_bitmaps()
    known = paley_codes()
    further = max(0, num_classes - len(known))
    generator = torch.Generator("cpu").manual_seed(SEED)
    drawn = torch.randint(2, (further, known.shape[1]), generator=generator, device="cpu").float() * 2 - 1
    return torch.cat([known, drawn.to(known.device)])[:num_classes]


class RBFOutput(nn.Module):
    """Radial basis function units: minus the squared Euclidean distances from fixed codes, (N, 84) -> (N, K).

    The paper's unit i gives y_i, the sum over j of (x_j - w_ij)^2, and the smallest wins. The sign is turned here so
    that outputs are used like any network's logits: the largest wins, and softmax gives exp(-y_i) / sum exp(-y_k), the
    classes' probabilities when each code is the mean of a Gaussian of variance 1/2 in every direction.

    Attributes:
        weight: the codes (K, 84), a buffer: fixed, saved with the network, no parameter.
    """

    weight: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        if num_classes < 1:
            raise UsageError(f"num_classes is {num_classes}; RBF units need at least 1 class")
        self.register_buffer("weight", codes(num_classes))

    def forward(self, x: Tensor) -> Tensor:
        """Minus the squared distances (N, K)."""
        # difference by difference, since |x|^2 - 2 x w + |w|^2 would cancel badly in half precision
        return -(x.unsqueeze(1) - self.weight).square().sum(2)  # (N, 1, 84) - (K, 84) -> (N, K)

    def fresh(self, num_classes: int) -> RBFOutput:
        """Units for another number of classes, on the same device and of the same type."""
        return RBFOutput(num_classes).to(self.weight)

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"{self.weight.shape[1]}, {len(self.weight)}"


class RBFLoss(nn.Module):
    """The discriminative loss of RBF outputs, the paper's equation 9: mean of y_D + log(exp(-j) + sum exp(-y_i)).

    It pulls F6 towards the right class's code and pushes it from the others', but only from those that are not
    farther than about j: exp(-j) stands for a class of rubbish at that distance. Equal to cross-entropy with one more
    logit of -j. With an infinite j it is the cross-entropy of softmax(-y); with j = -infinity only the pull of
    equation 8 is left, but for a constant.

    Args:
        rubbish: the constant j, a squared distance. The paper says that it is positive and gives no value; 84 is the
            squared distance of any code from an F6 of zeros, which says nothing.
    """

    def __init__(self, rubbish: float = 84.0) -> None:
        super().__init__()
        self.rubbish = rubbish

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The mean over the batch, from `RBFOutput`'s logits -y (N, K) and labels (N,)."""
        return F.cross_entropy(F.pad(logits, (0, 1), value=-self.rubbish), labels)

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"rubbish={self.rubbish:g}"


class RBFDistanceLoss(nn.Module):
    """The paper's equation 8: the mean squared distance y_D from the right class's code.

    With fixed codes it is plain regression of F6 on the codes; nothing pushes F6 from the wrong ones.
    """

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The mean over the batch, from `RBFOutput`'s logits -y (N, K) and labels (N,)."""
        return -logits.gather(1, labels[:, None]).mean()
