"""Files of the Hub: fetched from a server on this machine, kept, compared; what is said when they cannot be had."""

import importlib.util
import socket
import time
from pathlib import Path

import pytest

from striate.errors import StriateError, UsageError
from striate.weights.hub import hub_file, is_hub, repository_named

SPEC = importlib.util.spec_from_file_location("hub_server", Path(__file__).parents[1] / "hub_server.py")
hub_server = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(hub_server)

CONTENT = b"weights" * 50_000


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub on this machine, an empty cache of its client's, and folders of one's own."""
    monkeypatch.setenv("STRIATE_WEIGHTS", str(tmp_path / "given"))
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with hub_server.serving({"org/net": {"config.json": b"{}", "model.safetensors": CONTENT}}) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        template = address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr("huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)
        yield server


@pytest.fixture
def offline(hub, monkeypatch):
    def refuse(*given, **more):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_repositories_are_named_in_one_way():
    assert is_hub("hf:org/net")
    assert not is_hub("org/net")
    assert repository_named("hf:org/net-1.b@v2") == "org/net-1.b@v2"
    for wrong in ("hf:net", "hf:org/net/more", "hf:", "hf:org/net@", "hf:../net", "hf:org/..", "hf:org/net@../x"):
        with pytest.raises(UsageError, match="is written hf:ORG/NAME"):
            repository_named(wrong)


def test_a_file_is_fetched_once_and_kept_in_the_hubs_own_cache(hub, tmp_path, capfd):
    path = hub_file("org/net", "model.safetensors")
    assert path.read_bytes() == CONTENT
    assert path.is_relative_to(tmp_path / "hub")
    asked = len(hub.asked)
    assert hub_file("org/net", "model.safetensors") == path
    assert len(hub.asked) == asked
    assert capfd.readouterr().err == ""


def test_the_first_file_that_is_there_is_taken(hub):
    hub.repositories["org/net"]["pytorch_model.bin"] = b"older"
    assert hub_file("org/net", "none.bin", "pytorch_model.bin", "model.safetensors").read_bytes() == b"older"


def test_a_folder_of_ones_own_comes_first(hub, tmp_path):
    for folder in ("cache", "given"):
        path = tmp_path / folder / "org" / "net" / "model.safetensors"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"mine")
        assert hub_file("org/net", "model.safetensors") == path
    assert hub.asked == []


def test_without_a_network_the_line_says_where_to_put_the_files(offline, tmp_path):
    began = time.perf_counter()
    with pytest.raises(StriateError) as caught:
        hub_file("org/net", "config.json")
    assert time.perf_counter() - began < 8  # the client would try for 20 seconds
    assert str(caught.value) == (
        "hf:org/net: no network; put the files config.json and model.safetensors of org/net into "
        f"{tmp_path / 'cache' / 'org' / 'net'}"
    )


@pytest.mark.parametrize(
    ("repository", "file", "said"),
    [
        ("org/none", "config.json", "hf:org/none: the Hub has no such repository, or shows it only to those with"),
        ("org/net@v9", "config.json", "hf:org/net@v9: org/net has no revision 'v9'"),
        ("org/net", "none.bin", "hf:org/net has no none.bin"),
    ],
)
def test_what_the_hub_does_not_have_is_a_line(hub, repository, file, said):
    with pytest.raises(StriateError) as caught:
        hub_file(repository, file)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_a_revision_is_another_copy(hub):
    assert hub_file("org/net@v2", "model.safetensors").read_bytes() == CONTENT
    assert any("/resolve/v2/" in path for _, path in hub.asked)


def test_an_altered_file_is_refused(hub):
    hub.altered["model.safetensors"] = CONTENT[::-1]
    with pytest.raises(StriateError, match=r"damaged \(its sha256 is not [0-9a-f]{8}\.\.\.\); delete .* and try again"):
        hub_file("org/net", "model.safetensors")


def test_a_file_that_was_damaged_in_the_cache_is_refused(hub):
    path = hub_file("org/net", "model.safetensors")
    path.resolve().write_bytes(CONTENT[:-1])
    with pytest.raises(StriateError, match="damaged"):
        hub_file("org/net", "model.safetensors")


def test_a_file_that_was_cut_short_is_a_line(hub):
    hub.altered["model.safetensors"] = CONTENT[:100]
    with pytest.raises(StriateError) as caught:
        hub_file("org/net", "model.safetensors")
    assert "\n" not in str(caught.value)
