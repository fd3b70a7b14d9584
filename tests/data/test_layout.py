"""Splits are never taken for classes; years and places are asked about."""

import pytest

from striate.data import open_dataset
from striate.data.layout import demand_classes, split_folders
from striate.errors import StriateError

PETS = {"cat": 3, "dog": 3}


@pytest.fixture
def make(make_folder):
    """Make a folder of classes at each path below `pets`; return `pets`."""

    def make(*places: str, counts=PETS):
        for place in places:
            make_folder(counts, name=f"pets/{place}")
        return make_folder({}, name="pets")

    return make


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [
        ("train", "valid", "test"),
        ("Training", "Validation", "Testing"),
        ("training_set", "val_set", "test_set"),
        ("TRAIN", "DEV", "TEST"),
        ("train_images", "val_images", "test_images"),
        ("seg_train/seg_train", "seg_val/seg_val", "seg_test/seg_test"),
        ("train/images", "valid/images", "test/images"),
        ("train2017", "val2017", "test2017"),
        ("trainset", "devset", "testset"),
        ("pets_train", "pets_val", "pets_test"),
    ],
)
def test_splits_are_known_by_many_names(make, train, val, test):
    root = make(train)
    make(val, counts={"cat": 2, "dog": 1})
    make(test, counts={"cat": 1})
    dataset = open_dataset(root)
    assert dataset.classes == ("cat", "dog")
    assert [split.counts(2).tolist() for split in dataset.splits] == [[3, 3], [2, 1], [1, 0]]
    assert [split.name for split in dataset.splits] == ["train", "val", "test"]
    assert dataset.divided


def test_train_and_test_without_class_folders_are_no_classes(make_folder):
    with pytest.raises(StriateError, match=r"directly in .*photos/train; put them into one folder per class"):
        open_dataset(make_folder({"train": 3, "test": 3}))


def test_val_and_test_without_class_folders_are_no_classes(make_folder):
    with pytest.raises(StriateError, match="holds the parts valid and test without class folders of images in them"):
        open_dataset(make_folder({"valid": 3, "test": 3}))


@pytest.mark.parametrize("names", [("val", "test"), ("valid_set", "Testing")])
def test_without_a_train_split_training_is_refused_with_what_is_there(make, names):
    with pytest.raises(StriateError, match="holds val and test images, but none to train on"):
        open_dataset(make(*names))


def test_without_a_train_split_a_model_can_be_measured(make):
    dataset = open_dataset(make("val", "test"), classes=("dog", "cat"), val_fraction=0)
    assert [len(split) for split in dataset.splits] == [0, 6, 6]
    assert dataset.test.counts(2).tolist() == [3, 3]


@pytest.mark.parametrize("names", [{"bus": 2, "train": 2}, {"valid": 2, "invalid": 2}, {"test": 2, "probe": 2}])
def test_one_word_among_others_is_a_class(make_folder, names):
    assert open_dataset(make_folder(names)).classes == tuple(sorted(names))


def test_two_folders_for_one_split_are_asked_about(make):
    with pytest.raises(StriateError, match="holds both valid and validation; keep one of them"):
        open_dataset(make("train", "valid", "validation"))


def test_parts_of_several_classes_side_by_side_are_asked_about(make_folder):
    with pytest.raises(StriateError, match=r"parts for 'cat' and 'dog' side by side.*/train/dog"):
        open_dataset(make_folder(dict.fromkeys(("cat_train", "cat_test", "dog_train", "dog_test"), 2)))


def test_split_without_images_is_left_out_with_a_note(make):
    root = make("train")
    make("test", counts={"cat": 0, "dog": 0})
    dataset = open_dataset(root)
    assert dataset.test is None
    assert f"{root / 'test'} holds no images and was left out" in dataset.notes


def test_folders_beside_the_splits_are_named(make):
    assert "folders beside the splits were ignored: extra" in open_dataset(make("train", "test", "extra")).notes


def test_images_beside_the_classes_of_a_split_are_counted(make, make_folder):
    root = make("train", "test")
    (root / "test/cat/000.png").rename(root / "test/stray.png")
    assert f"1 image directly in {root / 'test'} ignored: in no class folder" in open_dataset(root).notes


@pytest.mark.parametrize(
    "places",
    [
        ("2020", "2021"),
        ("2019", "2020", "2021"),
        ("2020-05", "2020-06"),
        ("20200517", "2020_05_18"),
        ("hospital_a", "hospital_b"),
        ("fold1", "fold2", "fold3"),
        ("camera1", "camera2"),
        ("January", "February"),
    ],
)
def test_years_and_places_above_the_classes_are_asked_about(make, places):
    root = make(*places)
    with pytest.raises(StriateError, match="which are the classes") as caught:
        open_dataset(root)
    line = str(caught.value)
    assert places[0] in line
    assert "cat, dog" in line
    assert "one folder cat" in line
    assert "if they are the parts of a data set, call them train, val and test" in line
    assert "\n" not in line


def test_years_are_asked_about_though_their_folders_differ(make):
    root = make("2020", counts={"cat": 2})
    make("2021", counts={"dog": 2})
    with pytest.raises(StriateError, match="which are the classes"):
        open_dataset(root)


def test_years_among_other_folders_are_asked_about(make, make_folder):
    make("2020", "2021")
    root = make_folder({"misc": 2}, name="pets")
    with pytest.raises(StriateError, match=r"\(2020, 2021\) hold no images themselves"):
        open_dataset(root)


def test_years_inside_a_split_are_asked_about(make):
    with pytest.raises(StriateError, match=r"folders of .*pets/train \(2020, 2021\)"):
        open_dataset(make("train/2020", "train/2021", "test"))


def test_splits_below_the_classes_are_asked_about(make):
    root = make("rose", "tulip", counts={"train": 2, "test": 1})
    with pytest.raises(StriateError, match=r"Put the parts above the classes \(.*pets/train/rose\)"):
        open_dataset(root)


@pytest.mark.parametrize(
    "inner",
    [("images",), ("001", "002"), ("batch_1", "batch_2"), ("patient1", "patient2"), ("jpg",)],
)
def test_folders_that_only_sort_the_images_of_a_class_are_no_classes(make, inner):
    root = make("rose", "tulip", counts=dict.fromkeys(inner, 2))
    dataset = open_dataset(root, val_fraction=0)
    assert dataset.classes == ("rose", "tulip")
    assert len(dataset.train) == 4 * len(inner)


def test_places_are_asked_about_though_some_of_their_folders_have_numbers(make):
    root = make("north", "south", counts={"cat": 1, "dog": 1, "001": 1})
    with pytest.raises(StriateError, match="which are the classes"):
        open_dataset(root)


def test_kinds_below_a_class_are_no_classes_though_one_name_returns(make):
    root = make("cat", counts={"kitten": 2, "adult": 2})
    make("dog", counts={"puppy": 2, "adult": 2})
    assert open_dataset(root).classes == ("cat", "dog")


def test_years_with_images_directly_in_them_are_classes(make_folder):
    assert open_dataset(make_folder({"1990": 2, "2000": 2})).classes == ("1990", "2000")


def test_places_that_share_half_of_their_folders_are_asked_about(make):
    root = make("north")
    make("south", counts={"cat": 1, "dog": 1, "fox": 1, "hen": 1})
    with pytest.raises(StriateError, match="which are the classes"):
        open_dataset(root)
    make("south", counts={"owl": 1})
    assert open_dataset(root).classes == ("north", "south")


def test_train_alone_among_others_is_a_part_where_it_holds_folders(make, make_folder):
    root = make("train")
    make_folder({"extra": 2}, name="pets")
    dataset = open_dataset(root)
    assert dataset.classes == ("cat", "dog")
    assert dataset.divided
    assert "folders beside the splits were ignored: extra" in dataset.notes


def test_test_alone_among_others_is_a_class(make, make_folder):
    root = make("test")
    make_folder({"extra": 2}, name="pets")
    assert open_dataset(root).classes == ("extra", "test")


def test_names_that_only_begin_with_a_year_are_classes(make):
    root = make("2020 roses", counts={"red": 2, "white": 1})
    make("2021 tulips", counts={"pink": 2})
    assert open_dataset(root).classes == ("2020 roses", "2021 tulips")


SORTING = (
    "part batch fold session seq sequence series subject patient person user cam camera video clip run take day chunk "
    "dir folder set p s"
)


def test_every_word_that_only_sorts_is_known_with_a_number(tmp_path):
    def demand(*inner: str) -> None:
        folders = [tmp_path / name for name in ("north", "south")]
        for folder in folders:
            for name in inner:
                (folder / name).mkdir(parents=True)
        try:
            demand_classes(tmp_path, folders)
        finally:
            for folder in folders:
                for name in inner:
                    (folder / name).rmdir()

    forms = "{}1", "{}_22", "{}-3", "{} 4"
    demand(*(form.format(word) for word in (*SORTING.split(), "PATIENT") for form in forms))
    for word in SORTING.split():
        with pytest.raises(StriateError, match="which are the classes"):
            demand(f"{word}a", f"{word}b")
    demand("1", "002", "images", "train")
    demand("part", "1")  # a folder of parts among the numbers
    with pytest.raises(StriateError, match="which are the classes"):
        demand("part", "kitten", "adult")


@pytest.mark.parametrize(
    ("name", "year"),
    [
        *((name, True) for name in ("1900", "2099", "1990s", "2020-05", "2020_05", "2020.05", "2020 05", "202005")),
        *((name, True) for name in ("2020-05-17", "20200517", "2020_05-17")),
        *((name, False) for name in ("1899", "2100", "020", "2020x", "2020-5", "2020-05-17-1", "x2020", "2020s-05")),
    ],
)
def test_dates_above_different_folders_are_asked_about(tmp_path, name, year):
    folders = [tmp_path / name, tmp_path / "2001"]
    for folder, inner in zip(folders, (("cat",), ("dog", "owl")), strict=True):
        for below in inner:
            (folder / below).mkdir(parents=True)
    if year:
        with pytest.raises(StriateError) as caught:
            demand_classes(tmp_path, folders)
        seen = f"the folders of {tmp_path} ({name}, 2001) hold no images themselves but each the folders cat, dog, owl"
        assert str(caught.value).startswith(
            f"{seen}: which are the classes? If 'cat' is one, put {name}/cat and 2001/cat"
        )
    else:
        demand_classes(tmp_path, folders)


def test_questions_about_folders_name_three_and_stay_in_one_line(tmp_path):
    root = tmp_path / "two\nlines"
    folders = [root / name for name in ("a\nb", "c", "d", "e")]
    for folder in folders:
        for inner in ("kit\nten", "pup", "owl", "fox"):
            (folder / inner).mkdir(parents=True)
    with pytest.raises(StriateError) as caught:
        demand_classes(root, folders)
    shown, inner = "a\ufffdb", "fox, kit\ufffdten, owl, …"
    assert str(caught.value) == (
        f"the folders of {tmp_path}/two\ufffdlines ({shown}, c, d, …) hold no images themselves but each the folders "
        f"{inner}: which are the classes? If 'fox' is one, put {shown}/fox and c/fox into one folder fox, or list the "
        f"images in a CSV with columns path and label; if '{shown}' is one, put its images directly into it; if they "
        "are the parts of a data set, call them train, val and test"
    )
    for folder in folders:
        for inner in ("kit\nten", "pup", "owl", "fox"):
            (folder / inner).rmdir()
        (folder / "train").mkdir()
        (folder / "Test").mkdir()
    with pytest.raises(StriateError) as caught:
        demand_classes(root, folders)
    assert str(caught.value) == (
        f"the folders of {tmp_path}/two\ufffdlines ({shown}, c, d, …) hold no images themselves but each the folders "
        "Test, train: are these the parts of a data set? Put the parts above the classes "
        f"({tmp_path}/two\ufffdlines/train/{shown})"
    )


def test_an_image_or_a_locked_folder_among_them_answers_the_question(tmp_path, locked):
    folders = [tmp_path / name for name in ("north", "south", "locked")]
    for folder in folders:
        for inner in ("cat", "dog"):
            (folder / inner).mkdir(parents=True)
    demand_classes(tmp_path, folders)
    (tmp_path / "south" / ".hidden").mkdir()
    (tmp_path / "south" / "notes.txt").touch()
    with pytest.raises(StriateError, match="which are the classes"):
        demand_classes(tmp_path, folders[:2])
    demand_classes(tmp_path, folders[:1])
    (tmp_path / "south" / "1.png").touch()
    demand_classes(tmp_path, folders[:2])


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("train test", {"train": "train", "test": "test"}),
        ("Testing Training", {"train": "Training", "test": "Testing"}),
        ("pets_train pets_val other", {"train": "pets_train", "val": "pets_val"}),
        ("cat dog", None),
        ("cat/x train/y", {"train": "train"}),
        ("cat/x test/y", None),
        ("cat train", None),
        ("train/y", {"train": "train"}),
        ("val/x", {"val": "val"}),
        ("val", None),
        ("train/data/cat test/images", {"train": "train/data", "test": "test/images"}),
        ("train/a train/b test/a", {"train": "train", "test": "test"}),
        ("seg_train/seg_train/images/cat seg_test/x", {"train": "seg_train/seg_train/images", "test": "seg_test"}),
    ],
)
def test_folders_of_splits_are_told_from_classes(tmp_path, names, found):
    for name in names.split():
        (tmp_path / name).mkdir(parents=True)
    splits = split_folders(tmp_path)
    assert (splits and {split: path.relative_to(tmp_path).as_posix() for split, path in splits.items()}) == found
    assert splits is None or list(splits) == [name for name in ("train", "val", "test") if name in splits]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("tr\nain valid validation train", "holds both valid and validation; keep one of them"),
        (
            "cat_train cat_test dog_train dog_val",
            "holds parts for 'cat' and 'dog' side by side: put them into one folder per part, with the classes in it "
            "({0}/train/dog)",
        ),
        (
            "train test cat_train cat_test",
            "holds parts for the whole and 'cat' side by side: put them into one folder per part, with the classes in "
            "it ({0}/train/cat)",
        ),
    ],
)
def test_parts_that_are_there_twice_are_asked_about(tmp_path, names, words):
    root = tmp_path / "two\nlines"
    for name in names.split(" "):
        (root / name).mkdir(parents=True)
    shown = f"{tmp_path}/two\ufffdlines"
    with pytest.raises(StriateError) as caught:
        split_folders(root)
    assert str(caught.value) == f"{shown} {words.format(shown)}"
