"""What a run's configuration and its watch become: the training is recorded, not run."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import striate
from striate.classifier import execution, preparing, reporting
from striate.classifier.run_config import RunConfig, identity
from striate.classifier.telling import introduction, standing
from striate.data.dataset import Skipped
from striate.errors import StriateError
from striate.models import Trust, get_card
from striate.training.metrics import Evaluation
from striate.training.progress import Quiet
from striate.training.run_folder import RunFolder
from striate.training.shelf import RECIPES
from striate.training.state import Position
from striate.training.watch import Watch


@pytest.fixture(scope="module")
def digits():
    return striate.open_dataset("digits", val_fraction=0.1)


def config(trained) -> RunConfig:
    return RunConfig.read(RunFolder(trained))


def prepared(monkeypatch, tmp_path, config, dataset, world_size=1):
    """The arguments of the training, and of its batches in order."""
    batches = []
    monkeypatch.setattr(preparing, "Training", lambda **arguments: SimpleNamespace(**arguments))
    monkeypatch.setattr(preparing, "Batches", lambda *given, **named: batches.append((given, named)) or len(batches))
    fabric = SimpleNamespace(world_size=world_size, global_rank=world_size - 1, device=torch.device("cpu"))
    watch = Watch(Quiet(), time_limit=7, checkpoint_every=11)
    network = preparing.network_of(config, Trust(), pretrained=True)
    return preparing.prepare(network, RunFolder(tmp_path), config, dataset, fabric, watch), batches


def test_the_configuration_and_the_watch_arrive_in_the_training(monkeypatch, tmp_path, trained, digits):
    told = replace(config(trained), seed=5, workers=3)
    training, batches = prepared(monkeypatch, tmp_path, told, digits, world_size=2)
    material = training.material
    assert (training.watch.time_limit, training.watch.checkpoint_every) == (7, 11)
    assert material.final_images == len(digits.test)
    assert (material.train, material.val, material.task.classes) == (1, 2, digits.classes)
    assert training.run.path == tmp_path
    (train, named), (val, readers) = batches
    assert train[0] is digits.train
    assert train[2:] == (told.recipe.batch_size // 2, training.recipe.augment, 5, 3)
    assert (named["part"], named["classes"], named["device"]) == ((1, 2), 10, torch.device("cpu"))
    assert val == (digits.val, material.preprocessing, preparing.VALIDATION_BATCH)
    assert readers == {"workers": 3}


@pytest.mark.parametrize("field", ["network", "recipe", "preprocessing", "fingerprint", "seed", "freeze"])
def test_a_checkpoint_fits_no_run_that_differs_in_what_decides_it(field, trained):
    told = RunFolder(trained).read_config()
    assert identity(told) == identity(told | {"created": "later", "workers": 9, "source": "x"})
    assert identity(told) != identity(told | {field: "another"})


def test_the_first_weights_are_the_seeds(monkeypatch, tmp_path, trained, digits):
    first, again, other = (
        prepared(monkeypatch, tmp_path, replace(config(trained), seed=seed), digits)[0].model.state_dict()
        for seed in (3, 3, 4)
    )
    name = next(name for name in first if name.endswith("weight"))
    assert first[name].equal(again[name])
    assert not first[name].equal(other[name])


def test_pictures_of_augmentation_are_taken_from_all_of_the_training_images(trained, colours):
    train, reads = striate.open_dataset(colours).train, []

    class Noted:
        def __len__(self):
            return len(train)

        images = SimpleNamespace(read=lambda index: (reads.append(index), train.images.read(index))[1])
        subset = staticmethod(train.subset)

    rows = reporting._augmented(
        RECIPES["tiny"], SimpleNamespace(train=Noted(), classes=("a", "b"), channels=3), striate.load(trained)
    )
    assert reads == [0, 5, 10, 15, 20, 26]
    assert [len(versions) for _, versions in rows] == [6] * 6
    for index, (original, _) in zip(reads, rows, strict=True):
        np.testing.assert_array_equal(
            original, striate.load(trained).description.preprocessing(train.images.read(index))
        )


def test_the_content_of_a_report_is_that_of_its_run(monkeypatch, tmp_path, trained, colours):
    pages = []
    monkeypatch.setattr(reporting, "write_report", lambda path, content: pages.append((path, content)))
    monkeypatch.setattr(reporting, "_cost", lambda *given: {"size_bytes": 1})
    monkeypatch.setattr(reporting, "_augmented", lambda *given: [])
    dataset, classifier = striate.open_dataset(colours), striate.load(trained)
    classifier.evaluation = classifier.evaluate(dataset, "train")
    written = config(trained)
    told = replace(
        written,
        network=replace(written.network, name="resnet18"),
        seed=41,
        notes=("chosen for you",),
        command="striate train it",
    )
    position = Position(
        [4, 2], extensions=[2], history=[{"epoch": 1}], timing=[{"seconds": 2}], stopped_by="time limit"
    )
    reporting.report_run(RunFolder(tmp_path / "my run"), told, dataset, classifier, position)
    ((path, content),) = pages
    assert path == tmp_path / "my run" / "report.html"
    assert (content.title, content.network, content.split) == ("my run", "resnet18", "train")
    assert content.card == f"{get_card('resnet18').introduces} {get_card('resnet18').paper}"
    assert (content.created, content.source, content.command) == (told.created, told.source, "striate train it")
    assert (content.start, content.frozen, content.stopped_by) == ("random first weights, seed 41", "", "time limit")
    assert content.extensions == [f"striate train --resume '{tmp_path / 'my run'}' --extend 2"]
    assert (content.history, content.timing) == (position.history, position.timing)
    assert content.recipe == told.recipe.to_dict() | {"seed": 41, "precision": told.precision}
    assert (content.versions, content.cost) == (told.versions, {"size_bytes": 1})
    assert content.evaluation is classifier.evaluation
    assert content.split_sizes == {name: dict.fromkeys(dataset.classes, n) for name, n in (("train", 9), ("val", 1))}
    assert list(content.notes) == [*dataset.notes, "chosen for you"]
    assert (list(content.skipped), list(content.duplicates), content.contradictions) == ([], [], [])
    assert content.differences


def test_the_report_shows_so_many_mistakes_and_augmented_pictures(trained, colours):
    dataset = striate.open_dataset(colours)
    wrong = np.full((27, 3), 0.1, np.float32)
    wrong[np.arange(27), (dataset.train.labels + 1) % 3] = np.linspace(0.5, 0.8, 27)
    names = [dataset.train.images.name(index) for index in range(27)]
    evaluation = Evaluation(dataset.classes, dataset.train.labels, wrong, names=names, loss=1.0, split="train")
    look = striate.load(trained).description.preprocessing
    mistakes = reporting._mistakes(dataset, evaluation, look)
    np.testing.assert_array_equal(mistakes[0].image, look(dataset.train.images.read(26)))
    assert [mistake.name for mistake in mistakes] == names[::-1][:24]
    assert [mistake.probability for mistake in mistakes] == sorted(wrong.max(1).tolist(), reverse=True)[:24]


@pytest.mark.parametrize(("skipped", "said"), [(1, "1 file skipped"), (2, "2 files skipped")])
def test_what_is_said_before_the_first_epoch(trained, colours, tmp_path, skipped, said):
    told, folder = replace(config(trained), notes=("chosen",)), RunFolder(tmp_path / "run")
    dataset = striate.open_dataset(colours)
    dataset = replace(dataset, notes=("seen",), skipped=tuple(Skipped(f"{n}.png", "broken") for n in range(skipped)))
    assert standing(SimpleNamespace(position=Position([3]))) == []
    assert introduction(folder, told, dataset) == [
        f"{colours}: 3 classes, 27 train, 3 val images",
        "note: seen",
        f"0.png: broken; skipped. {said}, listed in {tmp_path / 'run' / 'skipped.csv'}",
        f"lenet5 at 28x28, recipe 'tiny', cpu in {told.precision}; writing to {tmp_path / 'run'}",
        "note: chosen",
    ]
    position = SimpleNamespace(position=Position([3, 2], epoch=3, step=21))
    assert standing(position) == [
        "going on from epoch 3, step 21",
        "extended: epochs 3 + 2; each extension runs the schedule once more from a tenth of its peak rate, without "
        "warm-up",
    ]


@pytest.mark.parametrize(
    ("val", "test", "last"), [(True, True, 8), (True, False, 4), (False, True, 8), (False, False, 27)]
)
def test_what_is_measured_at_the_end_is_counted_beforehand(monkeypatch, tmp_path, trained, colours, val, test, last):
    whole = striate.open_dataset(colours)
    parts = {name: whole.train.subset(np.arange(count)) for name, count in (("val", 4), ("test", 8))}
    dataset = replace(whole, val=parts["val"] if val else None, test=parts["test"] if test else None)
    training, batches = prepared(monkeypatch, tmp_path, config(trained), dataset)
    assert training.material.final_images == last
    assert (training.material.val is not None, len(batches)) == (val, 1 + val)


class Processes:
    """What one of several processes hears of the first."""

    def __init__(self, first: bool, heard: tuple[str, str] = ("", "")) -> None:
        self.world_size, self.is_global_zero, self.heard = 2, first, heard
        self.said: list[tuple[str, str]] = []

    def broadcast(self, said: tuple[str, str]) -> tuple[str, str]:
        self.said.append(said)
        return said if self.is_global_zero else self.heard


def test_the_first_process_makes_the_folder_of_all(tmp_path):
    made = RunFolder(tmp_path)
    first = Processes(first=True)
    assert execution.first_process(first, lambda: made) is made
    assert first.said == [(str(tmp_path), "")]
    second = Processes(first=False, heard=first.said[0])
    folder = execution.first_process(second, lambda: pytest.fail("the second made one too"))
    assert folder.path == tmp_path
    assert second.said == [("", "")]
    assert execution.first_process(SimpleNamespace(world_size=1), lambda: made) is made


def test_all_processes_end_where_the_first_can_make_no_folder():
    class Taken(StriateError):
        pass

    def refuse():
        raise Taken("it is taken.")

    first = Processes(first=True)
    with pytest.raises(Taken, match=r"^it is taken\.$"):
        execution.first_process(first, refuse)
    assert first.said == [("", "it is taken.")]
    with pytest.raises(StriateError, match=r"^it is taken\.$"):
        execution.first_process(Processes(first=False, heard=first.said[0]), refuse)


class Watcher(Quiet):
    """Writes down what it is told, and all else that happens in between."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def message(self, text: str) -> None:
        self.seen.append(text)


@pytest.fixture
def executed(monkeypatch, tmp_path, trained, colours):
    """executed(position, ends="finished", first=True, extend=0, **watch): what happens, in order."""
    told, dataset, folder = config(trained), striate.open_dataset(colours), RunFolder(tmp_path / "my run")
    folder.path.mkdir()
    folder.write_config({})
    folder.checkpoint.write_bytes(bytes(1_234_567))

    def execute(position, ends="finished", first=True, extend=0, **wishes):
        watcher = Watcher()
        note = watcher.seen.append
        recipe = SimpleNamespace(early_stopping=3)
        fabric = SimpleNamespace(is_global_zero=first, barrier=lambda: note("barrier"))
        training = SimpleNamespace(position=position, epochs=position.epochs, recipe=recipe, fabric=fabric)
        training.extend = lambda epochs: note(f"extend {epochs}")
        training.train = lambda: note("train") or setattr(position, "stopped_by", ends) or position
        training.save_result_so_far = lambda: note("save")
        monkeypatch.setattr(execution, "prepare", lambda *given: training)
        monkeypatch.setattr(execution, "introduction", lambda *given: ["hello"])
        monkeypatch.setattr(execution, "network_of", lambda *given, pretrained: "network")
        monkeypatch.setattr(execution, "standing", lambda training: [])
        task = SimpleNamespace(fit_told=lambda val: "")
        found = SimpleNamespace(
            task=task, evaluation=None, evaluate=lambda data, shown: note(shown.doing) or (data is dataset)
        )
        monkeypatch.setattr(execution, "load", lambda path, **trust: note(f"load {path.name}") or found)

        def report(*given):
            assert given == (folder, told, dataset, found, position)
            note(f"report {found.evaluation}")

        monkeypatch.setattr(execution, "report_run", report)
        watch = Watch(watcher, **wishes)
        try:
            assert execution.execute(folder, told, dataset, fabric, watch, extend) is found
            assert found.evaluation is True
        except execution.Interrupted as error:
            note(f"raised {error}")
        return watcher.seen, folder

    return execute


LAST = ["barrier", "load my run", "evaluating"]
GO_ON = "stopped in epoch 3 of 4 ({}); everything is saved. Go on with: striate train --resume '{}'"


@pytest.mark.parametrize("reason", ["finished", "early stopping", "interrupted", "time limit"])
def test_a_training_ends_with_what_there_is_to_say(executed, reason):
    position = Position([4], epoch=2, best={"epoch": 2, "loss": 0.25, "accuracy": 0.5})
    seen, folder = executed(position, ends=reason)
    early = (
        "stopped early after epoch 2 of 4: none of the last 3 epochs was better. Kept is the best, epoch 2: val loss "
        "0.2500 accuracy 50.00%."
    )
    go_on = GO_ON.format(reason, folder.path)
    said = {"finished": [], "early stopping": [early], "interrupted": [f"raised {go_on}"], "time limit": [go_on]}[
        reason
    ]
    last = [] if reason == "interrupted" else [*LAST, "report True"]
    assert seen == ["hello", "train", "save", *said, *last]
    assert folder.checkpoint.exists()


@pytest.mark.parametrize("reason", ["finished", "early stopping"])
def test_a_training_that_is_over_is_only_measured(executed, reason):
    seen, folder = executed(Position([2], epoch=2, stopped_by=reason))
    line = f"{folder.path} is trained already; --extend N adds epochs, --drop-checkpoint frees 1.23 MB."
    assert seen == ["hello", "save", line, *LAST, "report True"]


def test_it_is_extended_before_it_is_trained(executed):
    seen, _ = executed(Position([2], epoch=2), extend=3)
    assert seen[:3] == ["hello", "extend 3", "train"]


def test_a_report_is_written_where_it_is_wanted_by_the_first_process_alone(executed):
    for first, report in ((True, False), (False, True), (False, False)):
        seen, _ = executed(Position([2], epoch=2), ends="finished", first=first, report=report)
        assert seen[-3:] == LAST


@pytest.mark.parametrize(
    ("reason", "dropped"), [("finished", True), ("early stopping", True), ("interrupted", False), ("time limit", False)]
)
def test_a_checkpoint_is_dropped_once_training_is_over(executed, reason, dropped):
    position = Position([4], epoch=2, best={"epoch": 2, "loss": 0.25, "accuracy": 0.5})
    seen, folder = executed(position, ends=reason, drop_checkpoint=True)
    assert folder.checkpoint.exists() is not dropped
    if reason != "interrupted":
        done = "is removed (1.23 MB); the run can be used, and not extended."
        assert seen[-1] == f"{folder.checkpoint} {done if dropped else 'is kept: the training is not finished.'}"
        assert seen[-2] == "report True"
    assert folder.read_config() == ({"checkpoint": f"dropped: {reason} after epoch 2"} if dropped else {})


def test_the_second_process_drops_nothing(executed):
    _, folder = executed(Position([2], epoch=2), ends="finished", first=False, drop_checkpoint=True)
    assert folder.checkpoint.exists()


@pytest.mark.parametrize(("best", "model", "told"), [(1, False, True), (1, True, False), (None, False, False)])
def test_a_best_model_that_is_gone_is_told_and_forgotten(monkeypatch, tmp_path, trained, colours, best, model, told):
    """Where there was none yet, nothing is gone."""
    watcher, restored = Watcher(), []
    position = Position([3], epoch=1, best=None if best is None else {"epoch": best})

    def training(**given):
        return SimpleNamespace(position=position, restore=lambda: restored.append(1))

    monkeypatch.setattr(preparing, "Training", training)
    folder = RunFolder(tmp_path)
    folder.checkpoint.touch()
    if model:
        folder.model.touch()
    fabric = SimpleNamespace(world_size=1, global_rank=0, device=torch.device("cpu"))
    dataset = striate.open_dataset(colours)
    preparing.prepare(
        preparing.network_of(config(trained), Trust(), pretrained=False),
        folder,
        config(trained),
        dataset,
        fabric,
        Watch(watcher),
    )
    line = f"note: {folder.model} is gone, and with it the best weights before this point"
    assert [seen for seen in watcher.seen if not seen.startswith("cache: ")] == ([line] if told else [])
    assert len(restored) == 1
    assert (position.best is not None) == model


def test_an_oblong_input_and_a_place_within_the_first_epoch_are_told(trained, colours, tmp_path):
    told = config(trained)
    told = replace(told, preprocessing=replace(told.preprocessing, size=(20, 30)))
    lines = introduction(RunFolder(tmp_path), told, striate.open_dataset(colours))
    assert lines[-1].startswith("lenet5 at 20x30, recipe")
    position = SimpleNamespace(position=Position([3], step=5))
    assert standing(position) == ["going on from epoch 0, step 5"]


def test_an_interruption_has_the_exit_code_of_ctrl_c():
    assert (execution.Interrupted("stopped").exit_code, issubclass(execution.Interrupted, StriateError)) == (130, True)
