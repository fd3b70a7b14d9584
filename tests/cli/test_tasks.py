"""Several labels and values on the command line."""

import json

import pytest


@pytest.fixture
def table(colours, tmp_path):
    """The pictures of three colours with a column of labels and one of values."""
    rows = [
        f"{colours}/{name}/{number}.png,{name}{'|even' * (number % 2 == 0)},{number + 0.5}"
        for name in ("blue", "green", "red")
        for number in range(10)
    ]
    (tmp_path / "table.csv").write_text("path,tags,number\n" + "\n".join(rows))
    return tmp_path / "table.csv"


FAST = ("--model", "lenet5", "--epochs", "1", "--workers", "0", "--quiet", "--seed", "3")


def test_labels_from_check_to_predict(cli, colours, table, tmp_path):
    out = cli("check", table).out
    assert out.splitlines()[0].split() == ["label", "train", "val"]
    assert [line.split()[0] for line in out.splitlines()[1:5]] == ["blue", "even", "green", "red"]
    assert json.loads(cli("check", table, "--json").out)["task"] == "multi-label"
    told = cli("train", table, *FAST, "--run", tmp_path / "run").out.splitlines()
    assert told[0].startswith("mAP ")
    assert "on 3 val images" in told[0]
    evaluated = cli("evaluate", tmp_path / "run", table).out.splitlines()
    assert evaluated[1].endswith("mean of the labels', at thresholds fitted to these images")
    assert evaluated[2].endswith("mean of the labels', at 50%")
    heads = ["label", "AP", "threshold", "precision", "recall", "F1", "F1", "at", "50%", "images"]
    assert evaluated[6].split() == heads
    name, *labels = cli("predict", tmp_path / "run", colours / "red" / "0.png").out.strip().split("\t")
    assert name == str(colours / "red" / "0.png")
    assert labels == ["none"] or all(label.split()[0] in ("blue", "even", "green", "red") for label in labels)


def test_values_from_check_to_predict(cli, colours, table, tmp_path):
    flags = ("--task", "regression", "--target", "number")
    out = cli("check", table, *flags).out.splitlines()
    assert out[0].split() == ["value", "least", "mean", "greatest", "deviation"]
    assert out[1].split() == ["number", "0.5", "5", "9.5", "2.8723"]
    told = cli("train", table, *flags, *FAST, "--run", tmp_path / "run").out.splitlines()
    assert told[0].startswith("R² ")
    name, value = cli("predict", tmp_path / "run", colours / "red" / "0.png").out.strip().split("\t")
    assert name == str(colours / "red" / "0.png")
    assert 0 < float(value) < 10
    said = cli("predict", tmp_path / "run", colours / "red", "--csv", "said.csv")
    assert said.code == 0
    head, *rows = (tmp_path / "here" / "said.csv").read_text().splitlines()
    assert (head, len(rows)) == ("file,number,error", 10)
    line = cli("predict", tmp_path / "run", colours / "red", "--unsure", "0.8").line()
    assert "does not name one class for each image, so --sort-into and --unsure do not go with it" in line
    config = json.loads((tmp_path / "run" / "config.json").read_text(encoding="utf-8"))
    assert (config["target"], config["task"]["kind"]) == (["number"], "regression")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--task", "regresion"), "unknown task 'regresion'. Did you mean 'regression'?"),
        (("--target", "numbr"), "has no column 'numbr'. Did you mean 'number'?"),
        (("--task", "regression", "--target", "tags"), "column 'tags' holds no numbers to predict"),
    ],
)
def test_what_cannot_be_is_one_line(cli, table, tmp_path, flags, words):
    said = cli("train", table, *flags, *FAST, "--run", tmp_path / "run")
    assert words in said.line()
    assert not (tmp_path / "run").exists()
