"""Every engine against the network itself, and what becomes of one that differs, fails or is not here."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from frozen_network import LOOK, PICTURES, frozen, small

import striate
from striate.data import Preprocessing
from striate.engines import ENGINES, Eager, EngineError, choose, make_engine
from striate.engines import engines as engines_module
from striate.engines.engines import COARSE, EXACT, Kind, difference
from striate.engines.frozen import in_pieces
from striate.errors import UsageError

ON_A_PROCESSOR = [name for name, kind in ENGINES.items() if "cpu" in kind.devices]


@pytest.mark.parametrize("name", ON_A_PROCESSOR)
def test_an_engine_gives_what_the_network_gives_for_any_number_of_pictures(name, monkeypatch, tmp_path):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path))
    network = small()
    scaled = (PICTURES / 255 - np.array(LOOK.mean)) / np.array(LOOK.std)
    with torch.no_grad():
        wanted = network.double()(torch.from_numpy(scaled).permute(0, 3, 1, 2)).numpy()
    largest = np.abs(wanted).max()
    engine = make_engine(name, frozen(network.float()), PICTURES[:2])
    assert engine.name == name
    for count in (1, 3, 7):
        found = engine(PICTURES[:count])
        assert found.dtype == np.float32
        assert np.abs(found - wanted[:count]).max() <= largest * (0.05 if name.endswith("bf16") else 2e-5)
    first = engine(PICTURES[:1])
    kept = first.copy()
    engine(PICTURES[3:4])
    np.testing.assert_array_equal(first, kept)  # it is the caller's


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
@pytest.mark.parametrize(
    "name",
    ["mobilenet_v2", "resnet18", "densenet121", "googlenet", "efficientnet_b0", "shufflenet_v2_x1_0", "vit_b_16"],
)
def test_networks_of_the_catalogue_run_on_the_engines(name, engine):
    torch.manual_seed(0)
    network = striate.create_model(name, num_classes=6)
    look = Preprocessing((224, 224), 3, (0.5,) * 3, (0.25,) * 3)
    pictures = np.random.default_rng(1).integers(0, 256, (6, 224, 224, 3), dtype=np.uint8)
    made = make_engine(engine, frozen(network, look), pictures[:2])
    assert difference(made(pictures), Eager(network, look.normalise)(pictures)) < EXACT


@pytest.mark.sampled
@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_a_conversion_is_kept_and_read_and_never_stale(engine, monkeypatch, tmp_path):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path))
    network = small()
    assert not make_engine(engine, frozen(network), PICTURES).was_kept
    (folder,) = (tmp_path / "engines").iterdir()
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    again = make_engine(engine, frozen(network), PICTURES)
    assert again.was_kept
    assert difference(again(PICTURES), frozen(network).eager()(PICTURES)) < EXACT

    with torch.no_grad():
        network[5].bias += 1
    assert not make_engine(engine, frozen(network), PICTURES).was_kept
    other = Preprocessing((40, 32), 3, (0.5,) * 3, (0.2,) * 3)
    assert not make_engine(engine, frozen(network, other), PICTURES).was_kept
    assert len(list((tmp_path / "engines").iterdir())) == 3
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.sampled
@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
@pytest.mark.parametrize("damage", ["cut off", "one of them", "another network's"])
def test_a_spoilt_conversion_is_made_anew(engine, damage, monkeypatch, tmp_path):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path))
    network = small()
    make_engine(engine, frozen(network), PICTURES)
    (folder,) = (tmp_path / "engines").iterdir()
    good = {file: file.read_bytes() for file in folder.iterdir()}
    if damage != "another network's":
        spoilt = good if damage == "cut off" else {max(good, key=lambda file: len(good[file])): b""}
        for file in spoilt:
            file.write_bytes(good[file][: len(good[file]) // 2])
    else:
        with torch.no_grad():
            network[5].weight.neg_()
        make_engine(engine, frozen(network), PICTURES)
        with torch.no_grad():
            network[5].weight.neg_()
        (other,) = (one for one in (tmp_path / "engines").iterdir() if one != folder)
        for file in folder.iterdir():
            file.write_bytes((other / file.name).read_bytes())
    mended = make_engine(engine, frozen(network), PICTURES)
    assert not mended.was_kept
    assert difference(mended(PICTURES), frozen(network).eager()(PICTURES)) < EXACT
    assert make_engine(engine, frozen(network), PICTURES).was_kept


def test_what_cannot_be_kept_is_made_all_the_same(monkeypatch, tmp_path):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "file"))
    (tmp_path / "file").write_text("no folder")
    engine = make_engine("openvino", frozen(small()), PICTURES)
    assert difference(engine(PICTURES), frozen(small()).eager()(PICTURES)) < EXACT


#: Two engines of which the first goes first, and then a signal, which interrupts nothing.
SIGNAL = """
import gc, os, signal
from frozen_network import PICTURES, frozen, small
from striate.engines import make_engine
signal.signal(signal.SIGINT, lambda *_: print("and goes on"))
first, second = (make_engine("openvino", frozen(small()), PICTURES) for _ in range(2))
for name in ("first", "second"):
    del globals()[name]
    gc.collect()
os.kill(os.getpid(), signal.SIGINT)
"""


def test_a_process_outlives_a_signal_after_its_engines_went(tmp_path):
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", SIGNAL],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "STRIATE_CACHE": str(tmp_path), "PYTHONPATH": paths},
    )
    assert (done.returncode, done.stdout) == (0, "and goes on\n"), done.stderr


def test_the_compiled_engine_takes_any_number_of_pictures():
    network = small()
    engine = engines_module.Compiled(frozen(network), backend="eager")
    for count in (5, 2, 7):
        assert difference(engine(PICTURES[:count]), frozen(network).eager()(PICTURES[:count])) < EXACT
    with pytest.raises(EngineError, match="engine 'compiled' is for cuda, not for cpu"):
        make_engine("compiled", frozen(network), PICTURES)


class Broken:
    name = "broken"

    def __init__(self, answer):
        self.answer = answer

    def __call__(self, pictures):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(pictures)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: frozen(small()).eager()(x) * 1.01, r"outputs differ by 0\.01 of the largest, 0\.0001 is allowed"),
        (lambda x: frozen(small()).eager()(x)[:, :4], "outputs differ by inf"),
        (lambda x: np.full((len(x), 5), np.nan, np.float32), "outputs differ by inf"),
        (RuntimeError("no such operation: aten::foo\nmore"), r"cannot run a network \(no such operation: aten::foo\)"),
    ],
)
def test_an_engine_that_differs_or_fails_is_named_and_eager_used(answer, words, monkeypatch):
    engines = {**ENGINES, "broken": Kind(lambda frozen, anew: Broken(answer))}
    monkeypatch.setattr("striate.engines.engines.ENGINES", engines)
    monkeypatch.setattr("striate.engines.choosing.ENGINES", engines)
    with pytest.raises(EngineError, match=words) as caught:
        make_engine("broken", frozen(small()), PICTURES)
    assert "\n" not in str(caught.value)
    chosen = choose(frozen(small()), PICTURES, 7, "broken")
    assert chosen.engine.name == "eager"
    (note,) = chosen.notes
    assert note.startswith("engine 'broken' ")
    assert note.endswith("; eager is used")


def test_coarse_engines_are_held_to_their_own_tolerance(monkeypatch):
    coarse = {name for name, kind in ENGINES.items() if kind.tolerance == COARSE}
    assert coarse == {"openvino-bf16", "folded-bf16"}
    assert not coarse & set(engines_module.EQUAL)


def test_an_engine_that_is_not_installed_is_refused_with_its_remedy(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    with pytest.raises(EngineError, match=r"engine 'openvino' needs openvino: pip install 'striate\[fast\]'"):
        choose(frozen(small()), PICTURES, 7, "openvino")


def test_an_unknown_engine_is_refused():
    with pytest.raises(UsageError, match="openvino"):
        choose(frozen(small()), PICTURES, 7, "openvin")


@pytest.mark.parametrize(
    ("found", "wanted", "share"),
    [
        ([[1.0, 2.0]], [[1.0, 2.0]], 0),
        ([[1.0, 2.5]], [[1.0, -2.0]], 2.25),
        ([[0.0]], [[0.0]], 0),
        ([[1.0]], [[0.0]], np.inf),
        ([[np.nan, 4.0]], [[np.nan, 5.0]], 0.2),
        ([[np.inf, 4.0]], [[np.inf, 4.0]], 0),
        ([[np.nan]], [[1.0]], np.inf),
        ([[1.0]], [[1.0, 2.0]], np.inf),
    ],
)
def test_a_difference_is_a_share_of_the_largest_output(found, wanted, share):
    assert difference(np.array(found, np.float32), np.array(wanted, np.float32)) == pytest.approx(share)


def test_pieces_are_filled_up_and_joined_in_order():
    sizes = []

    def run(images):
        sizes.append(len(images))
        return images.reshape(len(images), -1)[:, :1].astype(np.float32)

    found = in_pieces(run, PICTURES, 3)
    np.testing.assert_array_equal(found[:, 0], PICTURES[:, 0, 0, 0])
    assert sizes == [3, 3, 3]
    assert in_pieces(run, PICTURES[:1], 3).shape == (1, 1)
    assert in_pieces(run, PICTURES[:6], 3).shape == (6, 1)


def test_of_a_chain_of_errors_the_first_is_told_without_colours(monkeypatch):
    def fail(frozen, anew):
        try:
            raise ValueError("\x1b[31mno such operation\x1b[0m: i0e\nat line 3")
        except ValueError as error:
            raise RuntimeError("Failed to export. Next steps:") from error

    monkeypatch.setattr("striate.engines.engines.ENGINES", {**ENGINES, "broken": Kind(fail)})
    with pytest.raises(EngineError, match=r"cannot run a network \(no such operation: i0e\)$"):
        make_engine("broken", frozen(small()), PICTURES)
