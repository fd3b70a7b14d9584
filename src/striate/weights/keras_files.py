"""Weights that Keras Applications publishes: files with the MD5 that Keras states, and accuracies as it prints them.

What it prints is measured on ImageNet's validation set; how the pictures were cut it does not say.
"""

from striate.weights.images import CAFFE, HALVES, IMAGENET_STATISTICS, Images

KERAS = "https://storage.googleapis.com/tensorflow/keras-applications/"
#: Where the EfficientNets lie.
KERAS_ROOT = "https://storage.googleapis.com/keras-applications/"

#: Licences of those who trained the networks first: https://github.com/keras-team/keras-applications#license
APACHE, MIT, BSD, CC = "Apache-2.0", "MIT", "BSD-3-Clause", "CC-BY-4.0"

_ORDER = "_weights_tf_dim_ordering_tf_kernels.h5"

#: Our network: (address, MD5 or nothing, side of the image, top-1 and top-5 in percent or nothing, how pixels are fed,
#: licence).
KERAS_FILES: dict[str, tuple[str, str, int, tuple[float, ...], Images, str]] = {
    "vgg_d": (f"{KERAS}vgg16/vgg16{_ORDER}", "64373286793e3c8b2b4e3219cbf3544b", 224, (71.3, 90.1), CAFFE, CC),
    "vgg_e": (f"{KERAS}vgg19/vgg19{_ORDER}", "cbe5617147190e668d6c5d5026f83318", 224, (71.3, 90.0), CAFFE, CC),
    "xception": (
        f"{KERAS}xception/xception{_ORDER}",
        "0a58e3b7378bc2990ea3b43d5981f1f6",
        299,
        (79.0, 94.5),
        HALVES,
        MIT,
    ),
    "inception_v3": (
        f"{KERAS}inception_v3/inception_v3{_ORDER}",
        "9a0d58056eeedaa3f26cb7ebd46da564",
        299,
        (77.9, 93.7),
        HALVES,
        APACHE,
    ),
    "inception_resnet_v2_released": (
        f"{KERAS}inception_resnet_v2/inception_resnet_v2{_ORDER}",
        "e693bd0210a403b3192acc6073ad2e96",
        299,
        (80.3, 95.3),
        HALVES,
        APACHE,
    ),
    "nasnet_mobile": (
        f"{KERAS}nasnet/NASNet-mobile.h5",
        "020fb642bf7360b370c678b08e0adf61",
        224,
        (74.4, 91.9),
        HALVES,
        APACHE,
    ),
    "nasnet_large": (
        f"{KERAS}nasnet/NASNet-large.h5",
        "11577c9a518f0070763c2b964a382f17",
        331,
        (82.5, 96.0),
        HALVES,
        APACHE,
    ),
    "mobilenet_v2": (
        f"{KERAS}mobilenet_v2/mobilenet_v2{_ORDER.removesuffix('.h5')}_1.0_224.h5",
        "",
        224,
        (71.3, 90.1),
        HALVES,
        APACHE,
    ),
}

KERAS_FILES |= {
    f"resnet{depth}": (f"{KERAS}resnet/resnet{depth}{_ORDER}", md5, 224, printed, CAFFE, MIT)
    for depth, md5, printed in (
        (50, "2cb95161c43110f7111970584f804107", (74.9, 92.1)),
        (101, "f1aeb4b969a6efcfb50fad2f0c20cfc5", (76.4, 92.8)),
        (152, "100835be76be38e30d865e96f2aaae62", (76.6, 93.1)),
    )
}
KERAS_FILES |= {
    f"resnet{depth}_v2_keras": (f"{KERAS}resnet/resnet{depth}v2{_ORDER}", md5, 224, printed, HALVES, APACHE)
    for depth, md5, printed in (
        (50, "3ef43a0b657b3be2300d5770ece849e0", (76.0, 93.0)),
        (101, "6343647c601c52e1368623803854d971", (77.2, 93.8)),
        (152, "a49b44d1979771252814e80f8ec446f9", (78.0, 94.2)),
    )
}
KERAS_FILES |= {
    f"densenet{depth}": (f"{KERAS}densenet/densenet{depth}{_ORDER}", md5, 224, printed, IMAGENET_STATISTICS, BSD)
    for depth, md5, printed in (
        (121, "9d60b8095a5708f2dcce2bca79d332c7", (75.0, 92.3)),
        (169, "d699b8f76981ab1b30698df4c175e90b", (76.2, 93.2)),
        (201, "1ceb130c1ea1b78c3bf6114dbdfd8807", (77.3, 93.6)),
    )
}
#: The accuracies of the narrower ones are printed for 224 pixels elsewhere, not for these files by Keras.
KERAS_FILES |= {
    name: (f"{KERAS}mobilenet/mobilenet_{spelled}_{side}_tf.h5", "", side, printed, HALVES, APACHE)
    for name, spelled, side, printed in (
        ("mobilenet_v1", "1_0", 224, (70.4, 89.5)),
        ("mobilenet_v1_0.75", "7_5", 192, ()),
        ("mobilenet_v1_0.5", "5_0", 160, ()),
        ("mobilenet_v1_0.25", "2_5", 128, ()),
    )
}
KERAS_FILES |= {
    f"efficientnet_b{number}": (
        f"{KERAS_ROOT}efficientnetb{number}.h5",
        md5,
        side,
        printed,
        IMAGENET_STATISTICS,
        APACHE,
    )
    for number, md5, side, printed in (
        (0, "902e53a9f72be733fc0bcb005b3ebbac", 224, (77.1, 93.3)),
        (1, "1d254153d4ab51201f1646940f018540", 240, (79.1, 94.4)),
        (2, "b15cce36ff4dcbd00b6dd88e7857a6ad", 260, (80.1, 94.9)),
        (3, "ffd1fdc53d0ce67064dc6a9c7960ede0", 300, (81.6, 95.7)),
        (4, "18c95ad55216b8f92d7e70b3a046e2fc", 380, (82.9, 96.4)),
        (5, "ace28f2a6363774853a83a0b21b9421a", 456, (83.6, 96.7)),
        (6, "165f6e37dce68623721b423839de8be5", 528, (84.0, 96.8)),
        (7, "8c03f828fec3ef71311cd463b6759d99", 600, (84.3, 97.0)),
    )
}
