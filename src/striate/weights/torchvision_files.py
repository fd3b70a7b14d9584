"""Weights that torchvision publishes: files, measured accuracy and how their images are cut."""

#: torchvision's network: (source's name, file with the first digits of its sha256, ImageNet top-1 as a fraction,
#: side of the image, side that the short side is resized to).
TORCHVISION_FILES: dict[str, tuple[tuple[str, str, float, int, int], ...]] = {
    "alexnet": (("imagenet", "alexnet-owt-7be5be79.pth", 0.56522, 224, 256),),
    "densenet121": (("imagenet", "densenet121-a639ec97.pth", 0.74434, 224, 256),),
    "densenet161": (("imagenet", "densenet161-8d451a50.pth", 0.77138, 224, 256),),
    "densenet169": (("imagenet", "densenet169-b2777c0a.pth", 0.756, 224, 256),),
    "densenet201": (("imagenet", "densenet201-c1103571.pth", 0.76896, 224, 256),),
    "efficientnet_b0": (("imagenet", "efficientnet_b0_rwightman-7f5810bc.pth", 0.77692, 224, 256),),
    "efficientnet_b1": (
        ("imagenet", "efficientnet_b1_rwightman-bac287d4.pth", 0.78642, 240, 256),
        ("imagenet_v2", "efficientnet_b1-c27df63c.pth", 0.79838, 240, 255),
    ),
    "efficientnet_b2": (("imagenet", "efficientnet_b2_rwightman-c35c1473.pth", 0.80608, 288, 288),),
    "efficientnet_b3": (("imagenet", "efficientnet_b3_rwightman-b3899882.pth", 0.82008, 300, 320),),
    "efficientnet_b4": (("imagenet", "efficientnet_b4_rwightman-23ab8bcd.pth", 0.83384, 380, 384),),
    "efficientnet_b5": (("imagenet", "efficientnet_b5_lukemelas-1a07897c.pth", 0.83444, 456, 456),),
    "efficientnet_b6": (("imagenet", "efficientnet_b6_lukemelas-24a108a5.pth", 0.84008, 528, 528),),
    "efficientnet_b7": (("imagenet", "efficientnet_b7_lukemelas-c5b4e57e.pth", 0.84122, 600, 600),),
    "googlenet": (("imagenet", "googlenet-1378be20.pth", 0.69778, 224, 256),),
    "inception_v3": (("imagenet", "inception_v3_google-0cc3c7bd.pth", 0.77294, 299, 342),),
    "mobilenet_v2": (
        ("imagenet", "mobilenet_v2-b0353104.pth", 0.71878, 224, 256),
        ("imagenet_v2", "mobilenet_v2-7ebf99e0.pth", 0.72154, 224, 232),
    ),
    "resnet101": (
        ("imagenet", "resnet101-63fe2227.pth", 0.77374, 224, 256),
        ("imagenet_v2", "resnet101-cd907fc2.pth", 0.81886, 224, 232),
    ),
    "resnet152": (
        ("imagenet", "resnet152-394f9c45.pth", 0.78312, 224, 256),
        ("imagenet_v2", "resnet152-f82ba261.pth", 0.82284, 224, 232),
    ),
    "resnet18": (("imagenet", "resnet18-f37072fd.pth", 0.69758, 224, 256),),
    "resnet34": (("imagenet", "resnet34-b627a593.pth", 0.73314, 224, 256),),
    "resnet50": (
        ("imagenet", "resnet50-0676ba61.pth", 0.7613, 224, 256),
        ("imagenet_v2", "resnet50-11ad3fa6.pth", 0.80858, 224, 232),
    ),
    "resnext101_32x8d": (
        ("imagenet", "resnext101_32x8d-8ba56ff5.pth", 0.79312, 224, 256),
        ("imagenet_v2", "resnext101_32x8d-110c445d.pth", 0.82834, 224, 232),
    ),
    "resnext101_64x4d": (("imagenet", "resnext101_64x4d-173b62eb.pth", 0.83246, 224, 232),),
    "resnext50_32x4d": (
        ("imagenet", "resnext50_32x4d-7cdf4587.pth", 0.77618, 224, 256),
        ("imagenet_v2", "resnext50_32x4d-1a0047aa.pth", 0.81198, 224, 232),
    ),
    "shufflenet_v2_x0_5": (("imagenet", "shufflenetv2_x0.5-f707e7126e.pth", 0.60552, 224, 256),),
    "shufflenet_v2_x1_0": (("imagenet", "shufflenetv2_x1-5666bf0f80.pth", 0.69362, 224, 256),),
    "shufflenet_v2_x1_5": (("imagenet", "shufflenetv2_x1_5-3c479a10.pth", 0.72996, 224, 232),),
    "shufflenet_v2_x2_0": (("imagenet", "shufflenetv2_x2_0-8be3c8ee.pth", 0.7623, 224, 232),),
    "squeezenet1_0": (("imagenet", "squeezenet1_0-b66bff10.pth", 0.58092, 224, 256),),
    "squeezenet1_1": (("imagenet", "squeezenet1_1-b8a52dc0.pth", 0.58178, 224, 256),),
    "vgg11": (("imagenet", "vgg11-8a719046.pth", 0.6902, 224, 256),),
    "vgg11_bn": (("imagenet", "vgg11_bn-6002323d.pth", 0.7037, 224, 256),),
    "vgg13": (("imagenet", "vgg13-19584684.pth", 0.69928, 224, 256),),
    "vgg13_bn": (("imagenet", "vgg13_bn-abd245e5.pth", 0.71586, 224, 256),),
    "vgg16": (("imagenet", "vgg16-397923af.pth", 0.71592, 224, 256),),
    "vgg16_bn": (("imagenet", "vgg16_bn-6c64b313.pth", 0.7336, 224, 256),),
    "vgg19": (("imagenet", "vgg19-dcbb9e9d.pth", 0.72376, 224, 256),),
    "vgg19_bn": (("imagenet", "vgg19_bn-c79401a0.pth", 0.74218, 224, 256),),
    "vit_b_16": (
        ("imagenet", "vit_b_16-c867db91.pth", 0.81072, 224, 256),
        ("imagenet_swag", "vit_b_16_lc_swag-4e70ced5.pth", 0.81886, 224, 224),
    ),
    "wide_resnet101_2": (
        ("imagenet", "wide_resnet101_2-32ee1156.pth", 0.78848, 224, 256),
        ("imagenet_v2", "wide_resnet101_2-d733dc28.pth", 0.8251, 224, 232),
    ),
    "wide_resnet50_2": (
        ("imagenet", "wide_resnet50_2-95faca4d.pth", 0.78468, 224, 256),
        ("imagenet_v2", "wide_resnet50_2-9ba9bcbe.pth", 0.81602, 224, 232),
    ),
}

#: Files whose publishers resized images with bicubic interpolation; all others did with bilinear.
BICUBIC = (
    "efficientnet_b0_rwightman-7f5810bc.pth",
    "efficientnet_b1_rwightman-bac287d4.pth",
    "efficientnet_b2_rwightman-c35c1473.pth",
    "efficientnet_b3_rwightman-b3899882.pth",
    "efficientnet_b4_rwightman-23ab8bcd.pth",
    "efficientnet_b5_lukemelas-1a07897c.pth",
    "efficientnet_b6_lukemelas-24a108a5.pth",
    "efficientnet_b7_lukemelas-c5b4e57e.pth",
    "vit_b_16_lc_swag-4e70ced5.pth",
)
