"""Steps of gradual unfreezing: how they are written, what of them is refused, which of them holds when."""

import pytest

from striate.errors import UsageError
from striate.models import create_model
from striate.training.recipes import Recipe
from striate.training.unfreezing import Thaw, check_thaws, never_thaws, span, thaw_of, thaws_in


@pytest.mark.parametrize(
    ("text", "thaws"),
    [
        ("", []),
        ("none", []),
        ("5:layer3", [(5, "layer3")]),
        ("5:layer3,10:none", [(5, "layer3"), (10, "none")]),
        (" 2 : body.0 , 1000000:none ", [(2, "body.0"), (1_000_000, "none")]),
    ],
)
def test_steps_are_read(text, thaws):
    assert [(thaw.epoch, thaw.until) for thaw in thaws_in(text)] == thaws
    assert Recipe().override({"unfreeze": text}).unfreeze == text


@pytest.mark.parametrize("text", ["5", "layer3", "5:", ":layer3", "5:a,", "five:a", "-5:a", "5.5:a", "5:a 7:b", 5])
def test_what_is_no_step_is_told_with_the_way_to_write_one(text):
    with pytest.raises(UsageError, match=r"^unfreeze is .*; write EPOCH:PART, .* such as 5:stage2,10:none: ") as error:
        Recipe(unfreeze=text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["1:none", "0:none", "5:b,5:none", "5:b,4:none", "1000001:none"])
def test_epochs_rise_from_the_second_on(text):
    with pytest.raises(UsageError, match=rf"^unfreeze is {text}; its epochs are counted from 1 and rise, from 2 "):
        Recipe(unfreeze=text)


@pytest.mark.parametrize(
    ("freeze", "text", "said"),
    [
        (None, "2:none", "and nothing is: give freeze with it, one of stem, one, two or all"),
        ("two", "2:three", "names 'three', and custom has no such part; its parts are stem, one, two (none: nothing"),
        ("one", "2:two", "frees nothing in epoch 2: up to 'two' no less is frozen than up to 'one' before; the parts"),
        ("one", "2:one", "frees nothing in epoch 2"),
        ("all", "2:two", "frees nothing in epoch 2: up to 'two' no less is frozen than up to 'all'"),
        ("two", "2:none,3:stem", "frees nothing in epoch 3: up to 'stem' no less is frozen than up to 'none'"),
        ("two", "2:stem,3:all", "frees nothing in epoch 3"),
    ],
)
def test_steps_that_a_network_cannot_take_are_one_clear_line(freeze, text, said, small):
    with pytest.raises(UsageError, match=r"^unfreeze ") as error:
        check_thaws(small.network(), freeze, thaws_in(text))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("freeze", "text"), [(None, ""), ("stem", "none"), ("stem", "2:none"), ("all", "2:one,4:stem,9:none")]
)
def test_steps_that_loosen_are_taken(freeze, text, small):
    check_thaws(small.network(), freeze, thaws_in(text))


def test_a_step_holds_from_its_epoch_until_the_next():
    thaws = (Thaw(3, "one"), Thaw(5, "none"))
    assert [thaw and thaw.until for thaw in (thaw_of(thaws, epoch) for epoch in range(1, 8))] == [
        *(None, None, "one", "one", "none", "none", "none"),
    ]


def test_steps_behind_the_last_epoch_are_told():
    thaws = (Thaw(3, "one"), Thaw(5, "stem"), Thaw(6, "none"))
    assert never_thaws(thaws, 6) == ""
    assert never_thaws(thaws, 4) == "nothing is unfrozen in epoch 5, 6: there are 4"


def test_parts_in_words():
    assert span(["stem"]) == "stem"
    assert span(["stem", "one"]) == "stem to one"
    assert span(["stem", "one", "two"]) == "stem to two"


def test_copied_layers_are_freed_all_at_once():
    network = create_model("resnet20_cifar", num_classes=2)
    network.copied = ("stem.conv", "stages.stage1.0.residual.conv1")
    check_thaws(network, "copied", thaws_in("2:none"))
    with pytest.raises(UsageError, match=r"unfreeze names 'stage1' where copied layers are frozen.*write 3:none"):
        check_thaws(network, "copied", thaws_in("3:stage1"))
    with pytest.raises(UsageError, match="has no such part"):
        check_thaws(network, "all", thaws_in("3:copied"))
    assert span(("copied",)) == "the copied layers"
