"""The least loss that smoothed labels allow is the one that the best logits reach."""

import pytest
import torch
from torch.nn import functional

from striate.classifier.run_facts import smoothing_floor


@pytest.mark.parametrize(("smoothing", "classes"), [(0.1, 2), (0.1, 3), (0.3, 100)])
def test_the_floor_of_smoothed_labels_is_the_loss_of_the_best_logits(smoothing, classes):
    other = smoothing / classes
    best = torch.full((1, classes), other, dtype=torch.float64)
    best[0, 0] += 1 - smoothing
    loss = functional.cross_entropy(best.log(), torch.tensor([0]), label_smoothing=smoothing)
    assert smoothing_floor(smoothing, classes) == pytest.approx(loss.item())
