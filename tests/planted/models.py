"""Faults in networks, cards, figures and weights."""

from planting import Fault, faults

FAULTS: tuple[Fault, ...] = (
    *faults(
        "models/defaults_taken.py",
        "models/test_defaults_taken.py",
        ('"stem" not in asked and', ""),
        ("card.input_size <= SMALL_SIDE", "False"),
        ("tuple(size) == (card.input_size, card.input_size)", "size[0] == card.input_size"),
        ("or model.auxiliary or", "or"),
    ),
    *faults(
        "models/signature.py",
        "models/test_signature.py",
        ("or name in options or value is None:", "or value is None:"),
        ("tuple | list) or height != width", "tuple | list)"),
        ("USUAL[known] if arguments[known] is None else None", "USUAL[known]"),
        ("if parameters[name].default is inspect.Parameter.empty", "if True"),
    ),
    *faults(
        "notebook.py",
        "test_notebook.py",
        ("<td>{html.escape(str(cell))}</td>", "<td>{cell}</td>"),
        ("<th>{html.escape(column)}</th>", "<th>{column}</th>"),
        ("LONGEST - len(kind) - 2", "LONGEST"),
        ("rows[:ROWS]", "rows"),
        ("clipped(name, LONGEST_NAME)", "name"),
    ),
    *faults(
        "models/recognition.py",
        "models/test_recognition.py",
        ("if len(fitting) == 1:", "if fitting:"),
        ("not key.endswith(BUFFERS)", "key"),
        ("given == own or (given[:1] == own[:1] and", "(given == own or"),
        ("if not owners or name in owners:", "if not owners:"),
        ('spec.origin.get("kind") in LIBRARIES', "False"),
    ),
    *faults(
        "models/by_numbers.py",
        "models/test_by_numbers.py",
        ("before[0] // (words.groups or 1)", "before[0]"),
        ("before = steps[-1].output_shape", "pass"),
        ("None if row.sees_all else row.receptive_field", "row.receptive_field"),
    ),
    *faults(
        "layers/window.py",
        "layers/test_window.py",
        ("return room // self.stride + 1 if room >= 0 else 0", "return room // self.stride + 1 if room > 0 else 0"),
        ("window.padding in (0, (window.extent - 1) // 2)", "window.padding == 0"),
    ),
    *faults(
        "layers/in_words.py",
        "layers/test_in_words.py",
        ('(self.kernel if self.kind == "pool" else (1, 1))\n        padding', "(1, 1)\n        padding"),
        ("int(one or rows), int(one or columns)", "int(one or rows), int(one or rows)"),
    ),
    *faults(
        "layers/from_words.py",
        "layers/test_from_words.py",
        ("dilation=words.dilation or 1,", ""),
        ("stride=stride, padding=_padding(words), groups=groups", "stride=stride, groups=groups"),
    ),
    *faults(
        "layers/solving.py",
        "layers/test_solving.py",
        ("padding=(height.padding, width.padding)", "padding=(height.padding, height.padding)"),
        ("dilation=dilation[axis],", ""),
    ),
    *faults(
        "models/building.py",
        "analysis/test_inputs.py",
        (
            "    model.input_size = size or (card.input_size, card.input_size)",
            "    model.input_size = (card.input_size, card.input_size)",
        ),
    ),
    *faults(
        "models/accuracy.py",
        "models/test_accuracy.py",
        ("if accuracy.figure.input_size == size and has_form(card, options, size)", "if has_form(card, options, size)"),
        ("return {**(table.options if table else {}), **source.options}", "return dict(source.options)"),
        (
            "return (figure.metric, figure.data, figure.crop) == (metric, data, ONE_CROP) and figure.value is not None",
            "return (figure.metric, figure.data) == (metric, data) and figure.value is not None",
        ),
        (
            "return max(held, key=lambda accuracy: (accuracy.weights is not None, accuracy.value), default=None)",
            "return max(held, key=lambda accuracy: accuracy.value, default=None)",
        ),
    ),
    *faults(
        "models/comparison.py",
        "models/test_comparison.py",
        (
            'return Entry(title, measured, None, f"see {elsewhere}" if elsewhere else "", card.family)',
            'return Entry(title, measured, None, "", card.family)',
        ),
        (
            "entries.append(as_entry(card, summary(model, (card.in_channels, side, side)), title_of(name)))",
            "entries.append(as_entry(card, summary(model, (card.in_channels, side, side)), card.name))",
        ),
    ),
    *faults(
        "models/recommendation.py",
        "models/test_recommendation.py",
        (
            "if small or card.input_size <= max(side, USUAL_SIDE):",
            "if small or card.input_size < max(side, USUAL_SIDE):",
        ),
        (
            "if cost.multiply_adds > in_proportion(images, candidate.side):",
            "if cost.multiply_adds > 10**4 * in_proportion(images, candidate.side):",
        ),
        (
            "accuracy=candidate.found.value if figure.input_size == candidate.side else None,",
            "accuracy=candidate.found.value,",
        ),
        ("freeze=_frozen(card, regime) if weights else None,", "freeze=None,"),
    ),
    *faults(
        "models/regimes.py",
        "models/test_recommendation.py",
        ("if images >= ENOUGH_TO_FINE_TUNE_ALL:", "if images > ENOUGH_TO_FINE_TUNE_ALL:"),
    ),
    *faults(
        "models/pretrained.py",
        "models/test_pretrained.py",
        ("return (HEAD, AUXILIARY)", "return (CLASSIFIER, AUXILIARY)"),
        (
            "base = card.base if card.base and until is None and not set(_keys(card)) <= set(state) else None",
            "base = card.base",
        ),
    ),
    *faults(
        "models/pretrained.py",
        "models/test_cutting.py",
        ("return model.spec.arguments[UNTIL] != source.options.get(UNTIL)", "return True"),
        ("return model.spec.arguments[UNTIL] != source.options.get(UNTIL)", "return False"),
        ("        state = _without_the_end(model, found.source, state)\n", "        pass\n"),
        ("(network if until is None else cut_after(network, until))", "network"),
    ),
    *faults(
        "models/cutting.py",
        "models/test_cutting.py",
        ("[*takewhile(lambda name: name != stage, names), stage]", "names"),
        ("kept = kept[:-1]", "kept = kept"),
        ("    model.is_cut = True\n", ""),
        ("{**model.spec.arguments, UNTIL: stage}", "{**model.spec.arguments}"),
    ),
    *faults(
        "models/pretrained.py",
        "classifier/test_plan.py",
        ("return card.input_size if card.base else record.input_size", "return record.input_size"),
    ),
    *faults(
        "models/pretrained.py",
        "weights/test_keras_images.py",
        ("    return {**state, first: state[first].flip(1)}", "    return state"),
    ),
    *faults(
        "weights/files.py",
        "classifier/test_plan.py",
        ('"interpolation": look.get("interpolation", "bilinear"),', '"interpolation": "bilinear",'),
    ),
    *faults(
        "weights/sources.py",
        "weights/test_weights.py",
        ('interpolation="bicubic" if file in BICUBIC else "bilinear",', 'interpolation="bilinear",'),
    ),
    *faults(
        "weights/converted.py",
        "weights/test_converted.py",
        ("if source is None or digest_of(path) != source.sha256:", "if source is None:"),
    ),
    *faults(
        "models/cifar100_course.py",
        "models/test_cifar100_course.py",
        ('        layers["act"] = make_activation(activation)', "        pass"),
        (
            'blocks[f"subsampling{group}"] = _halve(channels, subsampling, norm, activation)',
            'blocks[f"subsampling{group}"] = _halve(channels, subsampling, False, activation)',
        ),
    ),
    *faults(
        "models/errata.py",
        "models/test_errata.py",
        ("return value if figure.per is None else value / measure(figure.per)", "return value"),
    ),
    *faults(
        "models/catalogue.py",
        "models/test_comparison.py",
        ("return card.name if same else _plain(name)", "return card.name"),
    ),
    *faults(
        "weights/figure.py",
        "models/test_accuracy.py",
        (
            "metric, round(1 - float(error) / 100, 6), data=data, input_size=input_size, crop=crop, **holds_for",
            "metric, round(float(error) / 100, 6), data=data, input_size=input_size, crop=crop, **holds_for",
        ),
    ),
    *faults(
        "models/convnet.py",
        "models/test_convnet.py",
        ("return x.mean((2, 3)) if x.dim() == 4 else x", "return x.amax((2, 3)) if x.dim() == 4 else x"),
    ),
    *faults(
        "models/inception_v3.py",
        "training/test_auxiliary.py",
        ("        auxiliary_weight=AUXILIARY_WEIGHT,", "        auxiliary_weight=0.3,"),
    ),
    *faults(
        "layers/initialise.py",
        "layers/test_initialise.py models/test_first_weights.py",
        ('kaiming_normal_(weight, mode=mode, nonlinearity="relu")', 'kaiming_normal_(weight, nonlinearity="relu")'),
    ),
    *faults(
        "models/convnet.py",
        "models/test_forward_maps.py",
        ("            return self.stages(y)", "            maps = {}"),
        ("zip(self.stages._modules, self.stages, strict=True)", "self.stages.named_children()"),
        ("maps[name], y = self.through_map(stage(y))", "maps[name], y = self.through_map(stage(y.detach()))"),
        (
            "return self.head(self._read(self._walk(x, maps))), maps",
            "self._walk(x, maps)\n        return self.forward(x), maps",
        ),
        ("name: head(maps[name]) for name, head", "name: head(logits) for name, head"),
    ),
    *faults(
        "models/vit.py",
        "models/test_forward_maps.py",
        ("return patches, torch.cat([y[:, :1], patches.flatten(2).transpose(1, 2)], 1)", "return patches, y"),
        ("if not (y.requires_grad or torch.jit.is_tracing()):", "if not y.requires_grad:"),
        ("if not (y.requires_grad or torch.jit.is_tracing()):", "if False:"),
    ),
    *faults(
        "models/nasnet.py",
        "models/test_forward_maps.py",
        ("return y if isinstance(y, Tensor) else y[0]", "return y if isinstance(y, Tensor) else y[1]"),
    ),
    *faults(
        "models/convnet.py",
        "models/test_embed.py",
        (
            "        return x.mean((2, 3)) if x.dim() == 4 else x",
            "        return x.amax((2, 3)) if x.dim() == 4 else x",
        ),
    ),
    *faults(
        "models/pretrained.py",
        "models/test_hidden_layers.py",
        ("    if own != given:", "    if own.keys() != given.keys():"),
        ("key.startswith(HEAD) and not key.startswith(others)", "key.startswith(HEAD)"),
    ),
    *faults(
        "models/hidden_layers.py",
        "models/test_hidden_layers.py",
        ("dropout = max(rates, default=0.0) if hidden else HIDDEN_DROPOUT", "dropout = HIDDEN_DROPOUT"),
        (
            'new = OrderedDict(("dropout" if isinstance(layer, nn.Dropout) else name, layer)',
            "new = OrderedDict((name, layer)",
        ),
    ),
    *faults(
        "models/create.py",
        "models/test_hidden_layers.py",
        ("        hidden = whole.options.get(HIDDEN)", "        pass"),
    ),
    *faults(
        "layers/initialise.py",
        "layers/test_initialise.py",
        ("if layer.bias is not None and layer not in gates:", "if layer.bias is not None:"),
        (
            "layer.weight[0].numel(), layer.weight[:, 0].numel())",
            "layer.weight[:, 0].numel(), layer.weight[0].numel())",
        ),
    ),
    *faults(
        "models/imagenet.py",
        "models/test_imagenet.py",
        ("            key = text.casefold() if folded else text", "            key = text.casefold()"),
        ("        (_table(_names), wanted),\n", ""),
        ('    return " ".join(text.replace("_", " ").split())', '    return " ".join(text.split())'),
    ),
    *faults(
        "models/foreign.py",
        "models/test_foreign.py",
        ("heads = (self.anatomy.classifier, *self.anatomy.training_only)", "heads = (self.anatomy.classifier,)"),
        ("weight.requires_grad_(trains and name not in self.fixed)", "weight.requires_grad_(trains)"),
        ("            setattr(weight, FROZEN_HERE, True)", "            pass"),
        ("        for name in self.fixed:\n", "        for name in ():\n"),
        ('self.fixed if not name.startswith(f"module.{path}."))', "self.fixed)"),
    ),
    *faults(
        "models/efficientnet_lite.py",
        "models/test_efficientnet_lite.py",
        ("number in (0, len(STAGES) - 1)", "number in (0,)"),
        ("ends=(STEM, LAST)", "ends=(STEM, round_channels(LAST, width))"),
        ("        excite=False,\n", ""),
    ),
    *faults(
        "models/efficientnet_lite.py",
        "models/test_catalogue.py models/test_published.py",
        ("input_size=size,\n        parameters", "input_size=224,\n        parameters"),
    ),
)
