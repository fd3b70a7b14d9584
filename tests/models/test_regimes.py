"""What each way to train freezes, and from how many images on; see also test_recommendation."""

from striate.models import regimes as rules
from striate.models.regimes import ALL, DIFFERENT, ENLARGED, NOTHING, SIMILAR, regimes


def test_what_each_regime_freezes():
    frozen = {"similar": SIMILAR, "different": DIFFERENT, "all": ALL, "nothing": NOTHING, "enlarged": ENLARGED}
    assert {name: regime.freeze for name, regime in frozen.items()} == {
        "similar": "all",
        "different": "middle",
        "all": None,
        "nothing": None,
        "enlarged": "all",
    }
    for regime in frozen.values():  # the advice names the option that does it
        assert ("--freeze" in regime.advice) == (regime.freeze is not None)


def test_where_nobody_says_there_are_weights_and_both_kinds_of_pictures():
    assert regimes(5) == (SIMILAR, DIFFERENT)
    assert regimes(10**6) == (ALL,)
    assert (rules.ENOUGH_TO_FINE_TUNE_ALL, rules.ENOUGH_TO_START_FROM_NOTHING) == (10_000, 20_000)
