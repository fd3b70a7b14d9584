"""Finding a network: what each kind of name is built with, the input it is given, and what is refused."""

import sys
import warnings
from pathlib import Path

import pytest
import timm
import torchvision
from torch import nn

from striate.cli.network import Located, locate
from striate.errors import StriateError, UsageError
from striate.models import get_card
from striate.models.libraries import _torchvisions_size

NETS = """
import torch
from torch import nn

class Own(nn.Module):
    def __init__(self, **said):
        super().__init__()
        vars(self).update(said)

def own_sides():
    return Own(input_shape=(2, 20, 30))

def own_settings():
    return Own(default_cfg={"input_size": (4, 50, 60)})

def nothing():
    return nn.Flatten()

def dense():
    return nn.Sequential(nn.Flatten(), nn.BatchNorm1d(12), nn.Linear(12, 5), nn.Linear(5, 2))

def dense_before_image():
    return nn.Sequential(nn.Linear(9, 9), nn.Conv2d(2, 4, 3))

def image():
    return nn.Conv2d(5, 4, 3)

def asks(num_classes, width=8):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.Flatten(), nn.Linear(width, num_classes))

class AsksForSides(nn.Module):
    def __init__(self, img_size, in_chans=3, n_classes=4):
        super().__init__()
        self.first, self.last = nn.Conv2d(in_chans, 1, 1), nn.Linear(img_size * img_size, n_classes)

ready = asks(6)

def pooled():
    return nn.MaxPool2d(2)

def pooled_before_image():
    return nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(7, 4, 3))

def signal():
    return nn.Sequential(nn.Conv1d(6, 4, 3), nn.Linear(9, 9))

def volume():
    return nn.Conv3d(2, 4, 3)

def tokens():
    return nn.Sequential(nn.Embedding(50, 8), nn.Linear(8, 2))

def recurrent():
    return nn.Sequential(nn.Identity(), nn.LSTM(11, 4))

def attention():
    return nn.MultiheadAttention(24, 2)

def encoder():
    return nn.TransformerEncoderLayer(8, 2, 16)

def talks():
    import warnings
    print("built")
    warnings.warn("old")
    return nn.Conv2d(3, 4, 3)
"""
NO = {"size": None, "classes": None, "channels": None}


@pytest.fixture(scope="module")
def nets(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("nets") / "network_nets.py"
    path.write_text(NETS)
    before = [*sys.path]
    yield str(path)
    sys.path[:] = before
    sys.modules.pop("_striate_user_network_nets", None)


#: A function of the file, what is asked for, the shape, and how it was guessed; "" where it was not.
SHAPES = [
    ("own_sides", {}, (2, 20, 30), ""),
    ("own_sides", {"size": 8}, (2, 8, 8), ""),
    ("own_sides", {"channels": 7}, (7, 20, 30), ""),
    ("own_settings", {}, (4, 50, 60), ""),
    ("own_settings", {"size": 9, "channels": 1}, (1, 9, 9), ""),
    ("nothing", {}, (3, 224, 224), "no layer tells"),
    ("nothing", {"size": 10, "channels": 2}, (2, 10, 10), "no layer tells"),
    ("dense", {}, (12,), ""),
    ("dense", {"size": 10}, (12,), ""),
    ("dense_before_image", {}, (2, 224, 224), "its first layer is 1, Conv2d"),
    ("image", {}, (5, 224, 224), "its first layer is itself, Conv2d"),
    ("image", {"channels": 2}, (2, 224, 224), "its first layer is itself, Conv2d"),
    ("image", {"size": 31}, (5, 31, 31), "its first layer is itself, Conv2d"),
    ("pooled", {}, (3, 224, 224), "its first layer is itself, MaxPool2d"),
    ("pooled_before_image", {}, (7, 224, 224), "its first layer is 0, MaxPool2d"),
    ("signal", {}, (6, 224), "its first layer is 0, Conv1d"),
    ("signal", {"size": 50}, (6, 50), "its first layer is 0, Conv1d"),
    ("volume", {}, (2, 16, 16, 16), "its first layer is itself, Conv3d"),
    ("volume", {"size": 5}, (2, 5, 5, 5), "its first layer is itself, Conv3d"),
    ("tokens", {}, (16,), "its first layer is 0, Embedding"),
    ("tokens", {"size": 7}, (7,), "its first layer is 0, Embedding"),
    ("recurrent", {}, (16, 11), "its first layer is 1, LSTM"),
    ("recurrent", {"size": 7, "channels": 3}, (7, 11), "its first layer is 1, LSTM"),
    ("attention", {}, (16, 24), "its first layer is itself, MultiheadAttention"),
    ("encoder", {}, (16, 8), "its first layer is itself, TransformerEncoderLayer"),
]


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize(("name", "asked", "shape", "why"), SHAPES)
def test_the_input_of_a_users_network(name, asked, shape, why, device, nets):
    found = locate(f"{nets}:{name}", device=device, **asked)
    guess = f"input {'x'.join(map(str, shape))} was guessed ({why})" if why else ""
    assert (found.name, found.shape, found.guess) == (f"{nets}:{name}", shape, guess)
    assert found.note == (f"{guess}; --input gives another" if why else "")
    assert found.card is None
    assert all(weight.device.type == device for weight in found.model.parameters())


@pytest.mark.parametrize("name", ["image", "own_sides", "lenet5"])
def test_a_shape_that_is_given_is_taken_as_it_is(name, nets):
    found = locate(name if name == "lenet5" else f"{nets}:{name}", shape=(9, 8, 7))
    assert (found.shape, found.guess, found.note) == ((9, 8, 7), "", "")


def test_what_a_file_prints_goes_to_standard_error_and_its_warnings_nowhere(nets, capsys):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        locate(f"{nets}:talks", device="cpu")
        assert not heard
        warnings.warn("afterwards", stacklevel=1)
    assert [str(one.message) for one in heard] == ["afterwards"]
    assert capsys.readouterr() == ("", "built\n")


def test_what_a_network_says_at_work_goes_to_standard_error_and_its_warnings_nowhere(capsys):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with Located("net", nn.Identity(), (3,)).at_work():
            print("works")
            warnings.warn("old", stacklevel=1)
        assert not heard
        warnings.warn("afterwards", stacklevel=1)
        print("again")
    assert len(heard) == 1
    assert capsys.readouterr() == ("again\n", "works\n")


@pytest.mark.parametrize("kind", [StriateError, UsageError])
@pytest.mark.parametrize(("guess", "said"), [("", "no"), ("it was guessed", "no; it was guessed")])
def test_an_error_at_work_says_where_the_input_was_guessed(kind, guess, said):
    with pytest.raises(StriateError) as error, Located("net", nn.Identity(), (3,), guess=guess).at_work():
        raise kind("no")
    assert type(error.value) is kind
    assert str(error.value) == said


def test_other_errors_at_work_stay_what_they_are():
    with pytest.raises(ValueError, match=r"^odd$"), Located("n", nn.Identity(), (3,), guess="guessed").at_work():
        raise ValueError("odd")


@pytest.mark.parametrize("option", ["size", "channels", "classes"])
@pytest.mark.parametrize("value", [0, -1])
def test_numbers_below_one_are_refused(option, value):
    with pytest.raises(UsageError) as error:
        locate("no_such_network", **{option: value})
    assert str(error.value) == f"--{option} is {value}; it must be at least 1"


def test_one_is_enough():
    model = locate("resnet20_cifar", channels=1, classes=1).model
    assert (model.in_channels, model.num_classes) == (1, 1)


def test_other_devices_are_refused():
    with pytest.raises(UsageError, match=r"^unknown device 'xyz'\. Known: cpu, meta\.$"):
        locate("lenet5", device="xyz")


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ({"classes": 3}, "{file}:image is given as it is: --classes is for others."),
        ({"classes": 3, "channels": 3}, "{file}:image is given as it is: --classes is for others."),
    ],
)
def test_a_users_file_has_the_classes_it_has(options, refused, nets):
    with pytest.raises(UsageError) as error:
        locate(f"{nets}:image", **options)
    assert str(error.value) == refused.format(file=nets)
    with pytest.raises(UsageError, match=r":ready is given as it is: --classes is for others\.$"):
        locate(f"{nets}:ready", classes=3)


@pytest.mark.parametrize(
    ("name", "asked", "outputs", "shape", "taken"),
    [
        ("asks", {}, 1000, (3, 224, 224), ["num_classes: it was given 1000"]),
        ("asks", {"classes": 7}, 7, (3, 224, 224), []),
        ("ready", {}, 6, (3, 224, 224), []),
        ("AsksForSides", {}, 4, (3, 224, 224), ["img_size: it was given 224"]),
        ("AsksForSides", {"size": 16, "classes": 9}, 9, (3, 16, 16), []),
        ("AsksForSides", {"size": 16, "channels": 2}, 4, (2, 16, 16), []),
    ],
)
def test_a_function_is_given_what_it_asks_for(name, asked, outputs, shape, taken, nets):
    found = locate(f"{nets}:{name}", **asked)
    last = list(found.model.modules())[-1]
    assert (last.out_features, found.shape) == (outputs, shape)
    assert found.taken == tuple(f"{nets}:{name} asks for {line}" for line in taken)
    if name == "AsksForSides":
        assert last.in_features == shape[1] * shape[2]


def test_images_of_a_run_are_images_whatever_its_first_layer_tells(trained, nets):
    assert locate(str(trained)).example == (1, 3, 28, 28)
    assert locate(f"{nets}:signal").example == locate(f"{nets}:signal").shape


@pytest.mark.parametrize("options", [{"classes": 3}, {"channels": 3}, {"classes": 3, "channels": 3}])
def test_a_trained_model_has_the_classes_and_channels_it_has(options, trained):
    with pytest.raises(UsageError) as error:
        locate(str(trained), **options)
    assert str(error.value) == f"{trained} is given as it is: --classes and --channels are for others."


def test_a_run_or_its_model_takes_images_as_it_was_trained_on(trained):
    for name in (str(trained), str(trained / "model.safetensors")):
        found = locate(name)
        assert (found.name, found.shape, found.card, found.guess) == (name, (3, 28, 28), None, "")
        assert found.model.num_classes == 3
        assert locate(name, size=40).shape == (3, 40, 40)


def test_a_folder_that_is_called_like_a_network_is_not_taken_for_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("lenet5", "my_run"):
        (tmp_path / name).mkdir()
    assert locate("lenet5").card is get_card("lenet5")
    with pytest.raises(StriateError, match=r"my_run: .*no model\.safetensors"):
        locate("my_run")
    with pytest.raises(StriateError, match=r"gone\.safetensors: no such model file"):
        locate("gone.safetensors")


def test_a_network_of_the_catalogue_is_built_as_asked():
    found = locate("ResNet20", size=40, classes=7, channels=2)
    assert (found.name, found.shape, found.card, found.guess) == (
        *("resnet20_cifar", (2, 40, 40), get_card("resnet20_cifar"), ""),
    )
    assert (found.model.num_classes, found.model.in_channels) == (7, 2)
    assert {weight.device.type for weight in found.model.parameters()} == {"meta"}
    assert locate("resnet20_cifar").shape == (3, 32, 32)
    assert {weight.device.type for weight in locate("lenet5", device="cpu").model.parameters()} == {"cpu"}


@pytest.mark.parametrize("name", ["torchvision", "torchvision:", "timm", "timm:", "pytorch:resnet18"])
def test_a_library_without_a_name_is_an_unknown_network(name):
    with pytest.raises(UsageError) as error:
        locate(name)
    assert str(error.value).startswith(f"unknown network '{name}'.")


@pytest.fixture
def builders(monkeypatch):
    """torchvision's networks are ours: what each was called with."""
    calls = []

    def plain(*, weights=None, num_classes=1000):
        calls.append({"weights": weights, "num_classes": num_classes})
        return nn.Conv2d(3, 4, 3)

    def segments(*, weights=None, weights_backbone="DEFAULT", num_classes=21):
        calls.append({"weights": weights, "weights_backbone": weights_backbone, "num_classes": num_classes})
        return nn.Conv2d(3, 4, 3)

    def inception(*, weights=None, init_weights=None, num_classes=1000):
        calls.append({"weights": weights, "init_weights": init_weights, "num_classes": num_classes})
        return nn.Conv2d(3, 4, 3)

    def transformer(*, weights=None, image_size=64):
        if image_size % 8:
            raise AssertionError("not a multiple of 8")
        calls.append({"weights": weights, "image_size": image_size})
        model = nn.Conv2d(3, 4, 3)
        model.image_size = image_size
        return model

    def windows(*, weights=None, input_size=(24, 24)):
        if input_size[0] % 8 or input_size[1] % 8:
            raise ValueError("odd windows")
        calls.append({"weights": weights, "input_size": input_size})
        return nn.Conv2d(3, 4, 3)

    def clips(*, weights=None):
        calls.append({"weights": weights})
        return nn.Sequential(nn.Flatten(), nn.Conv3d(3, 4, 3))

    ours = {"alexnet": plain, "lraspp_mobilenet_v3_large": segments, "vit_b_16": transformer, "maxvit_t": windows,
            "inception_v3": inception, "googlenet": inception, "r3d_18": clips}  # fmt: skip
    sizes = {"inception_v3": 299, "r3d_18": 112}
    monkeypatch.setattr(torchvision.models, "get_model_builder", ours.__getitem__)
    monkeypatch.setattr(torchvision.models, "get_model", lambda name, **said: ours[name](**said))
    monkeypatch.setattr("striate.models.libraries._torchvisions_size", lambda name: sizes.get(name, 224))
    return calls


BUILT = [
    ("alexnet", {}, {"num_classes": 1000}, (3, 224, 224)),
    ("alexnet", {"classes": 7, "channels": 3}, {"num_classes": 7}, (3, 224, 224)),
    ("alexnet", {"size": 50}, {"num_classes": 1000}, (3, 50, 50)),
    ("lraspp_mobilenet_v3_large", {}, {"weights_backbone": None, "num_classes": 21}, (3, 224, 224)),
    ("inception_v3", {"classes": 5}, {"init_weights": False, "num_classes": 5}, (3, 299, 299)),
    ("googlenet", {}, {"init_weights": False, "num_classes": 1000}, (3, 224, 224)),
    ("vit_b_16", {}, {"image_size": 64}, (3, 64, 64)),
    ("vit_b_16", {"size": 40}, {"image_size": 40}, (3, 40, 40)),
    ("maxvit_t", {"size": 40}, {"input_size": (40, 40)}, (3, 40, 40)),
    ("maxvit_t", {}, {"input_size": (24, 24)}, (3, 224, 224)),
    ("r3d_18", {}, {}, (3, 16, 112, 112)),
    ("r3d_18", {"size": 60}, {}, (3, 16, 60, 60)),
]


@pytest.mark.parametrize(("name", "asked", "called", "shape"), BUILT)
def test_torchvisions_networks_are_built_without_weights_and_for_the_size(name, asked, called, shape, builders):
    found = locate(f"torchvision:{name}", device="cpu", **asked)
    assert builders == [{"weights": None, **called}]
    assert (found.name, found.shape, found.card, found.guess) == (f"torchvision:{name}", shape, None, "")


@pytest.mark.parametrize(
    ("name", "asked", "kind", "said"),
    [
        ("vit_b_16", {"size": 50}, StriateError,
         "torchvision:vit_b_16 cannot be built for image_size 50: not a multiple of 8"),
        ("maxvit_t", {"size": 50}, StriateError,
         "torchvision:maxvit_t cannot be built for input_size (50, 50): odd windows"),
        ("alexnet", {"channels": 1}, UsageError,
         "torchvision:alexnet takes 3 channels, not 1; networks by name and timm:NAME take any"),
        ("qqqqqqq", {}, UsageError,
         "unknown network of torchvision 'qqqqqqq'. torchvision.models.list_models() lists them all."),
    ],
)  # fmt: skip
def test_what_torchvision_has_not_is_told(name, asked, kind, said, builders):
    with pytest.raises(StriateError) as error:
        locate(f"torchvision:{name}", device="cpu", **asked)
    assert type(error.value) is kind
    assert str(error.value) == said


@pytest.mark.parametrize(
    ("name", "side"),
    [("alexnet", 224), ("inception_v3", 299), ("efficientnet_b1", 240), ("vit_h_14", 518), ("r3d_18", 112),
     ("swin_v2_t", 256), ("lraspp_mobilenet_v3_large", 224), ("raft_small", 224), ("ssd300_vgg16", 224)],
)  # fmt: skip
def test_the_side_that_torchvisions_weights_were_made_for(name, side):
    assert _torchvisions_size(name) == side


@pytest.fixture
def timms(monkeypatch):
    """timm's builder is ours: what it was called with."""
    calls = []

    def create_model(name, **said):
        calls.append((name, said))
        if "img_size" in said and name != "vit_small_patch16_224":
            raise TypeError("got an unexpected keyword argument 'img_size'")
        if said.get("img_size", 16) % 16:
            raise AssertionError("not a multiple of 16")
        model = nn.Identity()
        if name != "test_resnet":
            model.default_cfg = {"input_size": (3, 20, 30)}
        return model

    monkeypatch.setattr(timm, "create_model", create_model)
    return calls


TIMM = [
    ("resnet18", {}, [{}], (3, 20, 30)),
    ("resnet18", {"classes": 7}, [{"num_classes": 7}], (3, 20, 30)),
    ("resnet18", {"channels": 5}, [{"in_chans": 5}], (5, 20, 30)),
    ("resnet18", {"size": 50}, [{"img_size": 50}, {}], (3, 50, 50)),
    ("resnet18", {"size": 50, "classes": 2, "channels": 1},
     [{"num_classes": 2, "in_chans": 1, "img_size": 50}, {"num_classes": 2, "in_chans": 1}], (1, 50, 50)),
    ("vit_small_patch16_224", {"size": 48}, [{"img_size": 48}], (3, 48, 48)),
    ("test_resnet", {}, [{}], (3, 160, 160)),  # which the network does not say, but timm does
]  # fmt: skip


@pytest.mark.parametrize(("name", "asked", "called", "shape"), TIMM)
def test_timms_networks_are_built_without_weights_and_for_the_size(name, asked, called, shape, timms):
    found = locate(f"timm:{name}", device="cpu", **asked)
    assert timms == [(name, {"pretrained": False, **said}) for said in called]
    assert (found.name, found.shape, found.card, found.guess) == (f"timm:{name}", shape, None, "")


def test_what_timm_has_not_is_told(timms, monkeypatch):
    with pytest.raises(StriateError) as error:
        locate("timm:vit_small_patch16_224", size=50, device="cpu")
    assert str(error.value) == "timm:vit_small_patch16_224 cannot be built for img_size 50: not a multiple of 16"
    with pytest.raises(UsageError) as error:
        locate("timm:resnet_18")
    assert str(error.value).startswith("unknown network of timm 'resnet_18'. Did you mean 'resnet18'")
    assert str(error.value).endswith("? timm.list_models() lists them all.")
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(StriateError) as error:
        locate("timm:resnet18")
    assert (str(error.value), error.value.exit_code) == ("timm:resnet18 needs timm: pip install 'striate[timm]'", 1)


def test_a_file_that_is_not_named_py_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("net.pyx").write_text(NETS)
    with pytest.raises(UsageError, match=r"^unknown network 'net\.pyx:image'"):
        locate("net.pyx:image")
