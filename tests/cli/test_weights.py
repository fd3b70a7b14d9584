"""striate weights: what can be had, what is here, and whether it is right."""

import hashlib
import http.server
import json
import shutil
import threading
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from striate.models import create_model, get_card
from striate.models.catalogue import cards


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A folder that STRIATE_WEIGHTS names, and the cache; the Hub's cache is empty."""
    given, cache = tmp_path / "given", tmp_path / "cache"
    given.mkdir()
    monkeypatch.setenv("STRIATE_WEIGHTS", str(given))
    monkeypatch.setenv("STRIATE_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return given, cache


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A file of SqueezeNet's weights on a server of this machine, and on its card."""
    folder = tmp_path / "there"
    folder.mkdir()
    torch.manual_seed(0)
    torch.save(create_model("squeezenet1_1").state_dict(), folder / "squeeze.pth")
    content = (folder / "squeeze.pth").read_bytes()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *given):
            super().__init__(*given, directory=str(folder))

        def log_message(self, *given):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        card = get_card("squeezenet1_1")
        url = f"http://127.0.0.1:{server.server_port}/squeeze.pth"
        digest = hashlib.sha256(content).hexdigest()[:8]
        record = replace(card.weights[0], file="squeeze.pth", sha256=digest, url=url)
        monkeypatch.setitem(cards(), card.name, replace(card, weights=(record,)))
        yield folder / "squeeze.pth", url
        server.shutdown()


def rows(cli, *words):
    outcome = cli("weights", "list", *words, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)["weights"]


def test_what_is_fetched_is_checked_listed_and_used(cli, places, published):
    given, cache = places
    _, url = published
    (row,) = rows(cli, "squeezenet1_1")
    assert (row["name"], row["path"], row["bytes"], row["url"]) == ("imagenet", None, None, url)
    assert (row["top1"], row["licence"], row["file"]) == (0.58178, "BSD-3-Clause", "squeeze.pth")
    outcome = cli("weights", "fetch", "SqueezeNet_1.1".replace(".", "_"))
    assert (outcome.code, outcome.out, outcome.err) == (0, f"{cache / 'squeeze.pth'}\n", "")
    (row,) = rows(cli, "squeezenet1_1")
    size = (cache / "squeeze.pth").stat().st_size
    assert (row["path"], row["bytes"]) == (str(cache / "squeeze.pth"), size)
    told = json.loads(cli("weights", "fetch", "squeezenet1_1", "torchvision", "--json").out)
    assert told == {"network": "squeezenet1_1", "name": "imagenet", "path": str(cache / "squeeze.pth"), "bytes": size}
    assert sorted(path.name for path in cache.iterdir()) == ["digests.json", "squeeze.pth"]
    shutil.move(cache / "squeeze.pth", given)
    (row,) = rows(cli, "squeezenet1_1")
    assert row["path"] == str(given / "squeeze.pth")


def test_the_table_says_what_is_at_hand(cli, places, published):
    line = next(line for line in cli("weights", "list").out.splitlines() if line.startswith("squeezenet1_1"))
    assert line.split() == ["squeezenet1_1", "imagenet", "torchvision", "~4.94", "MB", "BSD-3-Clause", "58.2"]
    cli("weights", "fetch", "squeezenet1_1")
    header, line = cli("weights", "list", "squeezenet1_1").out.splitlines()
    assert header.split() == ["network", "weights", "from", "size", "licence", "top-1", "%", "at", "hand"]
    assert line.split() == ["squeezenet1_1", "imagenet", "torchvision", "4.96", "MB", "BSD-3-Clause", "58.2", "yes"]


def test_an_altered_download_is_refused_and_leaves_nothing(cli, places, published):
    _, cache = places
    file, url = published
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    outcome = cli("weights", "fetch", "squeezenet1_1")
    assert outcome.code == 1
    assert f"cannot fetch {url} (what arrived has another checksum than the published one)" in outcome.line()
    assert list(cache.iterdir()) == []


def test_what_is_here_is_verified(cli, places, published):
    _, cache = places
    assert "no weights are on this machine" in cli("weights", "verify").out
    cli("weights", "fetch", "squeezenet1_1")
    path = cache / "squeeze.pth"
    assert cli("weights", "verify").out.splitlines()[1].split() == [
        "squeezenet1_1",
        "sha256",
        *_checksum(path),
        "right",
        str(path),
    ]
    whole = path.read_bytes()
    path.write_bytes(whole[:1000] + b"?" + whole[1001:])
    for words in ((), ("squeezenet1_1",)):
        outcome = cli("weights", "verify", *words, "--json")
        assert outcome.code == 1
        (row,) = json.loads(outcome.out)["verified"]
        assert (row["state"], row["path"], row["name"]) == ("damaged", str(path), "imagenet")
    assert rows(cli, "squeezenet1_1")[0]["path"] is None
    assert cli("weights", "verify", "lenet5").code == 0
    assert "damaged or another file" in cli("weights", "fetch", "squeezenet1_1").line()


def _checksum(path):
    return [f"{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}..."]


def test_a_file_without_a_published_checksum_is_read(cli, places, trained):
    given, _ = places
    path = shutil.copy(trained / "model.safetensors", given / "mine.safetensors")
    (row,) = json.loads(cli("weights", "verify", "--json").out)["verified"]
    assert (row["network"], row["state"], row["checksum"]) == ("lenet5", "no checksum is published", None)
    (row,) = rows(cli, "lenet5")
    assert (row["name"], row["path"], row["origin"], row["top1"]) == (str(path), str(path), "trained here", None)


def test_of_the_shared_files_none_has_a_figure_that_was_not_measured_on_test_images(
    cli, places, shared_weights, monkeypatch
):
    monkeypatch.setenv("STRIATE_WEIGHTS", str(shared_weights))
    found = {row["file"]: row["top1"] for row in rows(cli) if row["path"]}
    assert len(found) == 11
    assert found["mobilenet_v2_imagenet.safetensors"] is None
    assert (found["resnet20_cifar10.safetensors"], found["efficientnet_lite0_imagenet.safetensors"]) == (0.9173, 0.751)
    verified = json.loads(cli("weights", "verify", "--json").out)["verified"]
    assert {row["state"] for row in verified} == {"right"}


def test_the_folders_are_told_in_the_order_in_which_they_are_looked_into(cli, places, tmp_path):
    given, cache = places
    told = json.loads(cli("weights", "where", "--json").out)
    assert told["cache"] == str(cache)
    assert told["folders"] == [
        {"path": str(given), "kind": "given", "exists": True},
        {"path": str(cache), "kind": "cache", "exists": False},
        {"path": str(tmp_path / "hub"), "kind": "hub", "exists": False},
    ]
    lines = cli("weights", "where").out.splitlines()
    assert lines[:3] == [f"1. {given}", "   named by STRIATE_WEIGHTS; only read", f"2. {cache} (not there yet)"]


def test_of_a_network_it_is_told_where_each_file_lies_or_belongs(cli, places, published):
    given, cache = places
    (row,) = json.loads(cli("weights", "where", "squeezenet1_1", "--json").out)["weights"]
    there = {"network": "squeezenet1_1", "name": "imagenet", "path": str(cache / "squeeze.pth")}
    assert row == {**there, "at_hand": False}
    _, line = cli("weights", "where", "squeezenet1_1").out.splitlines()
    assert line.split() == ["squeezenet1_1", "imagenet", "no", str(cache / "squeeze.pth")]
    shutil.copy(published[0], cache.mkdir() or row["path"])  # put there by hand
    assert json.loads(cli("weights", "where", "squeezenet1_1", "--json").out)["weights"] == [{**there, "at_hand": True}]
    shutil.move(cache / "squeeze.pth", given)
    _, line = cli("weights", "where", "squeezenet1_1").out.splitlines()
    assert line.split() == ["squeezenet1_1", "imagenet", "yes", str(given / "squeeze.pth")]
    outcome = cli("weights", "where", "lenet5")
    assert (outcome.code, outcome.out) == (0, "lenet5 has no published weights, and none are on this machine\n")


def test_the_folder_of_a_repository_of_the_hub_is_told(cli, places):
    rows = json.loads(cli("weights", "where", "resnet50_v2", "--json").out)["weights"]
    assert str(places[1] / "timm" / "resnetv2_50.a1h_in1k") in [row["path"] for row in rows]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("where", "resnet18x"), 2, "unknown network 'resnet18x'"),
        (("fetch", "lenet5"), 2, "lenet5 has no published weights; `striate weights list` names the networks"),
        (("fetch", "resnet18", "imagenet_v9"), 2, "unknown weights of resnet18 'imagenet_v9'"),
        (("fetch", "resnet18x"), 2, "unknown network 'resnet18x'"),
        (("list", "resnet18x"), 2, "unknown network 'resnet18x'"),
        (("verify", "resnet18x"), 2, "unknown network 'resnet18x'"),
        (("fetch", "hf:nothing"), 2, "hf:nothing: a repository of the Hugging Face Hub is written hf:ORG/NAME"),
        (("fetch", "hf:org/net", "more"), 2, "hf:org/net is one set of weights; give no name with it."),
        (("nothing",), 2, "No such command 'nothing'"),
    ],
)
def test_wrong_words_are_one_line(words, code, said, cli, places):
    outcome = cli("weights", *words)
    assert outcome.code == code
    assert said in outcome.line()


def test_a_network_without_weights_is_no_error(cli, places):
    outcome = cli("weights", "list", "lenet5")
    assert (outcome.code, outcome.out) == (0, "lenet5 has no published weights, and none are on this machine\n")
    assert rows(cli, "lenet5") == []


def test_a_network_on_anothers_base_has_that_ones_weights(cli, places):
    assert {row["network"] for row in rows(cli, "vgg16_cats_dogs")} == {"vgg_d"}
    assert "vgg16_cats_dogs" not in {row["network"] for row in rows(cli)}


def test_a_bare_call_is_wrong_usage_that_prints_the_help(cli):
    bare = cli("weights")
    assert (bare.code, bare.err) == (2, "")
    assert all(name in bare.out for name in ("list", "fetch", "verify", "where"))


def test_what_arrives_is_told_on_a_terminal_alone(on_terminal, places, published):
    outcome = on_terminal("weights", "fetch", "squeezenet1_1")
    assert "fetching 4.96 MB of 4.96 MB" in outcome.err
    assert outcome.err.endswith("\r\x1b[K")
    _, cache = places
    (cache / "squeeze.pth").unlink()
    assert on_terminal("weights", "fetch", "squeezenet1_1", "--quiet").err == ""


def test_a_figure_of_other_pictures_is_not_shown_as_published(cli, places):
    given, _ = places
    model = create_model("lenet5")
    said = {"spec": json.dumps(model.spec.to_dict()), "top1": "0.9", "top1_set": "somebody's pictures"}
    save_file(model.state_dict(), given / "a.safetensors", metadata=said)
    assert [row["top1"] for row in rows(cli, "lenet5")] == [None]
    save_file(model.state_dict(), given / "a.safetensors", metadata={**said, "top1_set": "ImageNet"})
    assert [row["top1"] for row in rows(cli, "lenet5")] == [0.9]
