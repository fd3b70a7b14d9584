"""What the commands print: for people, for programs, and nothing but the answer on standard output."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest


def test_help_imports_no_torch():
    script = (
        "import sys; sys.argv = ['striate', '--help']\n"
        "from striate.cli import main\n"
        "try: main()\n"
        "except SystemExit as leaving: assert not leaving.code\n"
        "assert not {'torch', 'numpy', 'cv2'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for command in ("train", "evaluate", "predict", "models", "summary", "check"):
        assert command in done.stdout


def test_version_and_bare_call(cli):
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", cli("--version").out)
    bare = cli()
    assert bare.code == 2
    assert "train" in bare.out


def test_train_prints_plain_lines_where_there_is_no_terminal(cli, colours):
    outcome = cli("train", colours, "--model", "lenet5", "--epochs", 2, "--run", "run", "--workers", 0)
    assert outcome.code == 0
    assert "\x1b" not in outcome.err + outcome.out
    assert "\r" not in outcome.err
    assert [line.split()[1] for line in outcome.err.splitlines() if line.startswith("epoch ")] == ["1/2", "2/2"]
    assert outcome.out.startswith("top-1 ")
    assert "run/model.safetensors" in outcome.out
    assert "run/report.html" in outcome.out


def test_training_again_makes_another_run(cli, colours):
    for folder in ("runs/colours", "runs/colours-2"):
        arguments = ("--model", "lenet5", "--epochs", 1, "--workers", 0, "--json", "--quiet")
        assert json.loads(cli("train", colours, *arguments).out)["run"] == folder


def test_report_is_one_file_that_needs_nothing_else(cli, colours):
    cli("train", colours, "--model", "lenet5", "--epochs", 1, "--run", "run", "--workers", 0)
    page = Path("run/report.html").read_text()
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!data:|#)[^"']+""", page)
    assert not re.findall(r"@import|url\((?!['\"]?(?:data:|#))", page)
    assert "striate train" in page
    assert "--model lenet5" in page


def test_quiet_shows_no_progress(cli, colours):
    outcome = cli("train", colours, "--model", "lenet5", "--epochs", 1, "--run", "run", "--quiet", "--workers", 0)
    assert outcome.code == 0
    assert outcome.err == ""


def test_json_is_one_object_on_standard_output(cli, colours, run):
    train = ("train", colours, "--model", "lenet5", "--epochs", 1, "--run", "new", "--workers", 0)
    keys = {
        train: {"run", "split", "top1", "loss", "per_class", "report"},
        ("evaluate", run): {"run", "split", "top1", "confusion"},
        ("predict", run, colours / "red"): {"predictions"},
        ("models", "lenet*"): {"models"},
        ("summary", "lenet5"): {"network"},
        ("check", colours): {"classes", "images", "skipped", "fingerprint"},
    }
    for command, wanted in keys.items():
        outcome = cli(*command, "--json")
        assert outcome.code == 0, outcome.err
        assert wanted <= set(json.loads(outcome.out))


def test_json_of_a_failure_prints_nothing_on_standard_output(cli, tmp_path):
    outcome = cli("evaluate", tmp_path / "nowhere", "--json")
    assert outcome.code == 1
    assert "no such model file" in outcome.line()


def test_models_lists_what_fits_the_pattern(cli):
    outcome = cli("models", "resnet*")
    names = [line.split()[0] for line in outcome.out.splitlines()[1:]]
    assert {"resnet18", "resnet50"} <= set(names)
    assert all(name.startswith("resnet") for name in names)
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("resnet50 ")]
    assert "25,557,032" in line
    assert "2015" in line


def test_summary_goes_as_deep_as_asked(cli):
    shallow, deep = cli("summary", "resnet18", "--depth", 1), cli("summary", "resnet18", "--depth", 2)
    assert "11,689,512" in deep.out
    assert len(shallow.out.splitlines()) < len(deep.out.splitlines())
    assert len(deep.out.splitlines()) < len(cli("summary", "resnet18").out.splitlines())


def test_summary_of_a_run_and_of_a_model_file(cli, run):
    for where in (run, run / "model.safetensors"):
        outcome = cli("summary", where, "--json")
        assert outcome.code == 0, outcome.err
        assert json.loads(outcome.out)["input_shapes"] == [[1, 3, 28, 28]]
        assert "built for 28x28 pixels and got 40x40" in cli("summary", where, "--size", 40).err


def test_predict_names_the_likeliest_classes(cli, run, colours):
    outcome = cli("predict", run, colours / "red", colours / "blue" / "0.png", "--top", 2)
    assert outcome.code == 0
    rows = [line.split("\t") for line in outcome.out.splitlines()]
    assert len(rows) == 11
    assert rows[-1][0] == str(colours / "blue" / "0.png")
    for row in rows:
        first, second = (float(field.split()[-1].rstrip("%")) for field in row[1:])
        assert first >= second


def test_predict_goes_on_after_an_unreadable_image(cli, run, colours, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no image")
    (tmp_path / "empty").mkdir()
    good = colours / "red" / "0.png"
    outcome = cli("predict", run, tmp_path / "bad.png", good, tmp_path / "missing.png", tmp_path / "empty")
    assert outcome.code == 0
    assert [line.split("\t")[0] for line in outcome.out.splitlines()] == [str(good)]
    *errors, counts = outcome.err.splitlines()
    assert counts == "4 images: 1 red; 3 could not be read"
    assert len(errors) == 3
    for error, words in zip(errors, ("bad.png: ", "missing.png: no such file", "empty: no images"), strict=True):
        assert error.startswith("striate: ")
        assert words in error


def test_predict_fails_when_nothing_can_be_read(cli, run, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no image")
    outcome = cli("predict", run, tmp_path / "bad.png")
    assert outcome.code == 1
    assert "bad.png" in outcome.line()
    outcome = cli("predict", run, tmp_path / "bad.png", "--json")
    assert outcome.code == 1
    assert json.loads(outcome.out)["predictions"][0]["error"]


def test_predict_of_a_name_that_is_no_utf8(cli, run, colours):
    name = b"caf\xe9.png"
    Path(name.decode("utf-8", "surrogateescape")).write_bytes((colours / "red" / "0.png").read_bytes())
    for flag in ((), ("--json",)):
        outcome = cli("predict", run, ".", *flag)
        assert outcome.code == 0, outcome.err
        assert "caf" in outcome.out


@pytest.mark.parametrize("top", [0, -1])
def test_predict_of_no_class(top, cli, run, colours):
    outcome = cli("predict", run, colours, "--top", top)
    assert outcome.code == 2
    assert f"top is {top}" in outcome.line()


def test_evaluate_prints_accuracy_and_classes(cli, run, colours):
    outcome = cli("evaluate", run, colours, "--split", "train")
    assert outcome.code == 0
    assert "on 27 training images" in outcome.out
    assert re.search(r"^red +\d+\.\d\d% +\d+\.\d\d% +\d+\.\d\d% +9$", outcome.out, re.MULTILINE)


def test_evaluate_on_what_it_was_trained_with_takes_the_validation_images(cli, run):
    outcome = cli("evaluate", run, "--json")
    figures = json.loads(outcome.out)
    assert figures["split"] == "val"
    assert figures["images"] == 3


def test_closed_pipe_ends_quietly():
    shell = f"set -o pipefail; {sys.executable} -m striate models --json | true"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.returncode in (0, 1)
