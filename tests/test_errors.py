import pytest

from striate.errors import StriateError, UsageError, is_out_of_memory, nearest, unknown


def test_exit_codes_tell_failure_from_wrong_usage():
    assert StriateError("broken").exit_code == 1
    assert UsageError("wrong").exit_code == 2
    assert issubclass(UsageError, StriateError)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] data. DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] data. DefaultCPUAllocator: not enough memory: you tried"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
        RuntimeError("OpenCV(4.10.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 9 bytes"),
        RuntimeError("Out of memory"),
    ],
    ids=str,
)
def test_libraries_words_for_too_little_memory(error):
    assert is_out_of_memory(error)


def test_other_errors_are_not_for_want_of_memory():
    assert not is_out_of_memory(RuntimeError("shape '[2]' is invalid for input of size 3"))


@pytest.mark.parametrize(
    ("name", "first"), [("resnet5", "resnet50"), ("mobilnet_v2", "mobilenet_v2"), ("lenet", "lenet5")]
)
def test_the_nearest_name_is_offered_first(name, first):
    known = ["vgg16", "resnet50", "resnet101", "mobilenet_v2", "lenet5"]
    assert nearest(name, known).startswith(f" Did you mean '{first}'")


def test_nothing_is_offered_when_nothing_is_near():
    assert nearest("qqq", ["resnet50", "vgg16"]) == ""
    assert nearest("resnet50", []) == ""


def test_any_iterable_of_names_will_do():
    error = unknown("optimizer", "adam", (name for name in ("sgd", "adamw")))
    assert "'adamw'" in str(error)


def test_an_unknown_name_is_wrong_usage_and_offers_the_nearest():
    error = unknown("network", "resnet5", ["resnet50", "vgg16"])
    assert isinstance(error, UsageError)
    assert str(error) == "unknown network 'resnet5'. Did you mean 'resnet50'?"


def test_all_names_are_listed_where_none_is_near():
    assert str(unknown("optimizer", "qqq", ["sgd", "adamw"])) == "unknown optimizer 'qqq'. Known: adamw, sgd."


def test_a_command_that_lists_them_takes_the_place_of_the_list():
    message = str(unknown("network", "qqq", ["resnet50"], "`striate models` lists them."))
    assert message == "unknown network 'qqq'. `striate models` lists them."


def test_up_to_three_names_are_offered_nearest_first():
    known = ["resnet50", "resnet5", "resnet152", "resnet1", "vgg16"]
    assert nearest("resnet15", known) == " Did you mean 'resnet152' or 'resnet5' or 'resnet1'?"
    assert nearest("resnet15", known, count=1) == " Did you mean 'resnet152'?"


@pytest.mark.parametrize(("name", "offered"), [("abxx", True), ("axxx", False)])
def test_a_name_is_near_that_shares_half_its_letters(name, offered):
    assert bool(nearest(name, ["abcd"])) is offered


def test_known_names_are_told_in_their_order():
    error = unknown("schedule", "xyz", ("step", "cosine", "linear"))
    assert str(error) == "unknown schedule 'xyz'. Known: cosine, linear, step."
    both = unknown("schedule", "cosin", ["cosine"], "They are in the manual.")
    assert str(both) == "unknown schedule 'cosin'. Did you mean 'cosine'? They are in the manual."
