"""What torch lacks and networks share: activations by name, blocks, paddings, shortcuts, first weights."""

from striate.layers.activation import ACTIVATIONS, ScaledTanh, activation
from striate.layers.conv import PADDINGS, ConvNormAct, SameConv2d, conv2d
from striate.layers.initialise import he_normal_, normal_, xavier_uniform_, zero_last_gamma_
from striate.layers.measure import output_shape
from striate.layers.residual import SHORTCUTS, Residual, ZeroPadShortcut, basic, bottleneck, make_shortcut

__all__ = [
    "ACTIVATIONS",
    "PADDINGS",
    "SHORTCUTS",
    "ConvNormAct",
    "Residual",
    "SameConv2d",
    "ScaledTanh",
    "ZeroPadShortcut",
    "activation",
    "basic",
    "bottleneck",
    "conv2d",
    "he_normal_",
    "make_shortcut",
    "normal_",
    "output_shape",
    "xavier_uniform_",
    "zero_last_gamma_",
]
