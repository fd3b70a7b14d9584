"""AlexNet's three forms against the paper's layers, the lectures' table and torchvision."""

import pytest
import torch
import torchvision
from torch import nn

from striate.analysis import summary
from striate.errors import UsageError
from striate.layers import LocalResponseNorm
from striate.models import InputError, create_model, get_card
from striate.weights import key_tables, rename

pytestmark = pytest.mark.sampled


def convolutions(model: nn.Module) -> list[nn.Conv2d]:
    return [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]


def measured(name: str, side: int, **options):
    with torch.device("meta"):
        return {row.name: row for row in summary(create_model(name, **options), (3, side, side)).rows}


def test_the_papers_layers_have_its_neurons():
    """The paper's section 3.5, from the second layer on; its first number is on the card among the errata."""
    rows = measured("alexnet", 227)
    keys = ["stem.conv", *(f"stages.stage{n}.conv" for n in range(2, 6)), "head.dense1", "head.dense2"]
    neurons = [torch.Size(rows[key].output_shape).numel() for key in keys]
    assert neurons == [290_400, 186_624, 64_896, 64_896, 43_264, 4096, 4096]
    assert any("253,440" in erratum.printed and "290,400" in erratum.right for erratum in get_card("alexnet").errata)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        # (11 * 11 * 3 + 1) * 96, (5 * 5 * 48 + 1) * 256, ...: half the maps where there are two groups
        ("alexnet", [34_944, 307_456, 885_120, 663_936, 442_624, 37_752_832, 16_781_312, 4_097_000]),
        ("alexnet_ungrouped", [34_944, 614_656, 885_120, 1_327_488, 884_992, 37_752_832, 16_781_312, 4_097_000]),
        ("alexnet_one_column", [23_296, 307_392, 663_936, 884_992, 590_080, 37_752_832, 16_781_312, 4_097_000]),
    ],
)
def test_layers_have_the_parameters_computed_by_hand(name, counts):
    with torch.device("meta"):
        model = create_model(name)
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert [sum(p.numel() for p in layer.parameters()) for layer in layers] == counts


def test_only_the_papers_form_has_groups():
    assert [layer.groups for layer in convolutions(create_model("alexnet", input_size=67))] == [1, 2, 1, 2, 2]
    for name in ("alexnet_ungrouped", "alexnet_one_column"):
        with torch.device("meta"):
            assert {layer.groups for layer in convolutions(create_model(name))} == {1}


def test_responses_are_normalised_before_the_overlapping_pools():
    with torch.device("meta"):
        model = create_model("alexnet")
    for part in (model.stem, model.stages.stage2):
        assert [key for key, _ in part.named_children()] == ["conv", "act", "norm", "pool"]
        assert (part.norm.size, part.norm.alpha, part.norm.beta, part.norm.k) == (5, 1e-4, 0.75, 2.0)
        assert (part.pool.kernel_size, part.pool.stride) == (3, 2)
    with torch.device("meta"):
        one_column = create_model("alexnet_one_column")
    assert not any(isinstance(layer, LocalResponseNorm) for layer in one_column.modules())


def test_memory_is_that_of_each_layers_output_normalisation_included():
    """By hand, of values of four bytes: maps times places, for convolution, ReLU and normalisation each."""
    by_hand = {
        "stem": 3 * 96 * 55**2 + 96 * 27**2,
        "stages": 3 * 256 * 27**2 + 256 * 13**2 + 4 * 384 * 13**2 + 2 * 256 * 13**2 + 256 * 6**2,
        "head": 4 * 4096 + 1000,
    }
    found = dict.fromkeys(by_hand, 0)
    for name, row in measured("alexnet", 227).items():
        found[name.partition(".")[0]] += row.activation_bytes
    assert found == {part: 4 * values for part, values in by_hand.items()}
    assert sum(found.values()) == 7_668_128


#: The lectures' table of the one-column form at 227 pixels: memory KB, parameters K (weights only), multiply-adds M.
TABLE = [
    ("stem.conv", 784, 23, 73),
    ("stem.pool", 182, 0, 0),
    ("stages.stage2.conv", 547, 307, 224),
    ("stages.stage2.pool", 127, 0, 0),
    ("stages.stage3.conv", 254, 664, 112),
    ("stages.stage4.conv", 169, 885, 149.5),  # printed 145: on the card among the errata
    ("stages.stage5.conv", 169, 590, 100),
    ("stages.stage5.pool", 36, 0, 0),
    ("head.dense1", 16, 37_749, 38),
    ("head.dense2", 16, 16_777, 17),
    ("head.classifier", 4, 4_096, 4),
]


@pytest.mark.parametrize(("key", "memory", "parameters", "multiply_adds"), TABLE, ids=[row[0] for row in TABLE])
def test_each_cell_of_the_lectures_table(key, memory, parameters, multiply_adds):
    row = measured("alexnet_one_column", 227)[key]
    assert row.activation_bytes / 1024 == pytest.approx(memory, abs=0.51)
    biases = row.output_shape[1] if row.parameters else 0
    assert (row.parameters - biases) / 1000 == pytest.approx(parameters, abs=0.501)
    assert row.multiply_adds / 1e6 == pytest.approx(multiply_adds, abs=0.501 if multiply_adds != 149.5 else 0.05)


def test_the_tables_totals():
    """1.9 MB is the convolutions' memory in MiB, 61 M and 0.7 G are everything."""
    rows = measured("alexnet_one_column", 227)
    convolved = sum(row.activation_bytes for key, row in rows.items() if key.endswith("conv"))
    dense = sum(rows[key].activation_bytes for key in ("head.dense1", "head.dense2", "head.classifier"))
    assert round(convolved / 2**20, 1) == round((convolved + dense) / 2**20, 1) == 1.9
    assert round(sum(row.parameters for row in rows.values()) / 1e6) == 61
    assert round(sum(row.multiply_adds for row in rows.values()) / 1e9, 1) == 0.7


@pytest.mark.parametrize(("name", "side"), [("alexnet", 227), ("alexnet_ungrouped", 227), ("alexnet_one_column", 224)])
def test_a_unit_of_the_last_map_sees_195_pixels(name, side):
    with torch.device("meta"):
        assert summary(create_model(name), (3, side, side)).receptive_field == (195, 195)


def test_features_equal_torchvisions_at_any_size():
    torch.manual_seed(0)
    theirs = torchvision.models.AlexNet().double().eval()
    ours = create_model("alexnet_one_column").double().eval()
    renamed = rename(theirs.state_dict(), key_tables("alexnet")["torchvision"])
    ours.load_state_dict(renamed)
    with torch.no_grad():
        for side in (63, 150):
            x = torch.randn(1, 3, side, side, dtype=torch.float64)
            torch.testing.assert_close(ours.features(x), theirs.features(x), rtol=0, atol=1e-10)
            torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-10)


def test_dropout_is_on_outputs_in_the_paper_and_on_inputs_in_torchvision():
    with torch.device("meta"):
        paper, theirs = create_model("alexnet"), create_model("alexnet_one_column")
    common = ["dense1", "act1", "dropout1", "dense2", "act2", "dropout2", "classifier"]
    assert [key for key, _ in paper.head.named_children()] == ["flatten", *common]
    assert [key for key, _ in theirs.head.named_children()] == [
        *("pool", "flatten", "dropout1", "dense1", "act1", "dropout2", "dense2", "act2", "classifier")
    ]


@pytest.mark.parametrize("name", ["alexnet", "alexnet_one_column"])
@pytest.mark.parametrize(("side", "last"), [(28, 2), (32, 3), (64, 7)])
def test_small_images_get_a_small_stem(name, side, last):
    with torch.device("meta"):
        model = create_model(name, input_size=side)
        assert model.features(torch.empty(1, 3, side, side)).shape == (1, 256, last, last)
    assert model.spec.arguments["stem"] == "small"
    assert (model.stem.conv.kernel_size, model.stem.conv.stride) == ((5, 5), (1, 1))


def test_weights_of_torchvision_refuse_what_their_stem_cannot_see(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "alexnet.safetensors"
    with torch.no_grad():
        save_file({key: value.clone() for key, value in torchvision.models.AlexNet().state_dict().items()}, path)
    model = create_model("alexnet_one_column", weights=path, num_classes=2, input_size=64)
    assert model.spec.arguments["stem"] == "paper"
    assert model.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 2)
    with pytest.raises(InputError, match="smallest it takes is 63x63"):
        create_model("alexnet_one_column", weights=path, input_size=32)


def test_who_asks_for_weights_hears_which_form_has_them():
    with pytest.raises(UsageError, match=r"alexnet has no published weights \(alexnet_one_column of its family have\)"):
        create_model("alexnet", weights="imagenet")


def test_first_weights():
    """The paper's are small with biases of one; He's keep the size of the signal."""
    torch.manual_seed(0)
    paper = create_model("alexnet", input_size=67, init="gaussian")
    assert paper.stages.stage3.conv.weight.std().item() == pytest.approx(0.01, rel=0.02)
    ones = {key for key, p in paper.named_parameters() if key.endswith("bias") and bool((p == 1).all())}
    assert ones == {f"{key}.bias" for key in ("stages.stage2.conv", "stages.stage4.conv", "stages.stage5.conv", *DENSE)}
    he = create_model("alexnet", input_size=67).eval()
    with torch.no_grad():
        logits = he(torch.randn(8, 3, 67, 67))
    assert 0.05 < float(logits.std()) < 5


DENSE = ("head.dense1", "head.dense2")


@pytest.mark.parametrize(
    "options", [{"dropout": 1.0}, {"dropout": -0.1}, {"dropout_on": "input"}, {"pool": 0}, {"init": "zeros"}]
)
def test_impossible_options_are_usage_errors(options):
    with pytest.raises(UsageError), torch.device("meta"):
        create_model("alexnet", **options)
