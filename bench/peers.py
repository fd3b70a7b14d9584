"""The same network at a peer: built there with random weights, and ours with those weights put into it."""

import functools
import os

import torch
from torch import Tensor, nn

from striate.models import ConvNet, create_model, get_card, list_models
from striate.models.options import defaults_of
from striate.weights import key_tables, load_state, rename
from striate.weights.keras import keras_state

#: Every (network, library) that the cards name.
SHARED = [(name, library) for name in list_models() for library in get_card(name).peers]


#: Keras's MobileNet pads maps of odd sizes otherwise than TensorFlow's SAME does; no map of this image is odd. Keras's
#: Xception wants 71 pixels at least; from these it has a map of even size, which shows its padding.
SIDES = {"mobilenet_v1": 64, "xception": 75}


def side(name: str) -> int:
    """A size of image small enough to be quick; networks tied to one size take the card's."""
    card = get_card(name)
    return card.input_size if card.fixed_size else SIDES.get(name, max(card.min_size, 65))


def options(name: str, library: str) -> dict[str, object]:
    """The options of our network that make it the library's."""
    card = get_card(name)
    table = key_tables(card.family)[library]
    known = defaults_of(card)
    return {key: value for key, value in table.brings.items() if key in known}


def randomised(model: nn.Module) -> nn.Module:
    """Batch norms with statistics and scales of their own, so that a mistaken one shows, and no layer of zeros."""
    torch.manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
            nn.init.uniform_(module.running_var, 0.8, 1.2)
            nn.init.uniform_(module.weight, 0.8, 1.2)
            nn.init.uniform_(module.bias, -0.1, 0.1)
        elif isinstance(module, nn.Linear) and not module.weight.is_meta and not module.weight.any():
            nn.init.normal_(module.weight)
    return model


def theirs(name: str, library: str) -> nn.Module:
    """The peer's PyTorch network with random weights, in evaluation mode."""
    spelled = get_card(name).peers[library]
    torch.manual_seed(0)
    if library == "timm":
        import timm

        return randomised(timm.create_model(spelled, num_classes=get_card(name).num_classes)).eval()
    import torchvision

    return randomised(torchvision.models.get_model(spelled, weights=None, **_torchvision(spelled))).eval()


def _torchvision(spelled: str) -> dict[str, object]:
    """Skips slow first weights, and the networks' own rescaling of the images."""
    if spelled in ("googlenet", "inception_v3"):
        return {"init_weights": False, "aux_logits": False, "transform_input": False}
    return {}


@functools.cache
def _keras():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    return keras


def _builder_in_keras(spelled: str):
    """Its function; where that refuses PyTorch beneath it without need, what it would call, with its numbers."""
    if spelled != "NASNetMobile":
        return getattr(_keras().applications, spelled)
    from keras.src.applications.nasnet import NASNet

    return functools.partial(
        NASNet,
        penultimate_filters=1056,
        num_blocks=4,
        stem_block_filters=32,
        skip_reduction=False,
        filter_multiplier=2,
        default_size=224,
    )


def rescales(model) -> bool:
    """Whether a Keras network takes pixels from 0 to 255 and divides them itself, as its EfficientNets do."""
    return any(type(layer).__name__ == "Rescaling" for layer in model.layers)


def theirs_in_keras(name: str):
    """Keras's network for our size of image in float64, with random weights and statistics."""
    keras = _keras()
    keras.utils.set_random_seed(0)
    size = side(name)
    build = _builder_in_keras(get_card(name).peers["keras"])
    usual = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        model = build(weights=None, input_shape=(size, size, 3), classifier_activation=None)
    finally:
        keras.config.set_dtype_policy(usual[0])
        keras.config.set_floatx(usual[1])
    generator = torch.Generator().manual_seed(1)
    mobile = any(type(layer).__name__ in ("DepthwiseConv2D", "SeparableConv2D") for layer in model.layers)
    for layer in model.layers:
        for variable in layer.weights:
            if mobile and len(variable.shape) == 4:  # drawn so small that nothing of the image would arrive
                depthwise = type(layer).__name__ == "DepthwiseConv2D" or "depthwise" in variable.path
                filters = variable.shape[2] if depthwise else 1
                fan_in = variable.shape[0] * variable.shape[1] * variable.shape[2] / filters
                gain = 1.85 if rescales(model) else 2  # few enough that deep ones do not explode
                variable.assign(variable * (gain / fan_in) ** 0.5 / variable.numpy().std())
        if type(layer).__name__ == "BatchNormalization":
            for variable in layer.weights:
                around_one = variable.path.rsplit("/", 1)[-1] in ("gamma", "moving_variance")
                low, high = (0.8, 1.2) if around_one else (-0.1, 0.1)
                variable.assign(low + (high - low) * torch.rand(variable.shape, generator=generator))
    return model


def ours(name: str, library: str, state: dict[str, Tensor]) -> ConvNet:
    """Our network in float64 and evaluation mode with the peer's tensors."""
    card = get_card(name)
    size = {"input_size": side(name)} if card.fixed_size else {}
    model = create_model(name, **size, **options(name, library)).double().eval()
    load_state(model, rename(state, key_tables(card.family)[library]), where=f"{library} {name}")
    return model


def difference(name: str, library: str) -> float:
    """The largest difference of any logit between the networks, over the largest between the two random images.

    In float64. Keras's batch norms work in float32 whatever they are given: with Keras over the largest logit.
    """
    torch.manual_seed(2)
    x = torch.randn(2, 3, side(name), side(name), dtype=torch.float64)
    if library == "keras":
        peer = theirs_in_keras(name)
        model = ours(name, library, keras_state(peer))
        with torch.no_grad():
            pixels = x.permute(0, 2, 3, 1) * (255 if rescales(peer) else 1)
            wanted = torch.as_tensor(peer(pixels, training=False).detach().cpu().numpy())
            given = model(x)
    else:
        peer = theirs(name, library).double()
        model = ours(name, library, peer.state_dict())
        with torch.no_grad():
            wanted, given = peer(x), model(x)
    scale = (wanted[0] - wanted[1]).abs().max()
    if library == "keras":
        assert scale > 1e-3 * wanted.abs().max(), "the answers hardly depend on the images and show nothing"
        scale = wanted.abs().max()
    return ((given - wanted).abs().max() / scale).item()


def gradient_difference(name: str, library: str) -> float:
    """The largest difference of any parameter's gradient on one batch, over the largest gradient of that tensor."""
    peer = theirs(name, library).double()
    model = ours(name, library, peer.state_dict())
    torch.manual_seed(2)
    x = torch.randn(2, 3, side(name), side(name), dtype=torch.float64)
    wanted = {}
    for net in (peer, model):
        net(x).square().sum().backward()
    table = key_tables(get_card(name).family)[library]
    wanted = rename({key: p.grad for key, p in peer.named_parameters() if p.grad is not None}, table)
    worst = 0.0
    for key, parameter in model.named_parameters():
        scale = wanted[key].abs().max().clamp(min=1e-12)
        expected = wanted[key].reshape(parameter.shape)  # a 1x1 convolution may stand for a dense layer
        worst = max(worst, ((parameter.grad - expected).abs().max() / scale).item())
    return worst
