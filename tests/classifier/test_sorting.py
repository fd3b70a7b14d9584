"""Pictures in folders of their classes: whatever the classes are called, and never among those they come from."""

from pathlib import Path

import pytest

from striate.classifier.prediction import Prediction
from striate.classifier.sorting import Sorting, folder_names
from striate.errors import UsageError


@pytest.fixture
def photos(tmp_path) -> Path:
    for name in ("a.jpg", "cat/b.jpg", "deep/er/c.jpg"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(name.encode())
    return tmp_path / "photos"


def said(path: Path, label: str) -> Prediction:
    return Prediction(str(path), ((label, 0.9),), path=path)


def test_each_picture_lies_in_the_folder_of_its_class(photos, tmp_path):
    sorting = Sorting(tmp_path / "new", ("cat", "dog", "no picture"), [photos])
    assert str(sorting) == f"0 pictures copied into 0 folders of {tmp_path / 'new'}"
    assert sorting.put(said(photos / "a.jpg", "dog")) == tmp_path / "new" / "dog" / "a.jpg"
    assert sorting.put(said(photos / "cat" / "b.jpg", "cat")) == tmp_path / "new" / "cat" / "b.jpg"
    assert sorting.put(said(photos / "a.jpg", "dog")) == tmp_path / "new" / "dog" / "a_2.jpg"
    assert str(sorting) == f"3 pictures copied into 2 folders of {tmp_path / 'new'}"
    assert sorting.put(said(photos / "a.jpg", "dog"), is_sure=False) == tmp_path / "new" / "unsure" / "a.jpg"
    assert str(sorting) == f"3 pictures copied into 2 folders of {tmp_path / 'new'}, 1 into {tmp_path / 'new/unsure'}"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["cat", "dog", "unsure"]


def test_a_class_that_is_called_unsure_is_no_heap_of_doubts(photos, tmp_path):
    sorting = Sorting(tmp_path / "new", ("unsure", "a/b"), [photos])
    assert sorting.put(said(photos / "a.jpg", "unsure")).parent.name == "unsure"
    assert sorting.put(said(photos / "a.jpg", "unsure"), is_sure=False).parent.name == "unsure_2"
    assert sorting.put(said(photos / "a.jpg", "a/b")) == tmp_path / "new" / "a_b" / "a.jpg"


def test_what_could_not_be_read_or_has_no_file_stays_where_it_is(photos, tmp_path):
    sorting = Sorting(tmp_path / "new", ("cat",), [photos])
    assert sorting.put(Prediction("a.jpg", error="truncated", path=photos / "a.jpg")) is None
    assert sorting.put(Prediction("[0]", (("cat", 1.0),))) is None
    assert not (tmp_path / "new").exists()


def test_links_lead_to_the_pictures(photos, tmp_path):
    sorting = Sorting(tmp_path / "new", ("cat",), [photos], link=True)
    target = sorting.put(said(photos / "a.jpg", "cat"))
    assert target.is_symlink()
    assert target.read_bytes() == b"a.jpg"
    assert str(sorting).startswith("1 picture linked into 1 folder of ")


@pytest.mark.parametrize(
    ("folder", "given"),
    [
        ("photos", ["photos"]),
        ("photos/new", ["photos"]),
        ("link", ["photos"]),
        (".", ["photos/cat"]),
        (".", ["elsewhere", "deep", "photos"]),
        ("photos", ["photos/cat/b.jpg"]),
    ],
)
def test_no_picture_is_put_among_those_it_comes_from(photos, tmp_path, folder, given, monkeypatch):
    (tmp_path / "link").symlink_to(photos / "deep")
    if folder == "." and given[0] == "photos/cat":
        folder = "photos"  # whose folder of a class is what is sorted
    with pytest.raises(UsageError, match=r"pictures would be put among those of .*; give a folder elsewhere"):
        Sorting(tmp_path / folder, ("cat", "photos"), [tmp_path / name for name in given])


def test_a_folder_beside_the_pictures_is_one_elsewhere(photos):
    around = Sorting(photos.parent, ("cat", "dog"), [photos])
    assert around.put(said(photos / "a.jpg", "dog")) == photos.parent / "dog" / "a.jpg"
    within = Sorting(photos, ("dog", "cow"), [photos / "a.jpg", photos / "cat" / "b.jpg", photos / "cat"])
    assert within.put(said(photos / "cat" / "b.jpg", "cow")) == photos / "cow" / "b.jpg"
    assert [(photos / name).read_bytes() for name in ("a.jpg", "cat/b.jpg")] == [b"a.jpg", b"cat/b.jpg"]


def test_folders_are_called_as_every_system_takes_it_and_differ():
    classes = ["cat", "Cat", "a/b", "a:b", "..", "", "unsure", "con", "déjà vu", "cat_2", "unsure"]
    assert folder_names(classes) == [
        *("cat", "Cat_2", "a_b", "a_b_2", "_", "__2", "unsure", "con_", "déjà vu", "cat_2_2", "unsure_2")
    ]
