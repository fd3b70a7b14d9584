import pytest

from striate.data.split_names import says_nothing, split_and_rest, split_of


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *(
            (name, "train")
            for name in ("train", "Training", "TRAIN", "training_set", "trainset", "train2017", "seg_train")
        ),
        *(
            (name, "train")
            for name in ("train_images", "TrainImages", "train-data", "trainval", "My Training Data", "trn")
        ),
        *(
            (name, "val")
            for name in ("val", "valid", "Validation", "validation_set", "dev", "val2017", "valset", "eval")
        ),
        *((name, "test") for name in ("test", "Testing", "test_set", "TestImages", "test1", "tst", "t10k", "seg_test")),
        *((name, None) for name in ("cats", "train_station", "test-tubes", "invalid", "device", "detest", "contest")),
        *((name, None) for name in ("images", "train_test", "2020", "", "_", "strain")),
    ],
)
def test_a_name_speaks_of_one_split_or_of_none(name, split):
    assert split_of(name) == split


def test_what_else_a_name_says_is_told_apart():
    assert split_and_rest("pets-test_set2") == ("test", "pets")
    assert split_and_rest("flowers-train-00000-of-00001") == ("train", "flowers of")
    assert split_and_rest("cats") == (None, "cats")


@pytest.mark.parametrize(
    ("name", "nothing"),
    [("images", True), ("seg_train", True), ("test_images", True), ("2020", False), ("cat images", False), ("", False)],
)
def test_folders_that_only_wrap_are_no_classes(name, nothing):
    assert says_nothing(name) is nothing
