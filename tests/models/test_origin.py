"""Whose code may be run: named files and packages, while they are what they were, and what is handed over."""

import hashlib
import sys
from pathlib import Path

import pytest
import timm
import torchvision
from torch import nn

from striate.errors import StriateError, UsageError
from striate.models.origin import Trust, Untrusted, about, made_in_package, origin_of, origin_of_module, reference_in
from striate.models.references import Reference, reference_to

NET = """
from torch import nn

def build():
    return nn.Linear(3, 2)

class Outer:
    Inner = nn.Linear
"""


@pytest.fixture
def net(tmp_path, monkeypatch) -> Path:
    """A file of one's own, which is also a package's module."""
    file = tmp_path / "mynet.py"
    file.write_text(NET)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield file
    sys.modules.pop("mynet", None)


def test_what_is_kept_of_where_a_network_comes_from(net):
    checksum = hashlib.sha256(net.read_bytes()).hexdigest()
    file = origin_of(reference_to("mynet.py:build"))
    assert file == {"kind": "file", "place": str(net), "name": "build", "sha256": checksum}
    package = origin_of(reference_to("mynet:build"))
    assert package == {"kind": "package", "place": "mynet", "name": "build", "sha256": checksum}
    library = origin_of(reference_to("timm:resnet18"))
    assert library == {"kind": "timm", "place": "timm", "name": "resnet18", "versions": {"timm": timm.__version__}}
    assert origin_of(reference_to("torchvision:resnet18"))["versions"] == {"torchvision": torchvision.__version__}
    assert origin_of_module(nn.Linear(2, 2)) == {"kind": "module", "place": "torch.nn.modules.linear", "name": "Linear"}
    assert about(file) == f"made by {net}:build, sha256 {checksum[:12]}"
    assert about(library) == f"resnet18 of timm {timm.__version__}"
    assert about(origin_of_module(nn.Linear(2, 2))) == "a torch.nn.modules.linear.Linear that was handed over"


def test_a_librarys_network_is_made_by_its_name_alone():
    assert reference_in(origin_of(reference_to("timm:resnet18")), Trust()) == Reference("timm", "timm", "resnet18")


def test_a_file_is_run_only_where_it_is_named_and_while_it_is_what_it_was(net):
    origin = origin_of(reference_to("mynet.py:build"))
    words = r"the network is made by mynet\.py:build, code that is run only where you name it: --trust mynet\.py"
    with pytest.raises(Untrusted, match=words):
        reference_in(origin, Trust())
    assert reference_in(origin, Trust.of("mynet.py")) == Reference("file", "mynet.py", "build")
    moved = net.rename(net.with_name("moved.py"))
    assert reference_in(origin, Trust.of(moved)) == Reference("file", str(moved), "build")
    moved.write_text(moved.read_text() + "# changed\n")
    with pytest.raises(Untrusted, match=r"moved\.py is not what it was when the network was trained \(sha256 "):
        reference_in(origin, Trust.of(moved))
    with pytest.raises(Untrusted, match=r"the network is made by mynet\.py:build, and not by mynet"):
        reference_in(origin, Trust.of("mynet"))


def test_a_package_is_imported_only_where_it_is_named(net):
    origin = origin_of(reference_to("mynet:build"))
    with pytest.raises(Untrusted, match=r"made by mynet:build, code that is run only where you name it: --trust mynet"):
        reference_in(origin, Trust())
    for trust in ("mynet", "mynet:build"):
        assert reference_in(origin, Trust.of(trust)) == Reference("package", "mynet", "build")
    with pytest.raises(Untrusted, match="made by mynet:build, and not by other"):
        reference_in(origin, Trust.of("other"))


def test_what_was_handed_over_has_to_be_handed_over_again():
    with pytest.raises(Untrusted, match=r"a torch\.nn\.modules\.linear\.Linear that was handed over.*model=\.\.\."):
        reference_in(origin_of_module(nn.Linear(2, 2)), Trust.of("net"))


def test_trust_names_a_file_that_is_there(net):
    assert Trust.of("mynet.py:build") == Trust(("mynet.py",))
    assert Trust.of(None) == Trust()
    with pytest.raises(UsageError, match=r"^gone\.py: no such file$"):
        Trust.of("gone.py")


def test_a_function_or_class_of_a_package_is_found(net):
    assert made_in_package(reference_to("mynet:build"))().out_features == 2
    assert made_in_package(reference_to("mynet:Outer.Inner")) is nn.Linear
    for wrong in ("nomodule:build", "mynet:nofunction"):
        with pytest.raises(UsageError, match=f"^{wrong}: cannot be imported"):
            made_in_package(reference_to(wrong))


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(StriateError, match="cannot be read"):
        origin_of(Reference("file", str(tmp_path / "gone.py"), "build"))
