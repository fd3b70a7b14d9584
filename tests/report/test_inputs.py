"""What the report says of the data and the recipe, held whole against values computed by hand."""

from types import SimpleNamespace

import pytest

from striate.report import ReportContent, inputs


def data(**fields):
    return inputs.data(ReportContent("x", **fields))


def test_classes_are_counted_by_split_in_their_own_order_where_they_are_few():
    sizes = {"train": {"cat": 40, "dog": 25, "fox": 20}, "val": {}, "test": {"dog": 3, "cat": 6}}
    assert data(split_sizes=sizes)["counts"] == {
        "splits": ["training", "test"],
        "rows": [("cat", [40, 6]), ("dog", [25, 3]), ("fox", [20, 0])],
        "left_out": 0,
        "largest": [40, 6],
        "totals": [85, 9],
        "balance": "From 20 (fox) to 40 images (cat) a class, 2.0 times as many in the training split.",
        "many": False,
    }


@pytest.mark.parametrize(
    ("first", "second", "balance"),
    [
        (1, 1, "Every class has 1 image in the training split."),
        (2000, 2000, "Every class has 2,000 images in the training split."),
        (14, 10, "From 10 (b) to 14 images (a) a class in the training split."),
        (10, 15, "From 10 (a) to 15 images (b) a class, 1.5 times as many in the training split."),
        (3, 0, "From 0 (b) to 3 images (a) a class in the training split."),
    ],
)
def test_balance_is_told_with_a_ratio_where_it_is_worth_telling(first, second, balance):
    assert data(split_sizes={"train": {"a": first, "b": second}})["counts"]["balance"] == balance


@pytest.mark.parametrize(("classes", "many"), [(inputs.FEW_CLASSES, False), (inputs.FEW_CLASSES + 1, True)])
def test_many_classes_stand_with_the_largest_first_and_of_equal_ones_by_name(classes, many):
    sizes = {f"c{number:03}": [5, 9, 5][number % 3] for number in reversed(range(classes))}
    counts = data(split_sizes={"train": sizes})["counts"]
    ordered = sorted(sizes, key=lambda name: (-sizes[name], name)) if many else list(sizes)
    assert [name for name, _ in counts["rows"]] == ordered
    assert counts["many"] is many


def test_too_many_classes_are_cut_and_counted():
    counts = data(split_sizes={"train": {f"{number}": number + 1 for number in range(1003)}})["counts"]
    assert (len(counts["rows"]), counts["left_out"], counts["rows"][0]) == (1000, 3, ("1002", [1003]))
    assert counts["totals"] == [1003 * 1004 // 2]


def test_skipped_files_are_told_by_reason_the_most_frequent_first():
    skipped = [("a.png", "empty"), SimpleNamespace(path="b.png", reason="damaged"), ("c.png", "damaged")]
    found = data(skipped=skipped)
    assert found["skipped"] == [("a.png", "empty"), ("b.png", "damaged"), ("c.png", "damaged")]
    assert found["reasons"] == [("damaged", 2), ("empty", 1)]
    assert (found["skipped_total"], found["reasons_left_out"], found["counts"]) == (3, 0, None)


def test_reasons_that_are_all_different_stand_beside_their_files_only():
    assert data(skipped=[("a.png", "empty"), ("b.png", "damaged")])["reasons"] == []


def test_long_lists_are_cut_and_counted():
    many = [(f"{number}.png", f"reason {number // 2}") for number in range(50)]
    pairs = [(f"train/{number}", f"test/{number}") for number in range(45)]
    places = [[(f"{number}/{copy}", "cat") for copy in range(10)] for number in range(42)]
    found = data(skipped=many, duplicates=pairs, contradictions=places)
    assert (len(found["skipped"]), found["skipped_total"]) == (40, 50)
    assert (len(found["reasons"]), found["reasons_left_out"]) == (12, 13)
    assert (found["duplicates"], found["duplicates_total"]) == (pairs[:40], 45)
    assert (found["contradictions"], found["contradictions_total"]) == ([one[:8] for one in places[:40]], 42)


@pytest.mark.parametrize(
    "only",
    [
        {"skipped": [("a", "b")]},
        {"notes": ["a note"]},
        {"duplicates": [("a", "b")]},
        {"contradictions": [[("a", "b")]]},
        {"split_sizes": {"train": {"a": 1}}},
    ],
    ids=lambda only: next(iter(only)),
)
def test_each_kind_of_remark_makes_a_section_by_itself(only):
    assert data(**only) is not None


def test_nothing_to_say_of_the_data_makes_no_section():
    assert data(split_sizes={"train": {}}) is None


def test_a_recipe_stands_in_groups_with_its_plain_fields_first():
    recipe = {"epochs": 3, "augment": {"flip": 0.5, "deep": {"a": 1, "empty": {}}}, "rate": 0.1, "nothing": {}}
    assert inputs.recipe(ReportContent("x", recipe=recipe)) == [
        ("", [("epochs", "3"), ("rate", "0.1"), ("nothing", "none")]),
        ("augment", [("flip", "0.5"), ("deep.a", "1"), ("deep.empty", "none")]),
    ]
    assert inputs.recipe(ReportContent("x")) == []


def test_splits_have_their_words():
    assert [inputs.split_word(name) for name in ("train", "val", "test", "all")] == [
        *("training", "validation", "test", "all"),
    ]


def test_long_names_are_cut_where_balance_is_told():
    sizes = {"s" * 50: 3, "l" * 41: 4, "m" * 40: 4}
    cut = f"{'s' * 19}…{'s' * 20}", f"{'l' * 19}…{'l' * 20}"
    assert data(split_sizes={"train": sizes})["counts"]["balance"] == (
        f"From 3 ({cut[0]}) to 4 images ({cut[1]}) a class in the training split."
    )


def test_a_split_without_images_has_no_column():
    found = data(split_sizes={"val": {"a": 0, "b": 0}, "test": {"a": 0, "b": 2}})["counts"]
    assert (found["splits"], found["rows"], found["largest"]) == (["test"], [("a", [0]), ("b", [2])], [2])
    assert data(split_sizes={"val": {"a": 0}}) is None


def test_settings_have_the_whole_path_below_their_group():
    recipe = {"augment": {"colour": {"jitter": {"hue": 0.1}, "pca": 2}, "flip": True}}
    assert inputs.recipe(ReportContent("x", recipe=recipe)) == [
        ("augment", [("colour.jitter.hue", "0.1"), ("colour.pca", "2"), ("flip", "true")])
    ]
