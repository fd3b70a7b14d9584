"""Networks side by side: figures, published accuracies, pictures."""

import csv
import io
import json
from pathlib import Path

import pytest
import torch
from torch import nn

import striate
from striate.analysis import Comparison, Entry, plot_summaries, summary
from striate.errors import StriateError, UsageError
from striate.models import get_card
from striate.models.comparison import as_entry, compare, published


@pytest.fixture(scope="module")
def three() -> Comparison:
    return compare("resnet18", "mobilenet_v2", "lenet5")


def test_totals_are_those_of_the_summaries(three: Comparison) -> None:
    plain = {row["network"]: row for row in three.to_dicts()}
    assert plain["resnet18"]["parameters"] == 11_689_512
    assert plain["resnet18"]["multiply_adds"] == 1_814_073_344
    assert plain["resnet18"]["flops"] == 2 * 1_814_073_344
    assert plain["resnet18"]["receptive_field"] == [435, 435]
    assert plain["mobilenet_v2"]["input_shape"] == [1, 3, 224, 224]
    assert (plain["mobilenet_v2"]["top1"], plain["mobilenet_v2"]["top1_source"]) == (
        pytest.approx(0.72154),
        "weights 'imagenet_v2' of torchvision",
    )
    assert plain["lenet5"]["top1"] is None
    for entry in three.entries:
        row = plain[entry.name]
        assert (row["activation_bytes"], row["kept_bytes"]) == (
            entry.summary.activation_bytes,
            entry.summary.kept_bytes,
        )


def test_every_form_has_every_network(three: Comparison) -> None:
    assert json.loads(json.dumps(three.to_dicts())) == three.to_dicts()
    rows = list(csv.DictReader(io.StringIO(three.to_csv())))
    assert [row["network"] for row in rows] == ["resnet18", "mobilenet_v2", "lenet5"]
    assert rows[0]["receptive_field"] == "435x435"
    table = [line for line in three.to_markdown().splitlines() if line.startswith("|")]
    assert len(table) == 5
    assert len({line.count("|") for line in table}) == 1
    lines = str(three).splitlines()
    (resnet,) = [line.split() for line in lines if line.startswith("resnet18")]
    assert resnet[1:7] == ["3×224×224", "11,689,512", "1.81", "G", "3.63", "G"]
    assert "72.2  weights 'imagenet_v2' of torchvision" in str(three)


def test_a_form_that_its_weights_do_not_have_shows_no_accuracy_of_theirs() -> None:
    """The paper's ResNet-50 costs 3.86 G; 80.9 % are those of the form with the stride in the 3x3, which costs 4.09."""
    paper, usual = compare("resnet50", "resnet50_v1_5").to_dicts()
    assert (round(paper["multiply_adds"] / 1e9, 2), paper["top1"]) == (3.86, None)
    assert paper["top1_source"] == "see resnet50_v1_5"
    assert (round(usual["multiply_adds"] / 1e9, 2), usual["top1"]) == (4.09, pytest.approx(0.80858))


def test_a_network_keeps_the_name_it_was_asked_for_by() -> None:
    told: list[str] = []
    names = [entry.name for entry in compare("vgg11", "LeNet-5", progress=told.append).entries]
    assert names == told == ["vgg11", "lenet5"]


@pytest.mark.parametrize(
    ("name", "size", "accuracy", "source"),
    [
        ("resnet18", (224, 224), 0.69758, "weights 'imagenet' of torchvision"),
        ("resnet18", (224, 256), None, ""),  # nobody has measured it on oblong images
        ("resnet18", (256, 224), None, ""),
        ("resnet50", (224, 224), None, "see resnet50_v1_5"),
        ("lenet5", (28, 28), None, ""),
    ],
)
def test_an_entry_says_all_that_its_card_does(name: str, size: tuple[int, int], accuracy: float, source: str) -> None:
    card = get_card(name)
    measured = summary(nn.Sequential(), (card.in_channels, *size))
    family = {"resnet18": "resnet", "resnet50": "resnet", "lenet5": "lenet"}[name]
    assert as_entry(card, measured, "mine") == Entry("mine", measured, accuracy, source, family)


def test_the_networks_with_a_published_accuracy_come_in_the_catalogues_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without names they are compared, each by its own."""
    names = published()
    assert names[:2] == ["alexnet_one_column", "nin"]
    assert {"resnet18", "vit_b_16", "squeezenet1_1"} <= set(names)
    assert not {"lenet5", "resnet50", "resnet20_cifar"} & set(names)
    monkeypatch.setattr("striate.models.comparison.published", lambda: ["squeezenet1_1", "vgg_b"])
    told: list[str] = []
    assert [entry.name for entry in compare(progress=told.append).entries] == told == ["squeezenet1_1", "vgg_b"]


def test_no_accuracy_is_shown_at_another_size() -> None:
    (entry,) = compare("resnet18", input_size=96).entries
    assert entry.accuracy is None
    assert entry.accuracy_source == ""


def test_an_input_size_holds_for_all_and_impossible_ones_are_refused() -> None:
    shapes = {entry.summary.input_shapes[0][2:] for entry in compare("resnet18", "mobilenet_v2", input_size=96).entries}
    assert shapes == {(96, 96)}
    with pytest.raises(StriateError, match="smallest it takes"):
        compare("lenet5", input_size=5)
    with pytest.raises(UsageError, match="unknown network"):
        striate.compare("resnet_nineteen")
    with pytest.raises(UsageError, match="names of networks"):
        compare(nn.Linear(2, 2))  # type: ignore[arg-type]


def texts_of(svg: Path) -> str:
    """The words in a picture: matplotlib writes each text as a comment before its outlines."""
    return "\n".join(line for line in svg.read_text().splitlines() if "<!--" in line)


def test_bars_name_networks_and_layers(three: Comparison, tmp_path: Path) -> None:
    words = texts_of(three.plot(tmp_path / "bars.svg"))
    for word in ("resnet18 on 1×3×224×224", "lenet5 on 1×1×28×28", "head.classifier", "multiply-adds", "513.0 k"):
        assert f"<!-- {word} -->" in words


def test_bars_of_a_deep_network_stay_readable(tmp_path: Path) -> None:
    (entry,) = compare("resnet152").entries
    words = texts_of(plot_summaries([entry.summary], tmp_path / "deep.svg")).splitlines()
    layers = [word for word in words if "stage" in word or "stem" in word or "head" in word]
    assert 10 <= len(layers) <= 60


def test_bubbles_have_a_name_each(three: Comparison, tmp_path: Path) -> None:
    words = texts_of(three.plot_accuracy(tmp_path / "bubbles.svg"))
    assert "<!-- resnet18 -->" in words
    assert "<!-- mobilenet_v2 -->" in words
    assert "lenet5" not in words  # it has no ImageNet accuracy


def test_nothing_to_draw_and_too_much_is_said(three: Comparison, tmp_path: Path) -> None:
    with pytest.raises(StriateError, match=r"published top-1 on ImageNet in its form and at its size"):
        Comparison(three.entries[2:]).plot_accuracy(tmp_path / "none.svg")
    with pytest.raises(StriateError, match=r"\(resnet50: see resnet50_v1_5\), so there is nothing to draw"):
        compare("resnet50").plot_accuracy(tmp_path / "none.svg")
    with pytest.raises(UsageError, match="42 networks to draw; a page has room for 1 to 40"):
        Comparison(three.entries * 14).plot(tmp_path / "many.svg")
    with pytest.raises(UsageError, match=r"\.svg"):
        three.plot_accuracy(tmp_path / "bubbles.doc")
    assert not list(tmp_path.iterdir())


def test_modules_of_ones_own_can_stand_beside_them(three: Comparison, tmp_path: Path) -> None:
    with torch.device("meta"):
        mine = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
    entries = (Entry("mine", summary(mine, (3, 32, 32)), accuracy=0.5, accuracy_source="me"), *three.entries)
    both = Comparison(entries)
    assert "50.0  me" in str(both)
    assert "<!-- mine -->" in texts_of(both.plot_accuracy(tmp_path / "b.svg"))
