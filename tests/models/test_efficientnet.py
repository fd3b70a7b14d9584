"""EfficientNet: the paper's table 2, scaling, drop path, options."""

import pytest
import timm
import torch
import torchvision

from striate.analysis import summary
from striate.errors import UsageError
from striate.layers import DropPath, SameConv2d
from striate.models import create_model, get_card, list_models
from striate.models.efficientnet import compound
from striate.weights import key_tables, load_state, rename

pytestmark = pytest.mark.sampled


def weightless(name="efficientnet_b0", **arguments):
    with torch.device("meta"):
        return create_model(name, **arguments)


@pytest.mark.parametrize(
    ("name", "multiply_adds", "within"),
    [("b0", 0.39, 0.005), ("b1", 0.70, 0.015), ("b2", 1.0, 0.05), ("b3", 1.8, 0.05), ("b4", 4.2, 0.2), ("b7", 37, 1)],
)
def test_multiply_adds_of_table_2(name, multiply_adds, within):
    """The paper's B4 and B7 are a few percent lower than its rounded coefficients give."""
    size = get_card(f"efficientnet_{name}").input_size
    counted = summary(weightless(f"efficientnet_{name}"), (3, size, size)).multiply_adds / 1e9
    assert counted == pytest.approx(multiply_adds, abs=within)


def test_one_more_phi_doubles_the_arithmetic():
    assert compound(0) == (1, 1, 1)
    width, depth, resolution = compound(1)
    assert depth * width**2 * resolution**2 == pytest.approx(1.92, abs=0.005)
    assert compound(2) == pytest.approx((width**2, depth**2, resolution**2))


@pytest.mark.parametrize("number", range(8))
def test_card_has_the_coefficients_that_build_it(number):
    card = get_card(f"efficientnet_b{number}")
    options = dict(card.options)
    model = weightless(width=options["width"], depth=options["depth"])
    assert sum(p.numel() for p in model.parameters()) == card.parameters
    assert {figure.input_size for figure in card.published} == {None, card.input_size}


def test_drop_path_grows_as_torchvisions():
    theirs = torchvision.models.efficientnet_b1(weights=None)
    wanted = [block.stochastic_depth.p for stage in theirs.features[1:8] for block in stage if block.use_res_connect]
    found = [m.probability for m in weightless("efficientnet_b1").modules() if isinstance(m, DropPath)]
    assert found == pytest.approx([p for p in wanted if p > 0])
    assert not [m for m in weightless(drop_path=0).modules() if isinstance(m, DropPath)]


def test_batch_norms_of_the_large_are_torchvisions():
    for name in list_models("efficientnet_b*"):
        if name[-1] in "047":
            with torch.device("meta"):
                theirs = torchvision.models.get_model(name, weights=None).features[0][1]
            ours = weightless(name).stem.norm
            assert (ours.eps, ours.momentum) == (theirs.eps, theirs.momentum)


def test_outputs_equal_timms_under_tensorflows_padding():
    """The form in which the authors trained, at an odd size."""
    theirs = timm.create_model("efficientnet_b0", pad_type="same", bn_eps=1e-3).eval()
    ours = create_model("efficientnet_b0", padding="tensorflow", norm_eps=1e-3).eval()
    load_state(ours, rename(theirs.state_dict(), key_tables("efficientnet")["timm"]))
    assert any(isinstance(m, SameConv2d) for m in ours.modules())
    x = torch.randn(1, 3, 64, 75)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=1e-5)


def test_a_file_of_keras_wants_images_by_imagenets_mean(tmp_path, monkeypatch):
    """Its networks rescale inside; ours gets what comes after that."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    theirs = keras.applications.EfficientNetB0(weights=None, input_shape=(64, 64, 3))
    path = tmp_path / "efficientnetb0.h5"
    theirs.save(path)
    source = create_model("efficientnet_b0", weights=path).weights_source
    assert source.mean == (0.485, 0.456, 0.406)
    assert source.std == (0.229, 0.224, 0.225)
    assert source.options["padding"] == "tensorflow"


def test_small_images_keep_their_rows_longer():
    model = weightless(input_size=32)
    assert model.features(torch.empty(1, 3, 32, 32, device="meta")).shape == (1, 1280, 4, 4)


@pytest.mark.parametrize("option", [{"width": 0}, {"depth": -1}, {"dropout": 1}, {"drop_path": 2}])
def test_impossible_options_are_named(option):
    with pytest.raises(UsageError, match=next(iter(option))):
        weightless(**option)
