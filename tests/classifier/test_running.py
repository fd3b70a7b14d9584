"""Which engine runs a classifier's network, and what comes of it."""

import numpy as np
import pytest
import torch

import striate
from striate.classifier import running
from striate.data.given_images import Sources
from striate.errors import StriateError, UsageError


@pytest.fixture
def classifier(trained):
    return striate.load(trained)


def engines_of(classifier):
    return [lazy.chosen.engine.name for _, lazy in classifier._engines.values()]


def test_one_picture_goes_through_the_network_as_it_is_and_many_through_the_folded_one(classifier, colours):
    one = classifier.predict_proba(colours / "red" / "1.png")
    assert engines_of(classifier) == ["eager"]
    many = classifier.predict_proba(colours / "red")
    assert engines_of(classifier) != ["openvino"]  # not worth it for ten
    np.testing.assert_allclose(many[1], one[0], atol=1e-6)


@pytest.mark.parametrize("engine", ["eager", "folded", "openvino", pytest.param("onnxruntime", marks=pytest.mark.slow)])
def test_an_engine_that_is_asked_for_runs_everything(classifier, colours, engine):
    expected = classifier.predict_proba(colours, engine="eager")
    np.testing.assert_allclose(classifier.predict_proba(colours, engine=engine), expected, atol=1e-5)
    predictions = classifier.predict(colours, engine=engine)
    np.testing.assert_allclose([one.probability for one in predictions], expected.max(1), atol=1e-5)
    assert classifier.predict(colours / "red" / "1.png", engine=engine).label == "red"
    stream = classifier.stream(colours, engine=engine)
    next(stream)
    assert stream.engine == engine
    figures = classifier.evaluate(colours, engine=engine)
    assert figures.top1 == classifier.evaluate(colours, engine="eager").top1
    assert {lazy.chosen.engine.name for _, lazy in classifier._engines.values()} == {"eager", engine}


@pytest.mark.parametrize(
    "use",
    [
        lambda c, images: c.predict(images, engine="fast"),
        lambda c, images: c.predict(images / "red" / "1.png", engine="fast"),
        lambda c, images: c.stream(images, engine="fast"),
        lambda c, images: c.predict_proba(images, engine="fast"),
        lambda c, images: c.embed(images, engine="fast"),
        lambda c, images: c.evaluate(images, engine="fast"),
    ],
)
def test_an_unknown_engine_is_refused_before_the_work(classifier, colours, use):
    with pytest.raises(UsageError, match="engine 'fast'"):
        use(classifier, colours)


def test_a_network_that_is_changed_is_not_run_as_it_was(classifier, colours):
    before = classifier.predict_proba(colours, engine="folded")
    with torch.no_grad():
        classifier.model.head.classifier.weight.neg_()
    after = classifier.predict_proba(colours, engine="folded")
    assert np.abs(after - before).max() > 0.1
    np.testing.assert_allclose(after, classifier.predict_proba(colours, engine="eager"), atol=1e-5)
    look = classifier.description.preprocessing
    classifier.description = striate.load(classifier.path).description
    object.__setattr__(classifier.description, "preprocessing", type(look)(look.size, 3, (0.1,) * 3, (0.9,) * 3))
    assert np.abs(classifier.predict_proba(colours, engine="folded") - after).max() > 1e-3


def test_hooks_are_called_whatever_the_number_of_pictures(classifier, colours):
    seen = []
    classifier.model.head.register_forward_hook(lambda layer, given, output: seen.append(len(output)))
    classifier.predict_proba(colours)
    assert sum(seen) >= 30


def test_a_vector_is_what_the_last_layer_sees(classifier, colours):
    vectors = classifier.embed(colours)
    assert vectors.shape == (30, classifier.model.num_features)
    assert vectors.dtype == np.float32
    with torch.no_grad():
        logits = classifier.model.head.classifier(torch.from_numpy(vectors))
    np.testing.assert_allclose(logits.softmax(1).numpy(), classifier.predict_proba(colours), atol=1e-5)
    picture = colours / "blue" / "0.png"
    np.testing.assert_allclose(classifier.embed(picture), vectors[:1], atol=1e-5)
    np.testing.assert_allclose(classifier.embed(colours, engine="openvino"), vectors, atol=1e-4)
    assert classifier.embed([]).shape == (0, classifier.model.num_features)


def test_every_row_must_belong_to_a_picture(classifier, colours, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"")
    for use in (classifier.embed, classifier.predict_proba):
        with pytest.raises(StriateError, match=r"bad\.png: empty file"):
            use([colours / "red" / "1.png", tmp_path / "bad.png"])


def test_what_comes_is_counted_without_being_taken(classifier, colours):
    counted = [
        Sources(colours).at_least(100),
        Sources(colours).at_least(7),
        Sources([colours, "one.png"]).at_least(100),
        Sources(np.zeros((5, 4, 4, 3), np.uint8)).at_least(100),
        Sources("one.png").at_least(100),
        Sources([]).at_least(100),
        Sources(iter(["a", "b"])).at_least(100),
    ]
    assert counted == [30, 7, 31, 5, 1, 0, 0]


def test_a_folder_without_end_counts_as_many(classifier, colours, monkeypatch):
    monkeypatch.setattr(running, "COUNTED", 30)
    run = classifier._running.over()
    next(run(Sources(colours)))
    assert run._engine.expected == running.MANY
