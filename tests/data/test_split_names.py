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


WORDS = {
    "train": "train training trainval trn",
    "val": "val valid validate validation vld dev development eval evaluation",
    "test": "test tests testing tst t10k",
}
BESIDE = (
    "set sets data dataset split folder dir part partial seg my image images img imgs picture pictures pic pics photo "
    "photos sample samples"
)


@pytest.mark.parametrize("split", WORDS)
def test_every_word_for_a_split_is_known_with_all_that_may_stand_beside_it(split):
    for word in WORDS[split].split():
        for name in (word, word.upper(), f"{word}2017", f"{word}-01", f"{word} {word}"):
            assert split_and_rest(name) == (split, ""), name
        for filler in BESIDE.split():
            for name in (f"{filler}_{word}", f"{word} {filler}", f"{word}{filler}"):
                assert split_of(name) == split, name
                assert says_nothing(name), name
        assert split_and_rest(f"pets-{word}") == (split, "pets")
        assert split_of(f"pets-{word}") is None
        assert not says_nothing(f"pets-{word}")


def test_words_that_may_stand_beside_a_split_say_nothing_alone():
    for filler in BESIDE.split():
        assert says_nothing(filler)
        assert says_nothing(f"{filler.title()}_2")
        assert split_and_rest(filler) == (None, "")
        assert split_and_rest(f"cat {filler}") == (None, "cat")
    assert says_nothing("train_images-val")
    assert not says_nothing("12")


def test_two_splits_in_one_name_are_none_and_the_rest_stays():
    assert split_and_rest("train-val") == (None, "")
    assert split_and_rest("big-cats_Train-and-test3") == (None, "big cats and")
    assert split_and_rest("training-train") == ("train", "")
    assert split_and_rest("\u00c4pfel_TEST") == ("test", "\u00e4pfel")
