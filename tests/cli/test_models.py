"""striate models: the catalogue in columns, and as JSON."""

import json

from striate.models import get_card, list_models


def test_columns_are_name_parameters_input_year_what_is_new_and_weights(cli):
    outcome = cli("models", "squeezenet*")
    assert (outcome.code, outcome.err) == (0, "")
    new = get_card("squeezenet1_0").introduces
    newer = get_card("squeezenet1_1").introduces
    assert outcome.out.splitlines() == [
        f"squeezenet1_0     1,248,424  224 px  2016  {new} [weights: imagenet]",
        f"squeezenet1_1     1,235,496  224 px  2016  {newer} [weights: imagenet]",
    ]


def test_names_are_as_wide_as_the_longest_and_sizes_stand_right(cli):
    lines = cli("models", "*lenet5*").out.splitlines() + cli("models", "lenet5").out.splitlines()
    assert [line[:36] for line in lines] == [
        "lenet5             61,706   28 px  1",
        "lenet5_1998        60,000   32 px  1",
        "lenet5        61,706   28 px  1998  ",
    ]
    assert not any("weights" in line for line in lines)


def test_several_weights_are_listed_in_the_cards_order(cli):
    sources = [source.name for source in get_card("mobilenet_v2").weights]
    assert len(sources) > 1
    assert cli("models", "mobilenet_v2").out.endswith(f" [weights: {', '.join(sources)}]\n")


def test_without_a_pattern_it_is_all_of_them(cli):
    found = json.loads(cli("models", "--json").out)
    assert found == {"models": [json.loads(json.dumps(get_card(name).to_dict())) for name in list_models()]}
    assert [line.split()[0] for line in cli("models").out.splitlines()] == list_models()


def test_a_pattern_that_fits_nothing_offers_names_and_aliases_and_the_list(cli):
    for pattern, offered in (("vgg_61", "'vgg_16'"), ("densnet121", "'densenet121'")):
        outcome = cli("models", pattern)
        assert outcome.code == 2
        assert f"unknown network '{pattern}'. Did you mean" in outcome.line()
        assert offered in outcome.line()
        assert outcome.line().endswith("? `striate models` lists them all.")
