"""Faults of several labels and of values, from the table to the report."""

from planting import Fault, faults

FAULTS: tuple[Fault, ...] = (
    *faults(
        "data/iterative.py",
        "data/test_iterative.py",
        ("label = int(np.where(left > 0, left, count + 1).argmin())", "label = int(left.argmax())"),
        ("            lacking[to] -= labels[image]\n", ""),
        ("(lacking[0], room[0]) >= (lacking[1], room[1])", "(lacking[0], room[0]) > (lacking[1], room[0])"),
    ),
    *faults(
        "data/targets.py",
        "data/test_targets.py",
        ('np.argsort(np.argsort(labels[:, 0], kind="stable"), kind="stable")', "np.argsort(labels[:, 0])"),
        (
            "np.packbits(labels, axis=1) if labels.dtype == np.bool_ else",
            "labels.any(1, keepdims=True) if labels.dtype == np.bool_ else",
        ),
    ),
    *faults(
        "data/asked.py",
        "data/test_table_targets.py",
        ("    if task == MULTI_LABEL:\n        if not labels.any():", "    if task == MULTI_LABEL:\n        if False:"),
        ("    if column == images:", "    if False:"),
    ),
    *faults(
        "data/table_columns.py",
        "data/test_table_targets.py",
        ("    if not cell or cell in MINUS:", "    if not cell:"),
        ('    if minus and every & {"0", "0.0"}:', "    if False:"),
        ("    return value if math.isfinite(value) else None", "    return value"),
    ),
    *faults(
        "data/table_targets.py",
        "data/test_table_targets.py",
        (
            "    flags = named if len(named) > 1 else _known_flags(free, asked.known)",
            "    flags = named if len(named) > 1 else []",
        ),
        (
            "return [column_asked(name, free, where) for name in known]",
            "return [column for column in free.values()][: len(known)]",
        ),
    ),
    *faults(
        "data/table.py",
        "data/test_table_targets.py",
        ("        found = {split: _added_up(pairs) for split, pairs in found.items()}\n", "        pass\n"),
    ),
    *faults(
        "data/listing.py",
        "classifier/test_tasks.py data/test_table_targets.py",
        ("    placed[:, positions] = labels", "    placed[:, : labels.shape[1]] = labels"),
    ),
    *faults(
        "data/parquet_targets.py",
        "data/test_parquet_targets.py",
        ("            found.add(names[cell])", "            found.add(str(cell))"),
        ("    if not all(map(math.isfinite, found)):", "    if False:"),
        ("return REGRESSION if any(value != int(value) for value in known) else SINGLE_LABEL", "return REGRESSION"),
    ),
    *faults(
        "training/tasks/multi_label.py",
        "training/tasks/test_tasks.py",
        ("truth * (1 - smoothing) + smoothing / 2", "truth * (1 - smoothing) + smoothing"),
        ("return 2 * right / (said + has)", "return right / (said + has)"),
        ("logits.double().sigmoid().mean(1).float()", "logits.double().mean(1).sigmoid().float()"),
    ),
    *faults(
        "training/tasks/regression.py",
        "training/tasks/test_tasks.py",
        ("np.where(deviation > 0, deviation, 1)", "deviation + 1e-9"),
        ("* np.array(self.deviation) + np.array(self.mean)", "+ np.array(self.mean)"),
        ("mean_difference(after, before)", "mean_difference(before, after)"),
        ("clip_norm=recipe.clip_norm or LARGEST_GRADIENT", "clip_norm=LARGEST_GRADIENT"),
    ),
    *faults(
        "training/tasks/single_label.py",
        "training/tasks/test_tasks.py",
        (
            "truth = labels if labels.dim() == 1 else labels.argmax(1)",
            "truth = labels if labels.dim() == 1 else labels.argmin(1)",
        ),
    ),
    *faults(
        "training/losses.py",
        "training/tasks/test_tasks.py",
        ("(labels[rows, classes] * found).sum() / len(labels)", "found.sum() / len(labels)"),
    ),
    *faults(
        "training/measured.py",
        "training/test_measured.py",
        ("    if self.names and len(self.names) != len(self.labels):", "    if False:"),
        ("not math.isfinite(value) else value", "math.isnan(value) else value"),
        ("(~np.isfinite(said)).any(axis=1)", "(~np.isfinite(said)).all(axis=1)"),
        ("for score in self.per_class()]", "for score in self.per_class()[:1]]"),
    ),
    *faults(
        "training/label_metrics.py",
        "training/test_label_metrics.py",
        ("np.append(ranked[1:] != ranked[:-1], True)", "np.append(ranked[1:] == ranked[1:], True)"),
        ("np.cumsum(weights * self.has)[self.last]", "np.cumsum(self.has)[self.last]"),
        ("        wrong[self.predicted == self.labels] = 0\n", ""),
    ),
    *faults(
        "training/value_metrics.py",
        "training/test_value_metrics.py",
        ("np.where(left > 0, 0.0, 1.0)", "1.0"),
        ("mean = (weights * true).sum(0) / weights.sum()", "mean = true.mean(0)"),
        ("reach = NORMAL * float(sizes.std(ddof=1))", "reach = float(sizes.std(ddof=1))"),
    ),
    *faults(
        "training/intervals.py",
        "training/test_intervals.py",
        ("np.percentile(known, (2.5, 97.5))", "np.percentile(known, (5, 95))"),
        ("after, float) - np.asarray(before, float)", "before, float) - np.asarray(after, float)"),
    ),
    *faults(
        "training/validation.py",
        "training/test_validation.py",
        ("LOSSES_AGREE * abs(exact.loss)", "10 * abs(exact.loss)"),
        ("            return exact\n", "            return self._measured(network, BFLOAT16, shown)\n"),
        ("wanted != FLOAT32 and precision", "precision"),
        ("self.chosen = BFLOAT16 if agree else FLOAT32", "self.chosen = BFLOAT16"),
    ),
    *faults(
        "training/checkpointed.py",
        "training/test_validation.py",
        ('self.validation.chosen = state.get("validation", FLOAT32)', "state.get(FLOAT32)"),
    ),
    *faults(
        "engines/batching.py",
        "engines/test_batching.py",
        ("height * width", "height * height"),
        ('device != "cpu"', 'device == "cpu"'),
    ),
    *faults(
        "training/selection.py",
        "training/test_selection.py",
        ("(-math.inf if math.isnan(score) else score)", "score"),
    ),
    *faults(
        "report/results.py",
        "report/test_answers.py",
        ("min(1.0, max(0.0, value)) * 100", "value * 100"),
        ("score.support / images for score", "1 / images for score"),
    ),
)
