"""Networks that end early: what is left of them, what weights fill, and what is made of them again."""

import pytest
import torch

import striate
from striate.errors import UsageError
from striate.models import create_model, get_card
from striate.training.model_file import load_model


def picture(side: int = 32, channels: int = 3) -> torch.Tensor:
    return torch.randn(2, channels, side, side, generator=torch.Generator().manual_seed(0))


def test_it_sees_what_the_whole_network_sees_there(tmp_path):
    whole = create_model("resnet20_cifar").eval()
    torch.save(whole.state_dict(), tmp_path / "whole.pth")
    cut = create_model("resnet20_cifar", weights=tmp_path / "whole.pth", num_classes=4, until="stage2").eval()
    assert list(cut.parts()) == [*whole.parts()][: [*whole.parts()].index("stage2") + 1]
    assert torch.equal(cut.embed(picture()), whole.feature_maps(picture())["stage2"].mean((2, 3)))
    assert cut(picture()).shape == (2, 4)
    assert cut.fresh == ("head.classifier",)
    assert cut.spec.arguments["until"] == "stage2"


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("name", "stage", "channels"),
    [
        ("nasnet_cifar", "cell3", 192),  # cells that hand on pairs
        ("vgg_a", "stage5", 512),  # the head's dense layers are left out
        ("densenet40_k12_cifar", "stage1", 160),
        ("vit_b_16", "block2", 768),  # tokens: the mean is of the patches
        ("lenet5", "stage1", 16),
    ],
)
def test_of_any_family_the_mean_of_the_map_is_classified(name, stage, channels):
    card = get_card(name)
    cut = create_model(name, until=stage, num_classes=3).eval()
    x = picture(card.input_size, card.in_channels)
    with torch.no_grad():
        logits, maps = cut.forward_maps(x)
        assert [*maps][-1] == stage
        assert maps[stage].shape[1] == channels == cut.num_features
        by_hand = maps[stage].mean((2, 3)) @ cut.last_layer.weight.T + cut.last_layer.bias
    torch.testing.assert_close(logits, by_hand)


def test_auxiliary_heads_beyond_the_end_are_gone():
    whole = create_model("googlenet", auxiliary=True)
    first, second = whole.auxiliary_heads
    assert create_model("googlenet", auxiliary=True, until=second).auxiliary_heads == (first,)
    assert create_model("googlenet", auxiliary=True, until=first).auxiliary_heads == ()


def test_an_unknown_stage_is_named_with_those_that_there_are():
    with pytest.raises(UsageError, match="unknown stage of resnet20_cifar 'stage9'"):
        create_model("resnet20_cifar", until="stage9")


@pytest.mark.slow
def test_a_run_is_loaded_and_its_weights_go_on(tmp_path):
    digits = striate.open_dataset("digits", channels=3)
    whole = create_model("resnet20_cifar")
    torch.save(whole.state_dict(), tmp_path / "whole.pth")
    options = {"until": "stage2"}
    asked = {"model": "resnet20_cifar", "weights": tmp_path / "whole.pth", "transfer": "features", "quiet": True}
    trained = striate.train(digits, options=options, run=tmp_path / "run", report=False, **asked)
    network, _ = load_model(tmp_path / "run" / "model.safetensors")
    assert list(network.parts())[-1] == "stage2"
    again = create_model("resnet20_cifar", weights=tmp_path / "run").eval()
    x = picture()
    assert torch.equal(again(x), network.eval()(x))
    assert trained.evaluation.top1 > 0.5
    # its stages are those of a network that ends elsewhere, or has other classes
    shorter = create_model("resnet20_cifar", weights=tmp_path / "run", until="stage1").eval()
    assert torch.equal(shorter.feature_maps(x)["stage1"], network.feature_maps(x)["stage1"])
    other = create_model("resnet20_cifar", weights=tmp_path / "run", num_classes=7)
    assert other.fresh == ("head.classifier",)
