"""Which names are networks of somebody else's, and where they are to be looked for."""

import pytest
from torch import nn

from striate.models.references import Reference, reference_of, reference_to


@pytest.mark.parametrize(
    ("text", "kind", "place", "name"),
    [
        ("torchvision:resnet18", "torchvision", "torchvision", "resnet18"),
        ("timm:resnet50.a1_in1k", "timm", "timm", "resnet50.a1_in1k"),
        ("net.py:build", "file", "net.py", "build"),
        ("~/my nets/net.py:Net", "file", "~/my nets/net.py", "Net"),
        ("C:\\nets\\net.py:build", "file", "C:\\nets\\net.py", "build"),
        ("net.py", "file", "net.py", ""),
        ("net.py:", "file", "net.py", ""),
        ("package.module:Net", "package", "package.module", "Net"),
        ("nets:Outer.Inner", "package", "nets", "Outer.Inner"),
    ],
)
def test_what_refers_to_somebody_elses_network(text, kind, place, name):
    found = reference_to(text)
    assert found == Reference(kind, place, name)
    assert found.is_named_code == (kind in ("file", "package"))


@pytest.mark.parametrize("text", ["resnet18", "ResNet-18", "timm:", "torchvision:", ":build", "a b:c", ""])
def test_any_other_name_is_the_catalogues(text):
    assert reference_to(text) is None


def test_a_reference_reads_as_it_is_written():
    for text in ("torchvision:resnet18", "net.py:build", "package.module:Net"):
        assert str(reference_to(text)) == text
    assert reference_of(nn.Linear) == Reference("package", "torch.nn.modules.linear", "Linear")
