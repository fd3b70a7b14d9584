"""Faults in the command line."""

from planting import Fault, faults

FAULTS: tuple[Fault, ...] = (
    *faults(
        "cli/summary.py",
        "cli/test_summary.py",
        ("result = result.noted(line)", "result.noted(line)"),
        ("options=options(option)", "options={}"),
    ),
    *faults(
        "cli/network.py",
        "cli/test_network.py",
        ("(1, *self.shape) if self.of_images else", "self.shape if self.of_images else"),
        ("filled_in(found, asked) | usual", "filled_in(found, asked)"),
        ("(size, size) if size else None}", "None}"),
        ("    if not takes(found, CLASSES):\n        _refuse(network, classes=classes)\n", ""),
    ),
    *faults(
        "cli/network.py",
        "cli/test_gradients.py",
        ("return classes if takes(function, CLASSES) else None,", "return None,"),
        ("channels if takes(function, CHANNELS) else None", "None"),
    ),
    *faults(
        "cli/predict.py",
        "cli/test_predict.py",
        ("        demand_folder(at_home(csv))", "        pass"),
    ),
    *faults(
        "cli/compare.py",
        "cli/test_defaults_told.py",
        ("trust=trust, options=asked_options)", "trust=trust)"),
    ),
    *faults(
        "cli/field.py",
        "cli/test_defaults_told.py cli/test_field.py",
        ("weights=weights, options=asked)", "weights=weights)"),
        ("trust=trust, weights=weights, options", "trust=trust, options"),
    ),
    *faults(
        "analysis/effective.py",
        "cli/test_trust.py",
        ("image = torch.empty((1, *input_shape), device", "image = torch.empty(input_shape, device"),
    ),
    *faults(
        "cli/network.py",
        "cli/test_summary.py",
        ('channels or (spec.arguments.get("in_channels") if spec else None)', "channels"),
        ("spec_of_file(weights) if network else network_of(weights)", "network_of(weights)"),
    ),
    *faults(
        "cli/predict.py",
        "cli/test_predict.py",
        ("classifier.stream(images, top)", "classifier.stream(images)"),
        ("classifier.classes, images, link)", "classifier.classes, images)"),
        ("classifier.classes, images, link)", "classifier.classes, [], link)"),
        ("(classifier.task, top, unsure is not None)", "(classifier.task, top, False)"),
        ("(classifier.task, top, unsure is not None)", "(classifier.task, 1, unsure is not None)"),
        ("quiet or json", "json"),
        ("loaded(run, weights, trust, device)", 'loaded(run, weights, trust, "auto")'),
        ("if stop.requested:", "if False:"),
        ("not 0 < unsure <= 1", "not 0 < unsure"),
    ),
    *faults(
        "cli/telling.py",
        "cli/test_predict.py cli/test_telling.py",
        ("prediction.probability >= self._least", "prediction.probability > self._least"),
        ("self._sorting.put(prediction, is_sure)", "self._sorting.put(prediction)"),
        ("self._table.write(prediction, is_sure)", "self._table.write(prediction)"),
        ('found["unsure"] = not is_sure', 'found["unsure"] = is_sure'),
        ("if self.count > 1 and", "if self.count > 2 and"),
        ("told[:CLASSES_TOLD]", "told"),
    ),
    *faults(
        "cli/long_json.py",
        "cli/test_long_json.py",
        ("',' if self._count else ''", "','"),
    ),
    *faults(
        "cli/evaluate.py",
        "cli/test_evaluate.py",
        ("quiet or json", "quiet"),
        ("quiet or json", "json"),
        ("views=views, shown=shown", "views=views"),
    ),
    *faults(
        "cli/summary.py",
        "cli/test_network_inputs.py",
        (".noted(found.note)", ""),
        (
            "inputs=from_shapes(found.model, shapes), depth=depth, device=device)",
            "inputs=from_shapes(found.model, shapes), depth=depth)",
        ),
    ),
    *faults(
        "cli/kernel.py",
        "cli/test_kernel.py",
        ("{plural(len(rows), 'row')}", "{plural(len(rows[0]), 'row')}"),
        ('"result_size": list(values.shape)', '"result_size": list(pixels.shape)'),
    ),
    *faults(
        "cli/output.py",
        "cli/test_widths.py",
        ("shutil.get_terminal_size().columns if sys.stdout.isatty() else None", "shutil.get_terminal_size().columns"),
        ("described(table.left_out(width), width)", "described((), width)"),
    ),
    *faults(
        "cli/formats.py",
        "cli/test_widths.py",
        ("terminal_width() if out is None else None", "terminal_width()"),
    ),
    *faults(
        "cli/models.py",
        "cli/test_models.py",
        ('else f"*{pattern}*"', "else pattern"),
        ('else count(figures["multiply_adds"])', "else count(card.parameters)"),
    ),
    *faults(
        "cli/layer.py",
        "cli/test_layer.py",
        ("steps = by_numbers((channels, height, width)", "steps = by_numbers((channels, width, height)"),
        (" if wide != high else []", " if False else []"),
    ),
    *faults(
        "cli/network.py",
        "cli/test_networks.py cli/test_network_inputs.py",
        ('build: Build = build_weightless if device == "meta" else _built', "build: Build = build_weightless"),
    ),
    *faults(
        "cli/check.py",
        "cli/test_check.py",
        ('"file_channels": survey.file_channels,', '"file_channels": survey.bit_depths,'),
        ("for note in dataset.notes if note not in short)", "for note in dataset.notes)"),
        (
            '"contradictions": in_full(contradictions(survey.same_pictures)),',
            '"contradictions": in_full(survey.same_pictures),',
        ),
        ("for entry in entries[:MOST_LINES])", "for entry in entries[: MOST_LINES - 1])"),
    ),
    *faults(
        "cli/output.py",
        "cli/test_output.py",
        ("ascii_only=not unicode", "ascii_only=False"),
    ),
    *faults(
        "cli/train.py",
        "cli/test_run_state.py",
        ("            data=data,", "            data=None,"),
    ),
    *faults(
        "cli/evaluations.py",
        "cli/test_evaluate.py",
        ('"train": "training images, which says little about new ones"', '"train": "images"'),
    ),
    *faults(
        "cli/telling.py",
        "cli/test_predict.py",
        ('print(f"note: {note}", file=sys.stderr)', 'print(f"note: {note}")'),
    ),
    *faults(
        "cli/interrupt.py",
        "cli/test_interrupt.py",
        (
            "        self.waiting, self.looking_again = importing(frame), False",
            "        self.waiting, self.looking_again = False, False",
        ),
        ("        if os.getpid() != self.process:", "        if os.getpid() == -1:"),
    ),
    *faults(
        "cli/app.py",
        "cli/test_interrupt.py",
        ("        if was_interrupted():", "        if not error:"),
    ),
    *faults(
        "cli/app.py",
        "cli/test_damaged_files.py",
        ("if name in options]", "if name]"),
    ),
    *faults(
        "cli/command.py",
        "cli/test_command.py",
        (
            "spelled = next((flag for flag in parameter.opts if flag in typed), parameter.opts[0])",
            "spelled = parameter.opts[0]",
        ),
        ("        with by_flags(given(ctx)):", "        with by_flags({}):"),
    ),
    *faults(
        "cli/recipes.py",
        "cli/test_recipes.py",
        ("return value if row.value == row.default else", "return value if row.value else"),
    ),
    *faults(
        "allocator.py",
        "test_allocator.py",
        ("mallopt(M_TRIM_THRESHOLD, NEVER)", "mallopt(M_TRIM_THRESHOLD, LARGEST_KEPT)"),
        ("for size in (largest, LARGEST_OF_OLDER)", "for size in (largest,)"),
        ("    if _kept and wanted >= MUCH:", "    if wanted >= MUCH:"),
        ('own, used = ctypes.CDLL("libc.so.6").malloc, ctypes', "own, used = ctypes.CDLL(None).malloc, ctypes"),
    ),
    *faults(
        "cli/app.py",
        "cli/test_app.py",
        ("    if context.obj and context.invoked_subcommand in", "    if context.invoked_subcommand in"),
        ("        keep_memory(KEEP_MEMORY[context.invoked_subcommand])", "        keep_memory()"),
    ),
    *faults(
        "data/decode.py",
        "data/test_decode.py",
        ("        make_room(pixels.colour.nbytes)", "        make_room(0)"),
    ),
    *faults(
        "data/pixels.py",
        "data/test_decode.py",
        ("make_room(image.width * image.height * each)", "make_room(image.width * image.height)"),
    ),
)
