"""What is said of a run that cannot go on: its checkpoint is gone or another's, or its device is elsewhere."""

import shutil
from dataclasses import replace

import pytest

from striate.classifier.resumable import refuse_other_machine, refuse_other_run, refuse_without_checkpoint
from striate.classifier.run_config import RunConfig
from striate.errors import StriateError
from striate.training.run_folder import RunFolder


@pytest.mark.parametrize(("absolute", "named"), [("/my photos", "'/my photos'"), ("", "digits")])
def test_the_command_that_starts_anew_is_one_a_shell_takes(absolute, named, edited, trained):
    run = edited(source="digits", absolute_source=absolute)
    shutil.copy(trained / "model.safetensors", run.model)
    with pytest.raises(StriateError) as error:
        refuse_without_checkpoint(run, RunConfig.read(run))
    assert f"striate train {named} --model lenet5 --weights {run.model}" in str(error.value)
    assert f"{run.path}: last.ckpt is gone" in str(error.value)
    run.model.unlink()
    run.metrics.write_text("epoch\n1\n")
    with pytest.raises(StriateError, match=rf"Train a new run: striate train {named}$"):
        refuse_without_checkpoint(run, RunConfig.read(run))
    run.metrics.unlink()
    refuse_without_checkpoint(run, RunConfig.read(run))  # nothing was trained, so nothing is lost


@pytest.mark.parametrize(
    ("dropped", "said"),
    [
        ("dropped: finished after epoch 3", "the training is over and last.ckpt was dropped: finished after epoch 3;"),
        (None, "last.ckpt is gone;"),
    ],
)
def test_a_run_without_its_checkpoint_is_never_overwritten(dropped, said, edited):
    run = edited(**({"checkpoint": dropped} if dropped else {}))
    run.metrics.touch()
    words = f"^{run.path}: {said} so it cannot go on exactly, and is never overwritten. Train a new run: striate train "
    with pytest.raises(StriateError, match=words):
        refuse_without_checkpoint(run, RunConfig.read(run))
    run.checkpoint.touch()
    refuse_without_checkpoint(run, RunConfig.read(run))


def test_a_checkpoint_goes_with_the_configuration_that_it_was_written_with(run):
    folder = RunFolder(run)
    config = RunConfig.read(folder)
    refuse_other_run(folder, config)
    with pytest.raises(StriateError, match=r"last\.ckpt: belongs to another run than .*config\.json describes\.$"):
        refuse_other_run(folder, replace(config, identity="another"))
    folder.checkpoint.unlink()
    refuse_other_run(folder, replace(config, identity="another"))


def test_a_run_goes_on_where_its_device_is(edited, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    run = edited(source="photos", absolute_source="")
    config = RunConfig.read(run)
    refuse_other_machine(run, replace(config, device="cpu"))
    words = (
        f"^{run.path}: was trained on 'cuda', which is not on this machine, so it goes on elsewhere only. Train a new"
    )
    with pytest.raises(StriateError, match=words):
        refuse_other_machine(run, replace(config, device="cuda"))
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    refuse_other_machine(run, replace(config, device="cuda"))
