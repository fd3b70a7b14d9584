"""In which precision training validates: float32, or bfloat16 once it was checked."""

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from striate.engines import Eager, evaluating
from striate.training.checkpoints import load_state_alone
from striate.training.evaluation import evaluate
from striate.training.metrics import Evaluation
from striate.training.recipes import Recipe
from striate.training.validation import Validation, agrees


def outcome(right: int = 800, loss: float = 0.5) -> Evaluation:
    labels = np.zeros(1000, int)
    return Evaluation(("a", "b"), labels, np.eye(2)[(np.arange(1000) >= right).astype(int)], loss=loss)


@pytest.mark.parametrize(
    ("right", "loss", "same"),
    [
        (800, 0.5, True),
        (802, 0.5049, True),
        (798, 0.4951, True),
        (803, 0.5, False),
        (800, 0.506, False),
        (800, np.nan, False),
    ],
)
def test_figures_agree_within_two_tenths_of_a_point_and_a_hundredth_of_the_loss(right, loss, same):
    assert agrees(outcome(), outcome(right, loss)) is same


def half(small):
    """bfloat16, as processors have it."""
    return Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")


def test_eager_casts_and_gives_float32(small):
    network = small.network(False).eval()
    images = np.random.default_rng(0).integers(0, 256, (8, 12, 12, 1), dtype=np.uint8)
    exact, reduced = (Eager(network, small.LOOK.normalise, dtype)(images) for dtype in (None, torch.bfloat16))
    assert exact.dtype == reduced.dtype == np.float32
    assert 0 < np.abs(exact - reduced).max() < 0.05 * np.abs(exact).max()


@pytest.mark.parametrize(
    ("wanted", "precision", "chosen"),
    [("auto", "bf16-mixed", ""), ("auto", "32-true", "32"), ("32", "bf16-mixed", "32"), ("auto", "16-mixed", "32")],
)
def test_it_is_open_only_where_training_is_in_bfloat16(small, wanted, precision, chosen):
    assert Validation(None, None, small.LOOK, wanted, precision).chosen == chosen


def test_the_first_validation_is_exact_and_says_how_the_two_compare(small, tmp_path):
    run = small.training(tmp_path, small.recipe(), fabric=half(small))
    assert run.validation.chosen == ""
    network = run.module
    with evaluating(network):
        exact = evaluate(Eager(network, small.LOOK.normalise), run.validation.batches, run.task)
    found = run.validate()
    assert found.loss == exact.loss
    assert run.validation.chosen in ("32", "bf16")
    assert run.position.notes == [run.validation.words]
    assert f"loss {exact.loss:.4f}): later epochs are validated in bfloat16" in run.validation.words
    run.validation.chosen = "bf16"
    again = run.validate()
    assert 0 < abs(again.loss - exact.loss) < 0.05
    assert run.position.notes == [run.validation.words]
    assert network.training  # in the mode it was in


def test_what_does_not_agree_is_measured_in_float32(small, tmp_path, monkeypatch):
    monkeypatch.setattr("striate.training.validation.LOSSES_AGREE", 0.0)
    run = small.training(tmp_path, small.recipe(), fabric=half(small))
    run.validate()
    assert run.validation.chosen == "32"
    assert run.validation.words.startswith("validation in bfloat16 differs from float32 (")
    assert run.validation.words.endswith("later epochs are validated in float32")


def test_the_choice_survives_a_stop(small, tmp_path):
    whole = small.training(tmp_path / "whole", small.recipe(), fabric=half(small))
    whole.train()
    parts = small.training(tmp_path / "parts", small.recipe(), fabric=half(small))
    small.stop_after(parts, 6)
    parts.train()
    assert load_state_alone(tmp_path / "parts" / "last.ckpt")["validation"] == parts.validation.chosen != ""
    again = small.training(tmp_path / "parts", small.recipe(), fabric=half(small))
    again.restore()
    again.train()
    assert again.position.history == whole.position.history
    assert again.position.notes == whole.position.notes
    assert len(again.position.notes) == 1


def test_recipes_of_before_validate_in_float32():
    written = Recipe().to_dict()
    assert written.pop("validation_precision") == "auto"
    assert Recipe.from_dict(written).validation_precision == "32"
