"""Faults in sources of weights: records, folders, the Hub, files of other formats, what is at hand."""

from planting import Fault, faults

FAULTS: tuple[Fault, ...] = (
    *faults(
        "weights/pickles.py",
        "weights/test_pickles.py",
        ("weights_only=True", "weights_only=False"),
        ("if (damaged := archive.testzip()) is not None:", "if (damaged := archive.testzip()) is None:"),
        ("if all(key.startswith(PARALLEL) for key in state):", "if False:"),
        ("path.name.lower().endswith(SUFFIXES)", "path.name.endswith(SUFFIXES)"),
    ),
    *faults(
        "weights/keras_archive.py",
        "weights/test_keras_archive.py",
        ("if layer.get(option, True)]", "if True]"),
        ('("depthwise_kernel", "pointwise_kernel", "bias")', '("pointwise_kernel", "depthwise_kernel", "bias")'),
        ('count = f"_{seen[plain]}" if seen[plain] else ""', 'count = f"_{seen[plain]}"'),
    ),
    *faults(
        "weights/published.py",
        "weights/test_published.py",
        ("(replace(found[0], name=USUAL), *found[1:])", "tuple(found)"),
        ("HALVES if halves else IMAGENET_STATISTICS", "IMAGENET_STATISTICS if halves else HALVES"),
        ("*_of_keras(network, options),", "*_of_keras(network, torch_options),"),
        ("crop_fraction=crop,", "crop_fraction=0.875,"),
    ),
    *faults(
        "weights/source.py",
        "weights/test_source.py",
        ("if self.md5 and not self.sha256 else", "if self.md5 else"),
    ),
    *faults(
        "weights/places.py",
        "weights/test_places.py",
        ("split(os.pathsep) if folder]", "split(os.pathsep)]"),
        ("[*given_folders(), cache_folder()]", "[cache_folder(), *given_folders()]"),
    ),
    *faults(
        "weights/remembered.py",
        "weights/test_remembered.py",
        ("case [state.st_size, state.st_mtime_ns, str(digest)]:", "case [state.st_size, _, str(digest)]:"),
        ('key, state = f"{algorithm}:{path.absolute()}"', 'key, state = f"{path.absolute()}"'),
    ),
    *faults(
        "weights/hub.py",
        "weights/test_hub.py",
        ("if _SHA256.fullmatch(kept.name) and digest_of(kept) != kept.name:", "if False:"),
        ("revision=revision or None))", "revision=None))"),
        ("for folder in (*given_folders(), cache_folder()):", "for folder in (cache_folder(), *given_folders()):"),
        ("            constants.HF_HUB_OFFLINE = True".replace("            ", "        "), "        pass"),
    ),
    *faults(
        "models/hub.py",
        "models/test_hub.py",
        ("return (fitting or named)[0].name", "return named[0].name"),
        ("named = len(names) == classes and not all", "named = len(names) == classes or not all"),
        ('"bilinear" if fed.get("interpolation") == "bilinear" else "bicubic"', '"bicubic"'),
    ),
    *faults(
        "models/choice.py",
        "models/test_at_hand.py",
        ("source is card.weights[0] else None", "True else None"),
        ("at_hand(source, given) is not None", "at_hand(source, given) is None"),
    ),
    *faults(
        "models/at_hand.py",
        "models/test_at_hand.py",
        ("source.num_classes == usual.num_classes and theirs == usual.classes", "True"),
        ("if has_form(card, form_of(source, card.family), source.input_size):", "if True:"),
        ("if not named or not is_of(path, named[0][1].checksum):", "if not named:"),
    ),
    *faults(
        "models/weights_listed.py",
        "cli/test_weights.py",
        ("RIGHT if source.checksum.is_of(path) else DAMAGED", "RIGHT"),
        ("if figure.data in (IMAGENET, CIFAR10))", "if figure.data)"),
        ("and one.source not in published]", "]"),
    ),
    *faults(
        "cli/weights_where.py",
        "cli/test_weights.py",
        (
            "if row.source.repository else cache_folder() / row.source.file",
            "if False else cache_folder() / row.source.file",
        ),
        ("        return row.path", "        pass"),
        ('"no" if row.path is None else "yes"', '"yes"'),
    ),
    *faults(
        "cli/weights_verify.py",
        "cli/test_weights.py",
        ("    if damaged:", "    if False:"),
    ),
    *faults(
        "cli/weights_fetch.py",
        "cli/test_weights.py",
        ("_Shown(quiet or json)", "_Shown(False)"),
        ("card.weights[0] if name is None else", "card.weights[-1] if name is not None else"),
    ),
    *faults(
        "models/defaults_taken.py",
        "models/test_defaults_taken.py",
        ('"summed" if ours == 1 else', '"summed" if ours else'),
    ),
)
