"""What torch lacks and networks share: activations by name, blocks, paddings, shortcuts, first weights."""

from striate.layers.activation import ACTIVATIONS, ScaledTanh, activation
from striate.layers.branches import Branches, OverlappingPool
from striate.layers.conv import PADDINGS, ConvAct, ConvNormAct, SameConv2d, SamePool2d, conv2d, pair
from striate.layers.drop_path import DropPath
from striate.layers.initialise import he_normal_, normal_, xavier_uniform_, zero_last_gamma_
from striate.layers.measure import output_shape
from striate.layers.normalisation import LocalResponseNorm
from striate.layers.residual import SHORTCUTS, Residual, ZeroPadShortcut, basic, bottleneck, make_shortcut
from striate.layers.separable import SeparableConv2d
from striate.layers.squeeze import SqueezeExcite

__all__ = [
    "ACTIVATIONS",
    "PADDINGS",
    "SHORTCUTS",
    "Branches",
    "ConvAct",
    "ConvNormAct",
    "DropPath",
    "LocalResponseNorm",
    "OverlappingPool",
    "Residual",
    "SameConv2d",
    "SamePool2d",
    "ScaledTanh",
    "SeparableConv2d",
    "SqueezeExcite",
    "ZeroPadShortcut",
    "activation",
    "basic",
    "bottleneck",
    "conv2d",
    "he_normal_",
    "make_shortcut",
    "normal_",
    "output_shape",
    "pair",
    "xavier_uniform_",
    "zero_last_gamma_",
]
