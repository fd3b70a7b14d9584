"""Which network for which pictures: figures at their own size, cost in proportion to the data, the lectures' advice."""

import json
from dataclasses import asdict

import pytest
import torch

from striate.errors import StriateError, UsageError
from striate.models import create_model, get_card
from striate.models import recommendation as recommending
from striate.models.accuracy import Accuracy
from striate.models.budget import LIMITS, Cost, cost_of
from striate.models.recommendation import in_proportion, recommend
from striate.models.regimes import ALL, DIFFERENT, ENLARGED, NOTHING, SIMILAR, regimes
from striate.weights import Figure

#: Enough of the catalogue to choose from: to measure the deepest networks takes seconds each.
SOME = (
    *("efficientnet_b0", "efficientnet_b2", "efficientnet_b7", "resnet18", "resnet50", "resnet50_v1_5"),
    *("mobilenet_v1", "mobilenet_v2", "shufflenet_v2_x2_0", "vgg_d", "vgg16_cats_dogs"),
    *("resnet20_cifar", "resnet32_cifar", "resnet44_cifar", "resnet56_cifar", "resnet110_cifar", "all_cnn_c"),
    *("densenet_bc190_k40_cifar", "densenet40_k12_cifar", "keras_mnist"),
)


@pytest.fixture
def some(monkeypatch):
    monkeypatch.setattr(recommending, "cards", lambda: {name: get_card(name) for name in SOME})


@pytest.mark.usefixtures("some")
def test_few_images_get_networks_with_weights_ranked_by_accuracy():
    found = recommend(2000, 224, limits={"multiply_adds": 2e9})
    accuracies = [one.accuracy for one in found]
    assert accuracies == sorted(accuracies, reverse=True)
    for one in found:
        assert one.weights in {source.name for source in get_card(one.name).weights}
        assert one.cost == cost_of(one.name, (224, 224))
        assert any("2,000 images are too few" in reason for reason in one.reasons)
        assert (one.input_size, one.freeze, one.measured_on) == (224, "all", "ImageNet")


@pytest.mark.usefixtures("some")
def test_two_thousand_images_do_not_get_the_largest_network():
    """EfficientNet-B7's 84 % are of 600 pixels and cost 37 G: too large a size, and too dear for so few images."""
    for size in (224, 1000):
        first, *others = recommend(2000, size, count=10)
        assert first.name == "efficientnet_b0"
        assert "efficientnet_b7" not in {one.name for one in others}
        assert all(one.cost.multiply_adds <= in_proportion(2000, 224) for one in (first, *others))


@pytest.mark.usefixtures("some")
def test_more_images_are_worth_a_dearer_network():
    few, many = recommend(2000, 224, count=1)[0], recommend(10_000, 224, count=1)[0]
    assert few.cost.multiply_adds < 2.1e9 < many.cost.multiply_adds
    assert many.accuracy > few.accuracy
    assert in_proportion(4000, 224) == 2 * in_proportion(2000, 224) == 2 * in_proportion(1, 224)


@pytest.mark.usefixtures("some")
def test_from_twenty_thousand_images_on_a_network_may_start_from_nothing():
    """MobileNet v1 has the paper's figure and no weights that can be fetched."""
    small = {"parameters": 4.3e6}
    named = {images: [one.name for one in recommend(images, 224, limits=small)] for images in (19_999, 20_000)}
    assert named == {19_999: ["mobilenet_v2"], 20_000: ["mobilenet_v2", "mobilenet_v1"]}


def test_a_size_beyond_the_pictures_is_not_recommended(monkeypatch):
    """All of the catalogue, each network at a cost that tells the size it was measured at."""
    monkeypatch.setattr(recommending, "cost_of", lambda name, size: Cost(size[0], 0, 0))
    sizes = {side: {one.input_size for one in recommend(10**6, side, count=200)} for side in (100, 224, 299, 320, 600)}
    assert {side: max(found) for side, found in sizes.items()} == {100: 224, 224: 224, 299: 299, 320: 300, 600: 600}
    assert all(one.cost.multiply_adds == one.input_size for one in recommend(10**6, 600, count=200))


@pytest.mark.usefixtures("some")
def test_smaller_pictures_are_enlarged_to_the_usual_size_and_it_says_so():
    (first,) = recommend(2000, 100, count=1)
    assert first.input_size == 224
    assert any("enlarged from 100 px" in reason for reason in first.reasons)
    assert not any("enlarged" in reason for reason in recommend(2000, 224, count=1)[0].reasons)


@pytest.mark.usefixtures("some")
def test_small_images_get_networks_for_small_images():
    found = recommend(2000, 32)
    assert [one.name for one in found] == ["resnet56_cifar", "resnet44_cifar", "resnet32_cifar"]
    assert all(one.measured_on == "CIFAR-10" and one.weights is None and one.freeze is None for one in found)
    assert found[0].accuracy == pytest.approx(0.9303)


@pytest.mark.usefixtures("some")
def test_of_equally_accurate_networks_the_smallest_comes_first(monkeypatch):
    alike = Accuracy(Figure("top1", 0.7, data="CIFAR-10", input_size=32))
    monkeypatch.setattr(recommending, "accuracy_of", lambda card, data: alike)
    found = recommend(2000, 32, count=4)
    assert [one.cost.parameters for one in found] == sorted(one.cost.parameters for one in found)
    assert found[0].name == "resnet20_cifar"


@pytest.mark.usefixtures("some")
def test_a_figure_of_32_pixels_is_not_claimed_for_48():
    (first,) = recommend(2000, 48, count=1)
    assert (first.input_size, first.accuracy) == (48, None)
    assert any("none for 48 px" in reason for reason in first.reasons)


@pytest.mark.usefixtures("some")
def test_no_densenet_of_nine_billion_for_32_pixels():
    """The most accurate there is, at 9.3 G an image: 50,000 pictures of 32 pixels are worth a ninth of that."""
    assert cost_of("densenet_bc190_k40_cifar", (32, 32)).multiply_adds > 9.2e9
    found = recommend(50_000, 32, count=10)
    assert found[0].name == "densenet40_k12_cifar"
    assert all(one.cost.multiply_adds <= in_proportion(50_000, 32) < 1.1e9 for one in found)
    assert recommend(10**6, 32, count=1)[0].name == "densenet_bc190_k40_cifar"


@pytest.mark.usefixtures("some")
def test_latency_rules_out_what_is_too_slow(monkeypatch):
    slow = {"mobilenet_v2": 5.0}
    monkeypatch.setattr(recommending, "latency_of", lambda name, size, **arguments: slow.get(name, 30.0))
    found = recommend(2000, 224, limits={"latency": 20})
    assert [one.name for one in found] == ["mobilenet_v2"]
    assert found[0].latency == 5.0


@pytest.mark.usefixtures("some")
def test_nothing_fits():
    with pytest.raises(
        StriateError, match=r"no network with weights fits images of 224x224 within .*multiply-adds.*allow more"
    ):
        recommend(2000, 224, limits={"multiply_adds": 10})


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize(
    ("images", "size", "limits", "said"),
    [
        (
            20_000,
            224,
            {"parameters": 10},
            "a published accuracy on ImageNet fits images of 224x224 within parameters 10;",
        ),
        (19_999, 65, {"parameters": 10}, "weights fits images of 65x65 within parameters 10; allow more"),
        (
            20_000,
            28,
            {"parameters": 1e5},
            "a published accuracy on CIFAR-10 fits images of 28x28 within parameters 100 k",
        ),
        (2000, 1, {}, "a published accuracy on CIFAR-10 fits images of 1x1; take larger images"),
    ],
)
def test_what_was_asked_of_networks_is_said_when_none_fits(images, size, limits, said):
    with pytest.raises(StriateError) as failing:
        recommend(images, size, limits=limits)
    assert str(failing.value).startswith(f"no network with {said}")


@pytest.mark.parametrize("arguments", [(0, 224), (-1, 224), (5, 0), (5, (224, -1)), (5, 224, {"speed": 3.0})])
def test_wrong_questions(arguments):
    images, size, *limits = arguments
    with pytest.raises(UsageError):
        recommend(images, size, limits=limits[0] if limits else None)


@pytest.mark.parametrize(
    ("images", "similar", "pretrained", "advice"),
    [
        (2000, True, True, (SIMILAR,)),
        (2000, False, True, (DIFFERENT,)),
        (2000, None, True, (SIMILAR, DIFFERENT)),
        (9_999, True, True, (SIMILAR,)),
        (10_000, True, True, (ALL,)),
        (10_000, False, True, (ALL,)),
        (2000, True, False, (NOTHING, ENLARGED)),
        (9_999, None, False, (NOTHING, ENLARGED)),
        (10_000, None, False, (NOTHING,)),
    ],
)
def test_the_lectures_advice_goes_by_number_and_likeness(images, similar, pretrained, advice):
    assert regimes(images, similar, pretrained) == advice


@pytest.mark.usefixtures("some")
def test_what_is_unlike_is_frozen_up_to_the_middle():
    (first,) = recommend(2000, 224, count=1, similar=False)
    with torch.device("meta"):
        model = create_model(first.name)
    assert first.freeze == "stage3"  # of the stem and eight stages the fourth
    assert 1 < len(model.freeze(first.freeze).frozen) < len(model.parts()) - 1
    assert recommend(20_000, 224, count=1, similar=False)[0].freeze is None


@pytest.fixture
def run(capsys, monkeypatch):
    from striate.cli import main

    def run(*words):
        monkeypatch.setattr("sys.argv", ["striate", "recommend", *map(str, words)])
        with pytest.raises(SystemExit) as leaving:
            main()
        return leaving.value.code, *capsys.readouterr()

    return run


def test_every_option_of_the_command_arrives(run, monkeypatch):
    asked = []

    def recommend(*arguments, progress, **options):
        asked.append((arguments, options))
        raise StriateError("enough")

    monkeypatch.setattr(recommending, "recommend", recommend)
    budget = ("--macs", "1G", "--params", "2M", "--memory", "3MB", "--latency", "4ms")
    assert run("--images", 7, "--size", 90, *budget, "--top", 5, "--different")[0] == 1
    limits = {"multiply_adds": 1e9, "parameters": 2e6, "memory": 3e6, "latency": 4}
    assert asked == [((7, 90), {"limits": limits, "count": 5, "similar": False})]


@pytest.mark.usefixtures("some")
def test_the_command_prints_advice_and_commands_that_can_be_run(run):
    code, out, _ = run("--images", 2000, "--top", 1)
    assert code == 0
    said = " ".join(out.split())  # lines are as long as there is room
    assert said.startswith(f"{SIMILAR.when}: {SIMILAR.advice} {DIFFERENT.when}: ")
    assert "--model efficientnet_b0 --weights imagenet --size 224 --freeze all\n" in out
    code, out, _ = run("--images", 2000, "--top", 1, "--different")
    assert SIMILAR.advice not in out
    assert "--freeze stage" in out
    assert "--model resnet56_cifar --size 32\n" in run("--images", 2000, "--size", 32, "--top", 1)[1]


@pytest.mark.usefixtures("some")
def test_the_record_of_the_command(run):
    record = json.loads(run("--images", 2000, "--size", 32, "--params", "0.5M", "--json")[1])
    assert (record["images"], record["size"], record["limits"]) == (2000, 32, {"parameters": 5e5})
    assert set(record["limits"]) <= set(LIMITS)
    assert all(one["cost"]["parameters"] <= 5e5 for one in record["networks"])
    assert [one["name"] for one in record["networks"]] == ["resnet32_cifar", "resnet20_cifar"]
    assert record["advice"] == [asdict(NOTHING), asdict(ENLARGED)]
    assert (NOTHING.freeze, ENLARGED.freeze) == (None, "all")


@pytest.fixture
def alone(monkeypatch):
    """One network, at costs and a latency that are given."""
    monkeypatch.setattr(recommending, "latency_of", lambda name, size: 12.34)

    def recommended(name, images, size, multiply_adds=1.5e9, **options):
        cost = Cost(int(multiply_adds), 5_250_000, 33_000_000)
        monkeypatch.setattr(recommending, "cost_of", lambda name, size: cost)
        monkeypatch.setattr(recommending, "cards", lambda: {name: get_card(name)})
        (one,) = recommend(images, size, **options)
        return one

    return recommended


BEST = "the best of what fits and is not named above"


def test_every_reason_of_a_network_with_weights(alone):
    limits = {"parameters": 6e6, "latency": 1000, "memory": 5e7, "multiply_adds": 2e9}
    assert alone("efficientnet_b0", 2000, 224, limits=limits).reasons == (
        f"77.7% top-1 on ImageNet at 224 px (weights 'imagenet' of torchvision), {BEST}",
        "starts from its weights 'imagenet': 2,000 images are too few to start from nothing",
        "1.50 G multiply-adds an image, of 2.01 G that so many pictures are worth",
        "12.3 ms an image on this machine, of 1000 ms allowed",
        "5.25 M parameters, of 6 M allowed",
        "33.0 MB memory of weights and activations, of 50 MB allowed",
        "1.50 G multiply-adds, of 2 G allowed",
    )


def test_every_reason_of_pictures_that_are_many_and_enlarged(alone):
    assert alone("efficientnet_b0", 20_000, 100).reasons == (
        f"77.7% top-1 on ImageNet at 224 px (weights 'imagenet' of torchvision), {BEST}",
        "the pictures are enlarged from 100 px, the figure is of pictures that were not",
        "starts from its weights 'imagenet': even many images gain from a trained start",
        "1.50 G multiply-adds an image, of 20.1 G that so many pictures are worth",
    )


@pytest.mark.parametrize(
    ("name", "images", "size", "accuracy", "reasons"),
    [
        (
            "mobilenet_v1",
            20_000,
            224,
            0.706,
            ["70.6% top-1 on ImageNet at 224 px (paper), {}", "20,000 images are enough to start from nothing"],
        ),
        (
            "resnet20_cifar",
            19_999,
            32,
            0.9125,
            [
                "91.2% top-1 on CIFAR-10 at 32 px (paper), {}",
                "19,999 images are few to start from nothing, but no weights were trained on pictures so small",
            ],
        ),
        (
            "resnet20_cifar",
            30_000,
            (64, 40),
            None,
            [
                "91.2% top-1 on CIFAR-10 at 32 px (paper), {}",
                "that figure is of 32 px and ranks it only; there is none for 40 px",
                "30,000 images are enough to start from nothing",
            ],
        ),
    ],
)
def test_every_reason_of_a_network_that_starts_from_nothing(alone, name, images, size, accuracy, reasons):
    one = alone(name, images, size, multiply_adds=1e7)
    assert [*one.reasons][:-1] == [reason.format(BEST) for reason in reasons]
    assert one.reasons[-1].startswith("10.0 M multiply-adds an image, of ")
    assert (one.accuracy, one.weights, one.freeze, one.latency) == (accuracy, None, None, None)
    assert one.input_size == (size if isinstance(size, int) else min(size))


def test_a_network_for_small_pictures_takes_any_size_and_colours(monkeypatch):
    """Were all measured on CIFAR-10, those with dense layers for one size and those for grey digits would stay out."""
    alike = Accuracy(Figure("top1", 0.7, data="CIFAR-10", input_size=32))
    monkeypatch.setattr(recommending, "accuracy_of", lambda card, data: alike)
    monkeypatch.setattr(recommending, "cost_of", lambda name, size: Cost(1, 1, 1))
    named = [get_card(one.name) for one in recommend(2000, 32, count=500)]
    assert len(named) > 50
    assert not any(card.fixed_size or card.in_channels != 3 for card in named)


def test_what_cannot_be_so_fast_is_not_timed(monkeypatch):
    """A core does 500 M multiply-adds in a millisecond at most; one more is seen to be slower without a run."""
    timed = []
    monkeypatch.setattr(recommending, "latency_of", lambda name, size: timed.append(name) or 0.75)
    monkeypatch.setattr(recommending, "cards", lambda: {name: get_card(name) for name in ("mobilenet_v2", "resnet18")})
    costs = {"mobilenet_v2": 375_000_000, "resnet18": 375_000_001}
    monkeypatch.setattr(recommending, "cost_of", lambda name, size: Cost(costs[name], 1, 1))
    assert [one.name for one in recommend(2000, 224, limits={"latency": 0.75})] == ["mobilenet_v2"]
    assert timed == ["mobilenet_v2"]


@pytest.mark.parametrize("kind", ["multiply_adds", "parameters", "memory"])
def test_a_limit_is_what_may_just_be_spent(monkeypatch, kind):
    monkeypatch.setattr(recommending, "cards", lambda: {"mobilenet_v2": get_card("mobilenet_v2")})
    spent = cost_of("mobilenet_v2", (224, 224)).get(kind)
    assert recommend(2000, 224, limits={kind: spent})
    with pytest.raises(StriateError, match=r"no network with weights.*allow more"):
        recommend(2000, 224, limits={kind: spent - 1})


@pytest.mark.usefixtures("some")
def test_it_tells_of_each_network_that_it_looks_at_and_stops_when_it_has_enough(monkeypatch):
    dear = {"resnet110_cifar": 10**12}
    monkeypatch.setattr(recommending, "cost_of", lambda name, size: Cost(dear.get(name, 1), 1, 1))
    told = []
    found = recommend(2000, 32, count=4, progress=told.append)
    assert [name for name in told if name not in dear] == [one.name for one in found]
    assert len(found) == 4
    assert len(recommend(2000, 32)) == 3
    with pytest.raises(UsageError, match="5 images, 0 networks: both must be at least 1"):
        recommend(5, 32, count=0)
