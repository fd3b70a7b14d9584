"""Training that diverges names the step that did it, and nothing broken is ever saved."""

import copy
import math
import re

import pytest
import torch

from striate.caller import by_flags
from striate.errors import StriateError
from striate.training.checkpoints import load_checkpoint
from striate.training.divergence import LOSS_CHECK, Diverged, Guard, RecentSteps, finite
from striate.training.sums import EpochSums
from striate.training.tasks import SingleLabel

INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("values", "expected"), [([1.0, 2.0], True), ([1.0, INF], False), ([NAN], False), ([-INF, 1.0], False)]
)
def test_finite_looks_at_every_value(values, expected):
    tensors = [torch.ones(3), torch.tensor([7]), torch.tensor(values)]
    assert finite(tensors) is expected
    assert finite(reversed(tensors)) is expected


@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_finite_looks_at_single_numbers_and_every_kind(value, kind):
    broken = torch.tensor(value, dtype=kind)
    assert finite([torch.tensor(1.0, dtype=kind)])
    assert not finite([torch.tensor(7), torch.ones(2), broken])
    assert not finite([broken.expand(2, 3)])


def test_finite_takes_nothing_and_whole_numbers_for_sound():
    assert finite([])
    assert finite([torch.tensor([1, 2])])


def test_the_first_broken_step_is_named_else_the_last():
    steps = RecentSteps()
    assert steps.broken() == (0, 0.0)
    for step, loss in enumerate([1.0, 2.0, NAN, NAN], 5):
        steps.add(step, step / 10, torch.tensor(loss))
    assert steps.broken() == (7, 0.7)
    steps = RecentSteps()
    steps.add(1, 0.1, torch.tensor(1.0))
    steps.add(2, 0.2, torch.tensor(1.0))
    assert steps.broken() == (2, 0.2)


def test_as_many_steps_are_kept_as_lie_between_two_looks():
    steps = RecentSteps()
    for step in range(1, 200):
        steps.add(step, 0.1, torch.tensor(NAN if step > 199 - LOSS_CHECK else 1.0))
    assert steps.broken()[0] == 200 - LOSS_CHECK


def broken_at(run, step: int, what: str) -> None:
    """Have a value become infinite in optimizer step `step`."""
    if what == "loss":
        criterion = run.objective.criterion
        run.objective.criterion = lambda *given: criterion(*given) * (INF if run.position.step + 1 == step else 1)
        return
    update = run.update

    def broken_update(loss):
        update(loss)
        if run.position.step + 1 == step:
            with torch.no_grad():
                target = {"weight": run.module.stem.weight, "statistics": run.module.stages.one[1].running_var}[what]
                target.view(-1)[1] = INF

    run.update = broken_update
    broken_update.state = update.state


@pytest.mark.parametrize("clip_norm", [0.0, 1.0])
def test_the_message_names_the_step_and_its_rate(clip_norm, tmp_path, small):
    chosen = small.recipe(epochs=2, schedule="linear", clip_norm=clip_norm)
    run = small.training(tmp_path, chosen)
    broken_at(run, 7, "loss")
    with pytest.raises(StriateError) as error:
        run.train()
    rate = 0.05 * (1 - 6 / 8)
    text = f"the loss became infinite or not a number in epoch 2, by step 7, at a learning rate of {rate:.3g}. "
    assert str(error.value).startswith(text)
    assert ("clip_norm=1" in str(error.value)) == (clip_norm == 0)
    assert "lower learning_rate" in str(error.value)


@pytest.mark.parametrize("val", [True, False])
@pytest.mark.parametrize("what", ["weight", "statistics", "loss"])
@pytest.mark.parametrize("step", [3, 8])  # the last of all is 8
def test_nothing_broken_is_saved(step, what, val, tmp_path, small):
    saved = []
    save = lambda network, best, _: saved.append(copy.deepcopy(network.state_dict()))  # noqa: E731
    run = small.training(tmp_path, small.recipe(epochs=2), val=val, save=save)
    broken_at(run, step, what)
    with pytest.raises(StriateError, match=re.compile(rf"in epoch {(step + 3) // 4}, by step [{step}4]")):
        run.train()
    assert all(finite(state.values()) for state in saved)
    tensors, state = load_checkpoint(tmp_path / "last.ckpt")
    assert finite(tensors.values())
    assert state["position"]["step"] == (0 if step == 3 else 4)


def test_a_checkpoint_within_an_epoch_keeps_nothing_broken_either(tmp_path, small):
    run = small.training(tmp_path, small.recipe(epochs=2), checkpoint_every=0.0)
    broken_at(run, 3, "loss")
    with pytest.raises(StriateError, match="by step 3"):
        run.train()
    assert load_checkpoint(tmp_path / "last.ckpt")[1]["position"]["step"] == 2


def test_clipping_keeps_a_training_whole_that_diverges_without(tmp_path, small):
    """What the message recommends helps: gradients far too large for the rate."""

    def train(folder, clip_norm):
        run = small.training(tmp_path / folder, small.recipe(epochs=12, clip_norm=clip_norm, learning_rate=0.1))
        criterion = run.objective.criterion
        run.objective.criterion = lambda *given: 1e18 * criterion(*given)
        return run.train()

    with pytest.raises(StriateError, match="clip_norm=1"):
        train("wild", 0.0)
    assert train("tame", 1.0).history[-1]["train_loss"] < 1e18


def test_weights_that_were_broken_before_the_first_step_are_told(tmp_path, small):
    run = small.training(tmp_path, small.recipe())
    with torch.no_grad():
        run.module.stem.bias[0] = NAN
    with pytest.raises(StriateError, match="a weight became infinite or not a number before the first step"):
        run.train()
    assert not (tmp_path / "last.ckpt").exists()


def test_a_broken_loss_is_not_kept_where_the_step_was_left_out(tmp_path, small):
    """In 16-bit precision the weights outlive it; the sums of the epoch do not."""
    options = {"fabric": small.half_precision(), "checkpoint_every": 0.0}
    run = small.training(tmp_path, small.recipe(epochs=2), **options)
    broken_at(run, 3, "loss")
    with pytest.raises(StriateError, match="the loss became infinite or not a number in epoch 1, by step 3"):
        run.train()
    assert finite(run.module.state_dict().values())
    assert load_checkpoint(tmp_path / "last.ckpt")[1]["position"]["step"] == 2


def guard(small, tmp_path, clips: bool) -> Guard:
    sums = EpochSums(small.half_precision(), ["train_loss"], SingleLabel(("a", "b")))
    return Guard(sums, 4, tmp_path, clips)


@pytest.mark.parametrize(("step", "epoch"), [(1, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
def test_a_step_is_told_with_the_epoch_it_is_of(small, tmp_path, step, epoch):
    watch = guard(small, tmp_path, clips=False)
    watch.check_losses()
    watch.check_weights({"a": torch.ones(2), "count": torch.tensor([1])})
    watch.remember(step, 0.12345, torch.tensor(NAN))
    with pytest.raises(StriateError) as error, by_flags({}):
        watch.check_weights({"a": torch.ones(2), "b": torch.tensor([NAN])})
    assert str(error.value) == (
        f"a weight became infinite or not a number in epoch {epoch}, by step {step}, at a learning rate of 0.123. The "
        f"last good state is kept in {tmp_path}. Train again with a lower --learning-rate, or with "
        "--set clip_norm=1."
    )
    clipped = guard(small, tmp_path, clips=True)
    clipped.remember(step, 0.1, torch.tensor(1.0))
    clipped.sums.sums[0] = INF
    clipped.sums.seen = 1
    with pytest.raises(StriateError, match=r"^the loss became .* Train again with a lower learning_rate\.$"):
        clipped.check_losses()


def test_a_loss_may_be_of_all_processes_or_of_this_one(small, tmp_path, monkeypatch):
    watch, asked = guard(small, tmp_path, clips=False), []
    monkeypatch.setattr(watch.sums, "means", lambda together: asked.append(together) or {"train_loss": 1.0})
    watch.check_losses()
    watch.check_losses(together=False)
    assert asked == [True, False]


def test_a_loss_that_was_high_from_the_first_has_not_exploded(small, tmp_path, monkeypatch):
    watch = guard(small, tmp_path, clips=False)
    watch.guessing = 1.0
    watch.remember(1, 0.1, torch.tensor(2.0))
    monkeypatch.setattr(watch.sums, "means", lambda together: {"train_loss": 3.9})
    watch.check_losses()
    monkeypatch.setattr(watch.sums, "means", lambda together: {"train_loss": 4.1})
    with pytest.raises(Diverged, match=r"^the loss rose above 4 in epoch"):
        watch.check_losses()


def test_a_loss_may_be_too_high(small, tmp_path, monkeypatch):
    watch = guard(small, tmp_path, clips=False)
    monkeypatch.setattr(watch.sums, "means", lambda together: {"train_loss": 3.1})
    watch.check_losses()
    watch.guessing = 0.69  # of two classes a loss of three times as much is nothing yet
    watch.check_losses()  # nor is anything of which no step is known, as when training has just gone on
    watch.remember(4, 0.1, torch.tensor(1.0))
    watch.remember(5, 0.1, torch.tensor(9.0))
    with pytest.raises(Diverged, match=r"^the loss rose above 3 in epoch \d, by step 5, at a learning rate of 0\.1"):
        watch.check_losses()
    monkeypatch.setattr(watch.sums, "means", lambda together: {"train_loss": 2.9})
    watch.check_losses()


@pytest.mark.parametrize(
    ("losses", "begun", "lost"),
    [
        ([0.5, 0.7, 0.9, 1.39], (), "0.5"),
        ([0.5, 0.7, 0.9, 1.38], (), ""),  # still better than guessing
        ([1.2, 1.4], (), ""),  # hardly worse than it began
        ([1.5, 1.5], (), ""),
        ([1.5], (), ""),
        ([1.5], (0.5, 0.7, 1.2, 1.2), "0.5"),  # in the first epoch already
        ([1.3, 1.3, 1.4], (1.2, 1.2, 1.9, 1.9), ""),
        ([1.3, 1.3, 1.4], (0.5, 2.7, 9.9, 9.9), "0.5"),  # in the first steps already
        ([1.3, 1.3, 1.4], (1.3, 0.7, 1.1, 0.9), "1"),
        ([0.5, 1.4], (1.9, 1.9), "0.5"),
    ],
)
def test_what_was_known_may_be_lost_slowly(small, tmp_path, losses, begun, lost):
    watch = guard(small, tmp_path, clips=False)
    for step, loss in enumerate(begun, 1):
        watch.remember(step, 0.01, torch.tensor(loss))
    watch.remember(11, 0.01, torch.tensor(0.0))
    watch.check_epochs([0.1, 9.0], 4, validated=False)  # nobody said what guessing gives
    watch.guessing = math.log(4)
    watch.check_epochs(losses, 2 * len(losses) + 1, validated=False)  # there is time to find it again
    if not lost:
        watch.check_epochs(losses, 2 * len(losses), validated=False)
        return
    words = rf"^the loss rose from {lost} to {losses[-1]:.3g}, which is that of guessing, in epoch 3, by step 11"
    for planned in (len(losses), 2 * len(losses)):
        with pytest.raises(Diverged, match=words):
            watch.check_epochs(losses, planned, validated=True)


@pytest.mark.parametrize(
    ("losses", "is_lost"),
    [([0.5, 0.95], True), ([0.5, 0.94], False), ([0.1, 0.2], False), ([1.3, 1.38], False), ([1.5, 1.8], False)],
)
def test_what_is_kept_has_not_lost_half_of_what_was_known(small, tmp_path, losses, is_lost):
    watch = guard(small, tmp_path, clips=False)
    for step, loss in enumerate((losses[0], 2.0, 2.0), 1):
        watch.remember(step, 0.01, torch.tensor(loss))
    watch.remember(11, 0.01, torch.tensor(0.0))
    watch.check_epochs(losses, 2, validated=False)  # nobody said what guessing gives
    watch.guessing = math.log(4)  # 1.386
    watch.check_epochs(losses, 2, validated=True)
    watch.check_epochs(losses, 3, validated=False)
    if not is_lost:
        watch.check_epochs(losses, 2, validated=False)
        return
    with pytest.raises(Diverged, match=r"^the loss rose from 0\.5 to 0\.95 in epoch 3, by step 11"):
        watch.check_epochs(losses, 2, validated=False)


@pytest.mark.parametrize("val", [True, False])
def test_the_epochs_are_looked_at_as_they_end(small, tmp_path, monkeypatch, val):
    run, asked = small.training(tmp_path, small.recipe(epochs=3), val=val), []
    look = lambda losses, planned, validated: asked.append((len(losses), planned, validated))  # noqa: E731
    monkeypatch.setattr(run.guard, "check_epochs", look)
    run.train()
    assert asked == [(1, 3, val), (2, 3, val), (3, 3, val)]
