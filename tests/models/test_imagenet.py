"""The classes of ImageNet against two libraries' own lists of them."""

import importlib.util
import sys
from collections import Counter
from pathlib import Path

import pytest
import timm
from torchvision.models._meta import _IMAGENET_CATEGORIES

from striate.errors import UsageError
from striate.models import imagenet
from striate.models.imagenet import (
    CLASSES,
    ImageNetClass,
    find_imagenet_class,
    imagenet_classes,
    imagenet_ids,
    imagenet_names,
)

TIMM = Path(timm.__file__).parent / "data" / "_info"


def test_names_are_those_of_torchvisions_weights_in_their_order():
    assert list(imagenet_names()) == _IMAGENET_CATEGORIES


def test_ids_are_those_that_timm_numbers():
    assert list(imagenet_ids()) == (TIMM / "imagenet_synsets.txt").read_text(encoding="utf-8").split()
    assert list(imagenet_ids()) == sorted(set(imagenet_ids()))


def test_words_are_all_that_wordnet_has():
    lines = (TIMM / "imagenet_synset_to_lemma.txt").read_text(encoding="utf-8").splitlines()
    lemmas = dict(line.split("\t") for line in lines)
    assert len(lemmas) > 21000
    for each in imagenet_classes():
        assert ", ".join(each.words) == lemmas[each.wordnet_id]


def test_a_class_knows_its_number():
    assert len(imagenet_classes()) == 1000
    assert [each.number for each in imagenet_classes()] == list(range(1000))
    assert imagenet_classes()[0] == ImageNetClass(0, "n01440764", "tench", ("tench", "Tinca tinca"))
    assert imagenet_classes()[999].name == "toilet tissue"


@pytest.mark.parametrize("each", [0, 134, 517, 638, 639, 836, 837, 999])
def test_a_class_is_found_by_id_and_by_name(each):
    found = imagenet_classes()[each]
    for text in (found.wordnet_id, found.wordnet_id.upper(), found.name, found.name.upper(), f" {found.name} "):
        assert find_imagenet_class(text) is found
    assert find_imagenet_class(found.name.replace(" ", "_")) is found


def test_every_class_is_found_by_all_that_calls_it_alone():
    calls = Counter(word.casefold() for each in imagenet_classes() for word in each.words)
    names = {name.casefold() for name in imagenet_names()}
    assert len(set(imagenet_names())) == 1000
    for each in imagenet_classes():
        alone = [word for word in each.words if calls[word.casefold()] == 1 and word.casefold() not in names]
        for text in (each.wordnet_id, each.name, *alone):
            assert find_imagenet_class(text) is each


def test_twins_are_told_apart():
    assert [imagenet_classes()[number].words for number in (134, 517)] == [("crane",), ("crane",)]
    assert [find_imagenet_class(name).number for name in ("crane bird", "crane")] == [134, 517]
    assert [find_imagenet_class(name).number for name in ("maillot", "maillot tank suit", "tank suit")] == [
        638,
        639,
        639,
    ]
    assert find_imagenet_class("n02012849").name == "crane bird"


def test_a_capital_tells_the_dog_from_the_garment():
    assert [find_imagenet_class(name).number for name in ("Cardigan", "cardigan")] == [264, 474]
    with pytest.raises(
        UsageError, match=r"'CARDIGAN' calls 2 classes of ImageNet; give 'Cardigan' \(n02113186\) or 'ca"
    ):
        find_imagenet_class("CARDIGAN")


def test_a_word_of_several_classes_names_them_all():
    with pytest.raises(UsageError) as caught:
        find_imagenet_class("Panther")
    assert str(caught.value) == (
        "'Panther' calls 2 classes of ImageNet; give 'cougar' (n02125311) or 'jaguar' (n02128925)"
    )


def test_a_name_goes_before_the_words_of_others():
    assert find_imagenet_class("tub").number == 876  # a word of "bathtub" too
    with pytest.raises(UsageError, match="'panda' calls 2 classes"):
        find_imagenet_class("panda")


def test_what_calls_no_class_is_told_with_the_nearest():
    with pytest.raises(UsageError, match=r"unknown class of ImageNet 'tinca tinka'\. Did you mean 'Tinca tinca'"):
        find_imagenet_class("tinca tinka")
    for text in ("", "n99999999", "0", "tench, Tinca tinca"):
        with pytest.raises(UsageError, match="unknown class of ImageNet"):
            find_imagenet_class(text)


def test_the_file_is_read_once_and_not_before_it_is_needed(monkeypatch):
    read = []
    text = CLASSES.read_text(encoding="utf-8")
    monkeypatch.setattr(Path, "read_text", lambda self, encoding: read.append(self.name) or text)
    spec = importlib.util.spec_from_file_location("imagenet_anew", imagenet.__file__)
    anew = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "imagenet_anew", anew)
    spec.loader.exec_module(anew)
    assert read == []
    assert anew.imagenet_names()[1] == anew.find_imagenet_class("n01443537").name == "goldfish"
    assert read == ["imagenet_classes.tsv"]


def test_the_file_names_its_source_and_no_more_than_it_needs():
    head, *_ = CLASSES.read_text(encoding="utf-8").partition("\nn01440764\t")
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in head
    assert CLASSES.stat().st_size < 50_000
