"""Faults in experiments: what a step is told, what is taken of a run, what is left alone."""

from planting import Fault, faults

FAULTS: tuple[Fault, ...] = (
    *faults(
        "experiments/cats_and_dogs.py",
        "experiments/test_cats_and_dogs.py",
        ("_parts(model, options, size)[-2]", "_parts(model, options, size)[-1]"),
        ("round(wanted * IMAGES / count)", "wanted"),
        ("{} if asked.full or step.start else", "{} if asked.full else"),
        ("model = BASE if model == VGG else model", "model = SMALL if model == VGG else model"),
        ('missing=missing if "freeze" in step.train else ""', 'missing=""'),
    ),
    *faults(
        "experiments/running.py",
        "experiments/test_running.py",
        ('start = {"weights": self.folder.run(step.start).path} if step.start else {}', "start = {}"),
        ("if wanted.get(name) != known.asked.get(name):", "if False:"),
        ("is_done = epochs == of_epochs and", "is_done ="),
        ('float(rows[-1]["train_accuracy"])', 'float(rows[0]["train_accuracy"])'),
        ("is_there = known.state == DONE and run.model.is_file()", "is_there = False"),
        ("and (not left or self._waits_for(step))", "and not left"),
    ),
    *faults(
        "experiments/folder.py",
        "experiments/test_outcomes.py",
        ('if written["images"]["fingerprint"] != fingerprint:', "if False:"),
    ),
    *faults("cli/experiment.py", "cli/test_experiment.py", ("        seed=seed,", "        seed=0,")),
)
