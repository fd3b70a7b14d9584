"""The records made of torchvision's table: every field of one, and a network that has none."""

from striate.weights import Figure, WeightSource, sources_of


def test_every_field_of_a_record():
    (record,) = sources_of("googlenet", form="torchvision")
    file = "googlenet-1378be20.pth"
    assert record == WeightSource(
        name="imagenet",
        file=file,
        sha256="1378be20",
        url=f"https://download.pytorch.org/models/{file}",
        origin="torchvision",
        licence="BSD-3-Clause",
        num_classes=1000,
        input_size=224,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        crop_fraction=224 / 256,
        interpolation="bilinear",
        accuracy=(Figure("top1", 0.69778, "torchvision", "ImageNet", 224, "one crop"),),
        options={"form": "torchvision"},
        style="torchvision",
    )


def test_a_network_that_torchvision_does_not_have_has_no_records():
    assert sources_of("lenet5") == ()
