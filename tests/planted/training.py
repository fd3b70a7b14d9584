"""Faults in the loop, its state, recipes and augmentation."""

from planting import Fault, faults

FAULTS: tuple[Fault, ...] = (
    *faults(
        "training/loop.py",
        "training/test_watching.py",
        ("self.classes, shown)", "self.classes)"),
        ("now_and_then(self.progress.validation,", "now_and_then(self.progress.step,"),
    ),
    *faults(
        "training/counting.py",
        "training/test_counting.py",
        ("tell(done, total)", "tell(total, done)"),
        ("if now - last > every:", "if now - last < every:"),
        ("(done - self.first) / (now - self.began)", "done / (now - self.began)"),
        ("clock((total - done) / rate)", "clock(total / rate)"),
        ("[: shutil.get_terminal_size().columns - 1]", ""),
        ("if now - self.last > SHOW_EVERY and done:", "if done:"),
        ("not quiet and sys.stderr.isatty()", "sys.stderr.isatty()"),
    ),
    *faults(
        "training/run_folder.py",
        "test_package.py training/test_run_folder.py",
        ('read_text(encoding="utf-8-sig")', "read_text()"),
    ),
    *faults(
        "training/run_folder.py",
        "training/test_run_folder.py",
        (
            "for path in (self.model, self.metrics, self.timing, self.report))",
            "for path in (self.metrics, self.timing, self.report))",
        ),
        ("self.unlock()  # Windows removes no file that is open", "self.lock"),
        ("portable_name(stem) or", "stem or"),
    ),
    *faults(
        "training/update.py",
        "training/test_update.py",
        ("                self.scaler.unscale_(self._plain)", "                pass"),
        ("            self.scaler.load_state_dict(state)", "            pass"),
        (
            "        if self.scaler is None or not isinstance(self._plain, SGD):",
            "        if self.scaler is not None or not isinstance(self._plain, SGD):",
        ),
    ),
    *faults(
        "training/selection.py",
        "training/test_selection.py",
        ("(evaluation.top1, -evaluation.loss) > (best", "(evaluation.top1, -evaluation.loss) >= (best"),
        ("        if position.epoch > end:", "        if position.epoch >= end:"),
    ),
    *faults(
        "training/loop.py",
        "training/test_selection.py",
        (
            "epochs_waited(position) >= self.recipe.early_stopping",
            "epochs_waited(position) > self.recipe.early_stopping",
        ),
    ),
    *faults(
        "training/state.py",
        "training/test_exact_resume.py",
        ('    torch.set_rng_state(tensors["random/cpu"])', "    pass"),
    ),
    *faults(
        "training/loop.py",
        "training/test_exact_resume.py",
        ('            self.plateau = Plateau(**state["plateau"])', "            pass"),
        ('            self.sums.restore(tensors["sums"], state["seen"])', "            pass"),
    ),
    *faults(
        "training/loop.py",
        "training/test_divergence.py",
        ("        self.guard.check_weights(tensors)", "        pass"),
        ("        self.guard.check_losses(together=False)", "        pass"),
    ),
    *faults(
        "training/objective.py",
        "training/test_auxiliary.py",
        ("total = main + self.weight * torch", "total = main + torch"),
        (
            "class_logits(others[name], self.num_classes), labels) for name in self.heads]",
            "class_logits(others[self.heads[0]], self.num_classes), labels) for name in self.heads]",
        ),
    ),
    *faults(
        "training/state.py",
        "training/test_state.py",
        ("for length in lengths if length > 0]", "for length in lengths]"),
        ("[*self.extensions, epochs]", "[epochs]"),
    ),
    *faults(
        "training/update.py",
        "training/test_two_processes.py",
        ("        if self.clip_norm:", "        if self.clip_norm and self.fabric.world_size == 1:"),
    ),
    *faults(
        "training/loop.py",
        "training/test_loop.py",
        ("EXTENSION_RATE if number else 1.0", "EXTENSION_RATE**number"),
        ("            self.settle_statistics()\n            self._save", "            self._save"),
    ),
    *faults(
        "training/loop.py",
        "training/test_watching.py",
        ("done * self.batch_size / seconds", "step * self.batch_size / seconds"),
        (
            "if now - self.checkpointed > self.watch.checkpoint_every:",
            "if now - self.began > self.watch.checkpoint_every:",
        ),
        ("            self.events.write(row)", "            pass"),
    ),
    *faults(
        "training/loop.py",
        "training/test_loop.py",
        ("        self.sums.reset()\n", "        pass\n"),
    ),
    *faults(
        "training/model_file.py",
        "training/test_model_file.py",
        ("!= max(2, model.num_classes):", "> max(2, model.num_classes):"),
    ),
    *faults(
        "training/pace.py",
        "training/test_pace.py",
        ("forward = epochs * self.validation_images + self.final_images", "forward = epochs * self.validation_images"),
    ),
    *faults(
        "training/progress.py",
        "training/test_progress.py",
        ('clock(timing["seconds"] + validation)', 'clock(timing["seconds"])'),
        ("self._show(done, total, validated(done, total))", "self._show(done, self.steps, validated(done, total))"),
        ("            if len(text) + 2 + len(figure) > room:", "            if len(text) + len(figure) > room:"),
        ("- 1 - (SHORTEST_BAR + 1)", "- 1"),
    ),
    *faults(
        "training/tables.py",
        "training/test_tables.py",
        ("round(seconds, 3), round(validation, 3)", "round(validation, 3), round(seconds, 3)"),
    ),
    *faults(
        "training/statistics.py",
        "training/test_statistics.py",
        ("            layer.momentum = None  # a plain mean over all batches", "            pass"),
        ("< SPANS for layer", "<= SPANS for layer"),
    ),
    *faults(
        "training/limits.py",
        "training/test_recipes.py",
        ('    "patience": (1, 1_000_000),', '    "patience": (0, 1_000_000),'),
    ),
    *faults(
        "augment/geometry.py",
        "augment/test_sampling.py",
        ("np.exp(rng.uniform(np.log(ratio[0]), np.log(ratio[1]), size=n))", "rng.uniform(ratio[0], ratio[1], size=n)"),
    ),
    *faults(
        "augment/apply.py",
        "augment/test_apply.py",
        ("matrix[:, 2] - offsets]", "matrix[:, 2]]"),
    ),
    *faults(
        "training/batches.py",
        "training/test_batches.py",
        ("            free -= image.nbytes\n", "            free -= 0\n"),
        ("        with opencv_alone():  # the workers are forked from here", "        if self.workers:"),
        (
            "        with opencv_alone():\n            return self._maker[key]",
            "        if self._maker:\n            return self._maker[key]",
        ),
        ("    cv2.setNumThreads(0)  # workers are the parallelism", "    cv2.setNumThreads(3)"),
    ),
    *faults(
        "training/schedules.py",
        "training/test_schedules.py",
        ("(nearest if progress >= nearest * every / epochs else nearest - 1)", "int(progress * epochs / every)"),
        ('        if self.name == "staircase":\n', '        if self.name == "staircase" and not self.warmup:\n'),
        (
            "return scale * now.factor(min(1.0, step / (epochs * steps)), epochs)",
            "return scale * now.factor(min(1.0, step / (epochs * steps)), phases[0][0])",
        ),
    ),
    *faults(
        "training/first_weights.py",
        "training/test_first_weights.py",
        ("if weights is None else map(network.get_submodule, network.fresh):", ":"),
        ("    if init == OWN or _was_handed_over(network):", "    if init == OWN:"),
    ),
    *faults(
        "classifier/execution.py",
        "classifier/test_resume.py",
        ("        draw_first_weights(network, config.recipe.init, config.weights)", "        pass"),
    ),
    *faults(
        "training/losses.py",
        "training/test_losses.py",
        ("    return squared_error(logits, labels) / 2", "    return squared_error(logits, labels)"),
    ),
    *faults(
        "training/optimizers.py",
        "training/test_optimizers.py",
        (
            "torch.optim.Adam(groups, learning_rate, betas=(momentum, 0.999), fused=True)",
            "torch.optim.AdamW(groups, learning_rate, betas=(momentum, 0.999), fused=True)",
        ),
    ),
    *faults(
        "training/fields.py",
        "training/test_fields.py",
        ("yield Field(prefix + field.name, value, field.default,", "yield Field(prefix + field.name, value, value,"),
    ),
)
