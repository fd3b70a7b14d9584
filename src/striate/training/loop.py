"""The training loop, on Lightning Fabric.

Read it from `Training.train` downwards. One pass of the inner loop is one optimizer step; everything that decides
the next step (weights, optimizer, average, random states, sums of the epoch) goes into `last.ckpt`, so a run that
was killed anywhere goes on bit for bit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from striate.data.workers import worker_count
from striate.models import Network
from striate.training.averaging import WeightAverage
from striate.training.batches import Batch
from striate.training.bottleneck import Loading, is_bottleneck
from striate.training.checkpointed import Checkpointed
from striate.training.counting import SHOW_EVERY, now_and_then
from striate.training.divergence import LOSS_CHECK, Guard
from striate.training.events import Events
from striate.training.interruption import Interruption
from striate.training.lost_workers import SIGNS, LostWorker, may_be_sign
from striate.training.material import Material
from striate.training.measured import Measured
from striate.training.objective import Objective
from striate.training.optimizers import create_optimizer, set_rate
from striate.training.pace import Pace
from striate.training.recipes import KEPT, Recipe
from striate.training.run_folder import RunFolder
from striate.training.schedules import Plateau, rate_factor
from striate.training.selection import better, epochs_waited, figures_of
from striate.training.state import Position
from striate.training.statistics import BATCHES, measure, young
from striate.training.sums import EpochSums
from striate.training.tables import metrics_row, timing_row
from striate.training.tasks import Task
from striate.training.trained_set import TrainedSet
from striate.training.update import Update
from striate.training.validation import Validation
from striate.training.watch import Watch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

#: An extension's peak learning rate, as a factor on the recipe's.
EXTENSION_RATE = 0.1


class Training(Checkpointed):
    """One run of training.

    Args:
        model: the network; it is trained in place.
        material: what it learns from and is measured on.
        recipe: how to train.
        run: where to write.
        fabric: launched; devices and precision.
        watch: what to show, when to stop, how often to keep a checkpoint.
        save_best: writes the weights of a network, with these validation figures, as the result so far; the task says
            what was fitted to the validation images.
        identity: what network, recipe and data these are; a checkpoint of another identity is refused.
    """

    def __init__(
        self,
        model: Network,
        material: Material,
        recipe: Recipe,
        run: RunFolder,
        fabric: Fabric,
        watch: Watch,
        save_best: Callable[[nn.Module, dict[str, float], Task], None],
        identity: str = "",
    ) -> None:
        self.material, self.recipe, self.run, self.fabric = material, recipe, run, fabric
        self.watch, self.progress, self.save_best, self.identity = watch, watch.progress, save_best, identity
        self.train_batches = material.train
        self.task, self.preprocessing = material.task, material.preprocessing
        self.objective = Objective(model, recipe, self.task, material.train.split.labels)
        self.validation = self._validation(material)
        model.keeps_statistics = recipe.norm_statistics == KEPT
        self.schedule = recipe.rate_schedule()
        self.plateau = Plateau(recipe.patience, recipe.gamma)

        self.trained = TrainedSet(model, recipe)
        groups, rate = self.trained.groups(), recipe.learning_rate
        optimizer = create_optimizer(recipe.optimizer, groups, rate, recipe.momentum, recipe.nesterov)
        self.module = model.to(memory_format=model.memory_format)
        self.model, self.optimizer = fabric.setup(self.module, optimizer)
        self.trained.seal()
        self.update = Update(fabric, self.module, self.optimizer, recipe.clip_norm)
        self.average = WeightAverage(self.module, recipe.average) if recipe.average else None
        self.position = Position([recipe.epochs])
        self.events = Events(run.events)
        self.sums = EpochSums(fabric, self.objective.figures, self.task)
        self.guard = Guard(self.sums, self.train_batches.steps, run.path, clips=bool(recipe.clip_norm))
        validated = len(material.val.split) if material.val else 0
        self.advised = False  # on what would load images faster
        self.pace = Pace(self.train_batches.steps, self.batch_size, validated, material.final_images)

    @property
    def epochs(self) -> int:
        """Epochs in all."""
        return self.position.epochs

    def extend(self, epochs: int) -> None:
        """Add a phase of training; one that ended early is taken to have been as long as it was."""
        self.position.extend(epochs)

    def train(self) -> Position:
        """Train to the end of the last phase, or until something stops it earlier; return where it stands.

        Raises:
            StriateError: the loss is no longer a number, or a worker process is gone; the last good state stays in the
                run folder.
        """
        self.began = self.checkpointed = self.shown = time.monotonic()
        self.progress.start(self.epochs, self.train_batches.steps)
        try:
            with Interruption() as self.interruption:
                self.checkpoint()
                while self.position.epoch < self.epochs and not self.position.stopped_by:
                    self.train_epoch()
                    if self.position.step_in_epoch == self.train_batches.steps:
                        self.finish_epoch()
                    self.checkpoint()
                self.check_frozen()
                if self.position.epoch == self.epochs:  # whatever came with its last step
                    self.position.stopped_by = "finished"
                    self.checkpoint()
        except (LostWorker, *SIGNS) as error:
            lost = error if isinstance(error, LostWorker) else self.lost_worker() if may_be_sign(error) else None
            if lost is None:
                raise
            raise lost.of_run(self.run.path) from None
        finally:
            self.events.close()
            self.progress.stop()
        return self.position

    def lost_worker(self) -> LostWorker | None:
        """What to tell of a process that reads images and is gone; None where all of them are there."""
        batches = [self.train_batches, *([self.material.val] if self.material.val else [])]
        return next((lost for each in batches if (lost := each.lost_worker()) is not None), None)

    def check_frozen(self) -> None:
        """Make sure that what is frozen has not moved.

        Raises:
            StriateError: it has.
        """
        words = self.trained.check(self.result)
        if words and words not in self.position.notes:
            self.position.notes.append(words)

    def train_epoch(self) -> None:
        """Take the steps that are left of the current epoch."""
        self.thaw()
        self.model.train()
        began, before, self.train_batches.waited = time.perf_counter(), self.position.seconds, 0.0
        self.resumed_at = self.position.step_in_epoch
        for batch in self.train_batches.epoch(self.position.epoch, self.position.step_in_epoch):
            self.train_step(batch)
            self.position.seconds = before + time.perf_counter() - began
            self.look_up(time.perf_counter() - began)
            if self.should_stop():
                return

    def thaw(self) -> None:
        """Train more of the network where the recipe asks for it from the current epoch on."""
        until = self.trained.due(self.position.epoch + 1)
        if until is not None:
            words = self.retrain(until, self.position.step)
            self.progress.message(f"epoch {self.position.epoch + 1}: {words}")

    def retrain(self, until: str, step: int) -> str:
        """Have another part of the network be trained, as `TrainedSet.change`, from `step` on; say which."""
        words = self.trained.change(until, step, self.optimizer.optimizer, self.average)
        if self.fabric.world_size > 1:
            del self.model  # and with it what it kept for each gradient
            # A wrapper averages the gradients of the weights that trained when it was made, and of no others.
            self.model = self.fabric.setup_module(self.module)
        return words

    def train_step(self, batch: Batch) -> None:
        """One batch, one step: forward, backward, update."""
        rate = self.learning_rate()
        set_rate(self.optimizer, rate)
        labels = batch.labels.to(self.fabric.device)
        images = self.preprocessing.normalise(batch.images.to(self.fabric.device))
        outcome = self.objective(self.model, images, labels)
        self.update(outcome.loss)
        self.position.step += 1
        self.position.step_in_epoch += 1
        self.guard.remember(self.position.step, rate, outcome.loss)
        if self.average:
            self.average.update(self.position.step)
        self.sums.add(outcome.parts, outcome.logits, labels)

    def learning_rate(self) -> float:
        """The rate of the next step."""
        phases = [(epochs, EXTENSION_RATE if number else 1.0) for number, epochs in enumerate(self.position.phases)]
        factor = rate_factor(self.schedule, self.position.step, self.train_batches.steps, phases)
        return self.recipe.learning_rate * factor * self.plateau.factor

    def look_up(self, seconds: float) -> None:
        """Between steps: check the loss, keep a checkpoint, show progress, each when it is due."""
        step, now = self.position.step_in_epoch, time.monotonic()
        if step % LOSS_CHECK == 0:
            self.guard.check_losses()
        if now - self.checkpointed > self.watch.checkpoint_every:
            self.checkpoint()
        if now - self.shown > SHOW_EVERY:
            self.shown = now
            self.show(seconds)

    def show(self, seconds: float) -> None:
        """Tell the watcher how the epoch is going, `seconds` after it began here."""
        means, step = self.sums.means(together=False), self.position.step_in_epoch
        done = step - self.resumed_at
        figures = {
            "loss": means["train_loss"],
            self.task.running: means[f"train_{self.task.running}"],
            "images_per_second": done * self.batch_size / seconds,
            "left": self.pace.left(self.position, seconds / done),
            "loading_share": self.train_batches.waited / seconds,
        }
        self.progress.step(self.position.epoch + 1, step, figures)

    def should_stop(self) -> bool:
        """Whether Ctrl-C or the time limit ask for an end now (on any of the processes)."""
        late = bool(self.watch.time_limit) and time.monotonic() - self.began > self.watch.time_limit
        wish = 2 if self.interruption.requested else 1 if late else 0
        if self.fabric.world_size > 1:
            wish = int(cast(Tensor, self.fabric.all_reduce(torch.tensor(float(wish)), reduce_op="max")))
        if wish:
            self.position.stopped_by = "interrupted" if wish == 2 else "time limit"
        return bool(wish)

    def finish_epoch(self) -> None:
        """Validate, keep the weights if they are the best so far, write the tables, decide whether to go on."""
        self.guard.check_losses()
        self.guard.check_weights(self.result.state_dict())
        began, position, waited = time.perf_counter(), self.position, self.train_batches.waited
        means, images, seconds = self.sums.means(), position.step_in_epoch * self.batch_size, position.seconds
        losses = [*(row["train_loss"] for row in position.history if row["epoch"]), means["train_loss"]]
        self.guard.check_epochs(losses, self.epochs, validated=self.validation is not None)
        position.epoch, position.step_in_epoch, position.seconds = position.epoch + 1, 0, 0.0
        if self.validation is not None or position.epoch == self.epochs:
            self.settle_statistics()
        evaluation = self.validate()
        self.keep_if_best(evaluation)
        row = metrics_row(position.epoch, position.step, self.learning_rate(), means, self.task, evaluation)
        timing = timing_row(position.epoch, seconds, time.perf_counter() - began, images, waited)
        position.history.append(row)
        position.timing.append(timing)
        self.sums.reset()
        if self.fabric.is_global_zero:
            self.run.write_table(self.run.metrics, position.history)
            self.run.write_table(self.run.timing, position.timing)
            self.events.write(row)
        self.progress.epoch(row, timing)
        if position.epoch < self.epochs and not self.advised and is_bottleneck(seconds, waited):
            self.advised = True
            share, batches = self.train_batches.reading_share(position.epoch), self.train_batches
            loading = Loading(seconds, waited, batches.workers, worker_count(), share, self.material.cache)
            self.progress.message(loading.advice)

    def settle_statistics(self) -> None:
        """While training is young, give the network that is to be measured or saved statistics that fit it.

        Training of other parts of the network is young again: statistics that stood still begin to move.
        """
        if young(self.module, self.position.step - self.trained.since):
            last, epoch = max(0, self.train_batches.steps - BATCHES), max(0, self.position.epoch - 1)
            measure(self.result, self.train_batches.epoch(epoch, last), self.preprocessing)

    def validate(self) -> Measured | None:
        """Measure the network that would be saved on the validation images."""
        if self.validation is None:
            return None
        undecided, images = not self.validation.chosen, len(self.validation.batches.split)
        evaluation = self.validation(self.result, now_and_then(self.progress.validation, images, SHOW_EVERY))
        if undecided:
            self.position.notes.append(self.validation.words)
            self.progress.message(self.validation.words)
        # Processes keep statistics of their own, and must agree on what follows from the figures.
        if self.fabric.world_size > 1:
            evaluation, self.validation.chosen = self.fabric.broadcast((evaluation, self.validation.chosen))
        return evaluation

    def keep_if_best(self, evaluation: Measured | None) -> None:
        """Save the weights unless earlier ones validated better; without validation images the last win."""
        position = self.position
        if evaluation is None:
            if position.epoch == self.epochs:
                self._save({"epoch": position.epoch}, self.task)
            return
        if better(evaluation, position.best):
            position.best = {"epoch": position.epoch, **figures_of(evaluation)}
            self._save(position.best, self.task.fitted(evaluation))
        if self.recipe.schedule == "plateau":
            self.plateau.observe(evaluation.loss)
        if self.recipe.early_stopping and epochs_waited(position) >= self.recipe.early_stopping:
            position.stopped_by = "early stopping"

    @property
    def result(self) -> nn.Module:
        """The network that is validated and saved: the average where there is one."""
        return self.average.model if self.average else self.module

    @property
    def batch_size(self) -> int:
        """Images per step, over all processes."""
        return self.train_batches.batch_size * self.train_batches.world_size

    def save_result_so_far(self) -> None:
        """Save the weights as they are when none have been saved yet."""
        if not self.run.model.exists():
            self.settle_statistics()
            self._save({"epoch": self.position.epoch}, self.task)

    def _validation(self, material: Material) -> Validation | None:
        if material.val is None:
            return None
        wanted, precision = self.recipe.validation_precision, str(self.fabric.strategy.precision.precision)
        return Validation(material.val, self.task, self.preprocessing, wanted, precision)

    def _save(self, figures: dict[str, float], learnt: Task) -> None:
        if self.fabric.is_global_zero:
            self.save_best(self.result, figures, learnt)
