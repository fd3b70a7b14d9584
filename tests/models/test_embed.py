"""The vector that the classifier sees, whether the classifier is dense or a convolution."""

import pytest
import torch

from striate.models import create_model


@pytest.mark.parametrize("name", ["all_cnn_c", "nin", "squeezenet1_1"])
def test_where_the_classifier_is_a_convolution_its_input_is_averaged_over_the_image(name):
    torch.manual_seed(0)
    model = create_model(name, num_classes=7, input_size=64 if name == "squeezenet1_1" else None).eval()
    images, seen = torch.randn(2, 3, 128, 128), []
    model.head.classifier.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        model(images)
        vectors = model.embed(images)
    assert vectors.shape == (2, model.num_features)
    assert seen[0].dim() == 4
    assert seen[0].shape[2] > 1
    by_hand = seen[0].double().sum((2, 3)) / (seen[0].shape[2] * seen[0].shape[3])
    assert torch.allclose(vectors.double(), by_hand, atol=1e-5)


@pytest.mark.parametrize("name", ["lenet5", "resnet20_cifar", "keras_mnist"])
def test_where_the_classifier_is_dense_it_makes_the_logits_of_the_vector(name):
    torch.manual_seed(0)
    model = create_model(name).eval()
    images = torch.randn(2, model.in_channels, *(model.fixed_size or (32, 32)))
    with torch.no_grad():
        vectors = model.embed(images)
        assert vectors.shape == (2, model.num_features)
        assert torch.allclose(model.head.classifier(vectors), model(images), atol=1e-5)
