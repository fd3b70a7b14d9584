"""striate embed: vectors of images as a table."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import striate
from striate.classifier.network_choice import usual_network


@pytest.fixture
def expected(run, colours):
    names = sorted(str(path) for path in colours.rglob("*.png"))
    return names, striate.load(run).embed(names)


def test_a_parquet_file_has_the_vector_of_each_image(cli, run, colours, expected):
    outcome = cli("embed", colours, "--model", run, "--out", "features.parquet")
    assert (outcome.code, outcome.err) == (0, "")
    width = expected[1].shape[1]
    assert outcome.out == f"30 images as {width} features each, by lenet5: features.parquet\n"
    table = pq.read_table("features.parquet")
    assert table["file"].to_pylist() == expected[0]
    found = np.stack(table["features"].to_numpy(zero_copy_only=False))
    np.testing.assert_allclose(found, expected[1], atol=1e-5)
    assert found.dtype == np.float32
    assert table.schema.metadata[b"striate.network"] == b"lenet5"


def test_a_csv_file_has_a_line_for_each(cli, run, colours, expected, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"")
    outcome = cli("embed", colours, tmp_path / "bad.png", "--model", run, "--out", "features.csv", "--json")
    found = json.loads(outcome.out)
    assert (found["images"], found["unreadable"], found["file"]) == (30, 1, "features.csv")
    assert "bad.png: empty file" in outcome.err
    with open("features.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header[:2] == ["file", "feature_1"]
    assert [row[0] for row in rows] == expected[0]
    np.testing.assert_allclose(np.array([row[1:] for row in rows], float), expected[1], atol=1e-5)


def test_what_cannot_be_written_is_refused_before_the_work(cli, run, colours, tmp_path):
    for out, said in (("features.txt", "written as .parquet or .csv"), ("no/such.csv", "there is no folder no")):
        outcome = cli("embed", colours, "--model", run, "--out", out)
        assert outcome.code in (1, 2)
        assert said in outcome.line()
        assert not Path(out).exists()
    assert "give --model with it" in cli("embed", colours, "--weights", "imagenet", "--out", "none.csv").line()
    (tmp_path / "bad.png").write_bytes(b"")
    assert cli("embed", tmp_path / "bad.png", "--model", run, "--out", "none.csv").code == 1


def test_without_a_network_the_most_accurate_at_hand_is_taken(cli, colours, shared_weights, monkeypatch):
    monkeypatch.setenv("STRIATE_WEIGHTS", str(shared_weights))
    assert usual_network()[0] == "efficientnet_lite2"
    outcome = cli("embed", colours / "red" / "0.png", "--out", "one.parquet")
    assert outcome.out == "1 image as 1,280 features each, by efficientnet_lite2: one.parquet\n"
