import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from striate.data import decode, open_dataset
from striate.data.archives import Archive
from striate.data.readers import expanded
from striate.data.web_dataset import is_shard, key_of
from striate.errors import StriateError, UsageError

SPEC = importlib.util.spec_from_file_location("packing", Path(__file__).parents[1] / "packing.py")
packing = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(packing)
png, tarred = packing.png, packing.tarred


def samples(numbers, start=0, ending="cls") -> dict[str, bytes]:
    """Members of samples of these classes."""
    files = {}
    for row, number in enumerate(numbers, start):
        files[f"{row:06d}.png"] = png(row)
        files[f"{row:06d}.{ending}"] = (
            str(number).encode() if ending == "cls" else json.dumps({"label": number}).encode()
        )
    return files


def told(source, **options) -> str:
    with pytest.raises(StriateError) as caught:
        open_dataset(source, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_key_ends_at_the_first_dot_of_the_name():
    assert key_of("a.b/c.d.png") == ("a.b/c", "d.png")
    assert key_of("x.JPG") == ("x", "jpg")
    assert key_of("plain") == ("plain", "")


@pytest.mark.parametrize("ending", ["cls", "json"])
def test_a_folder_of_shards_is_divided_by_their_names(tmp_path, ending):
    tarred(tmp_path / "train-000000.tar", samples([0, 1, 2], ending=ending))
    tarred(tmp_path / "train-000001.tar", samples([1, 0], 3, ending))
    tarred(tmp_path / "val-000000.tar", samples([2, 2], 5, ending))
    dataset = open_dataset(tmp_path)
    assert [(split.name, split.labels.tolist()) for split in dataset.splits] == [
        ("train", [0, 1, 2, 1, 0]),
        ("val", [2, 2]),
    ]
    assert dataset.train.images.name(3) == f"{tmp_path}/train-000001.tar/000003.png"
    (tmp_path / "classes.txt").write_text("cat\ndog\nfox\n")
    assert open_dataset(tmp_path).classes == ("cat", "dog", "fox")


def test_names_with_a_range_are_shards(tmp_path):
    for number in range(3):
        tarred(tmp_path / f"x-{number:03d}.tar", samples(["cat", "dog"], 2 * number))
    dataset = open_dataset(str(tmp_path / "x-{000..002}.tar"), val_fraction=0)
    assert dataset.classes == ("cat", "dog")
    assert len(dataset.train) == 6
    assert told(str(tmp_path / "x-{000..003}.tar")) == f"there is no '{tmp_path}/x-003.tar', one of 4 shards"
    assert expanded("a{1..2}b{08..10}") == [f"a{a}b{b}" for a in (1, 2) for b in ("08", "09", "10")]
    for source in ("a{3..1}", "a{0..9999999}"):
        with pytest.raises(UsageError, match="a range of shards counts up"):
            expanded(source)


def test_one_shard_alone_and_its_pictures(tmp_path):
    path = tarred(
        tmp_path / "pets.tar", {"d/a.png": png(1), "d/a.cls": b"cat\n", "d/b.png": png(2), "d/b.cls": b" dog"}
    )
    dataset = open_dataset(path, val_fraction=0)
    assert dataset.classes == ("cat", "dog")
    assert np.array_equal(dataset.train.images.read(1), decode(png(2)))


def test_json_may_hold_several_labels_or_values(tmp_path):
    files = {}
    for row in range(4):
        said = {"tags": ["sea", "sky"][: row % 3], "age": row / 2, "n": {"deep": 1}}
        files |= {f"{row}.png": png(row), f"{row}.json": json.dumps(said).encode()}
    path = tarred(tmp_path / "a.tar", files)
    several = open_dataset(path, val_fraction=0)
    assert (several.task, several.classes) == ("multi-label", ("sea", "sky"))
    assert several.train.labels.sum(0).tolist() == [2, 1]
    assert open_dataset(path, val_fraction=0, target="age").train.labels[:, 0].tolist() == [0, 0.5, 1, 1.5]


def test_class_folders_with_json_of_something_else_are_no_shards(tmp_path):
    files = {}
    for name in ("cat", "dog"):
        files |= {f"{name}/1.png": png(1), f"{name}/1.json": b'{"camera": 1}'}
    path = tarred(tmp_path / "a.tar", files)
    assert not is_shard(Archive(path))
    assert open_dataset(path, val_fraction=0).classes == ("cat", "dog")


def test_samples_that_are_not_whole_are_skipped_with_their_reason(tmp_path):
    files = samples(["cat", "dog"]) | {"x.png": png(7), "y.cls": b"cat", "z.png": png(8), "z.cls": b"\xff"}
    dataset = open_dataset(tarred(tmp_path / "a.tar", files), val_fraction=0)
    assert len(dataset.train) == 2
    assert {entry.path.rpartition("/")[2]: entry.reason.partition(":")[0] for entry in dataset.skipped} == {
        "y": "the sample has no image",
        "z.png": "its label cannot be read",
        "sample:3": "the row has no label",
    }
