"""What torch lacks and networks share: activations by name, blocks, paddings, shortcuts, first weights."""

from striate.layers.activation import ACTIVATIONS, ScaledTanh, activation
from striate.layers.branches import Branches, OverlappingPool
from striate.layers.connection_table import TableConv2d
from striate.layers.conv import PADDINGS, ConvAct, ConvNormAct, SameConv2d, SamePool2d, conv2d, pair
from striate.layers.convolution import TrueConv1d, TrueConv2d, convolve, cross_correlate
from striate.layers.drop_path import DropPath
from striate.layers.highway import Highway, highway_conv
from striate.layers.hinge import HINGES, HingeLoss
from striate.layers.initialise import (
    INITS,
    first_weights_,
    gate_bias_,
    he_normal_,
    lecun_uniform_,
    normal_,
    uniform_,
    xavier_uniform_,
    zero_last_gamma_,
)
from striate.layers.inverted_residual import InvertedResidual, inverted_residual
from striate.layers.local import LocallyConnected1d, LocallyConnected2d
from striate.layers.measure import output_shape
from striate.layers.normalisation import LocalResponseNorm
from striate.layers.overwriting import Chain, activate
from striate.layers.pooling import L2Pool2d, RoIPool, SumPool2d
from striate.layers.rbf import RBFDistanceLoss, RBFLoss, RBFOutput
from striate.layers.residual import (
    PLACEMENTS,
    Residual,
    basic,
    bottleneck,
    bottleneck_convolutions,
    norm_act,
    residual_block,
)
from striate.layers.rounding import round_channels, round_depth
from striate.layers.separable import SeparableConv2d
from striate.layers.shortcuts import SHORTCUTS, Gate, ZeroPadShortcut, make_addition, make_shortcut
from striate.layers.shuffle import ChannelShuffle
from striate.layers.squeeze import SqueezeExcite
from striate.layers.subsampling import TrainableSubsampling
from striate.layers.toeplitz import toeplitz, toeplitz_of

__all__ = [
    "ACTIVATIONS",
    "HINGES",
    "INITS",
    "PADDINGS",
    "PLACEMENTS",
    "SHORTCUTS",
    "Branches",
    "Chain",
    "ChannelShuffle",
    "ConvAct",
    "ConvNormAct",
    "DropPath",
    "Gate",
    "Highway",
    "HingeLoss",
    "InvertedResidual",
    "L2Pool2d",
    "LocalResponseNorm",
    "LocallyConnected1d",
    "LocallyConnected2d",
    "OverlappingPool",
    "RBFDistanceLoss",
    "RBFLoss",
    "RBFOutput",
    "Residual",
    "RoIPool",
    "SameConv2d",
    "SamePool2d",
    "ScaledTanh",
    "SeparableConv2d",
    "SqueezeExcite",
    "SumPool2d",
    "TableConv2d",
    "TrainableSubsampling",
    "TrueConv1d",
    "TrueConv2d",
    "ZeroPadShortcut",
    "activate",
    "activation",
    "basic",
    "bottleneck",
    "bottleneck_convolutions",
    "conv2d",
    "convolve",
    "cross_correlate",
    "first_weights_",
    "gate_bias_",
    "he_normal_",
    "highway_conv",
    "inverted_residual",
    "lecun_uniform_",
    "make_addition",
    "make_shortcut",
    "norm_act",
    "normal_",
    "output_shape",
    "pair",
    "residual_block",
    "round_channels",
    "round_depth",
    "toeplitz",
    "toeplitz_of",
    "uniform_",
    "xavier_uniform_",
    "zero_last_gamma_",
]
