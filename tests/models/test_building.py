"""What building and summing up a network must not bring along."""

import subprocess
import sys

CODE = """
import sys, torch
from striate.analysis import summary
from striate.models import create_model, get_card
others = ("highway10_w16_mnist", "mobilenet_v2_0.35", "nasnet_cifar", "vit_ti_16")
for name in ("lenet5", "lenet5_1998", "vgg11_bn", *others):
    create_model(name)
    assert "torch._dynamo" not in sys.modules, f"{name}, built"
    card = get_card(name)
    with torch.device("meta"):
        model = create_model(name)
    assert "torch._dynamo" not in sys.modules, f"{name}, built without weights"
    summary(model, (card.in_channels, card.input_size, card.input_size))
    assert "torch._dynamo" not in sys.modules, f"{name}, summed up"
"""


def test_pytorchs_compiler_stays_out():
    """Its import takes seconds and 150 MB, and some operations on weightless tensors would bring it in."""
    process = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=120)
    assert process.returncode == 0, process.stderr
