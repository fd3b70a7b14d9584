"""Transfer: what a network has learnt of other pictures, used for new ones; and by another network, deeper."""

from striate.transfer.growing import RULES, Grown, grow
from striate.transfer.grown_file import grow_from, grow_into, shallow_spec
from striate.transfer.lineage import check_growth, grows_into, options_from
from striate.transfer.pairing import Misfit

__all__ = [
    "RULES",
    "Grown",
    "Misfit",
    "check_growth",
    "grow",
    "grow_from",
    "grow_into",
    "grows_into",
    "options_from",
    "shallow_spec",
]
