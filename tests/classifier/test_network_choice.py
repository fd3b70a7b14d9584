"""Which network is taken where none is named: the most accurate on ImageNet of those at hand."""

from pathlib import Path

from striate.classifier.network_choice import by_accuracy, usual_network
from striate.weights.places import VARIABLE


def test_those_at_hand_by_accuracy_that_are_quick_enough(shared_weights, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(shared_weights))
    names = [at_hand.network for at_hand in by_accuracy(1)]
    assert names == [
        "efficientnet_lite2", "efficientnet_lite0", "mobilenet_v2",
        "mobilenet_v1", "mobilenet_v1_0.75", "mobilenet_v1_0.5", "mobilenet_v1_0.25",
    ]  # fmt: skip
    assert by_accuracy(10_000)[0].network == "efficientnet_lite0"
    assert [at_hand.network for at_hand in by_accuracy(10**9)] == ["mobilenet_v1_0.25"]
    assert usual_network()[0] == "efficientnet_lite2"


def test_of_two_files_of_a_network_the_first_is_taken(shared_weights, tmp_path, monkeypatch):
    file = shared_weights / "mobilenet_v1_0.25_128_imagenet.safetensors"
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / file.name).symlink_to(file)
    monkeypatch.setenv(VARIABLE, f"{tmp_path / 'b'}:{tmp_path / 'a'}")
    (found,) = by_accuracy(1)
    assert Path(found.path).parent == tmp_path / "b"
