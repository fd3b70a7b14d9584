"""Faults in pictures: what is drawn, how long, under which words."""

from planting import Fault, faults

FAULTS: tuple[Fault, ...] = (
    *faults(
        "analysis/watcher.py",
        "analysis/test_watcher.py",
        (
            "visit.children[0].activation_bytes = tensors[0].numel() * tensors[0].element_size()",
            "visit.children[0].activation_bytes = tensors[0].numel()",
        ),
        ("if layer is not None and class_of(layer) in ONE_OUTPUT:", "if layer is not None:"),
    ),
    *faults(
        "analysis/drawing.py",
        "analysis/test_drawing.py",
        ("        matplotlib.rcdefaults()", "        pass"),
        ('"svg.hashsalt": "striate"', '"svg.hashsalt": None'),
        ('{"Date": None}', "{}"),
        ("room = 72 * (PAGE_WIDTH - 2 * INDENT) * FITTED", "room = 72 * PAGE_WIDTH"),
        ("        y -= LEADING * line.size", "        y -= 0.5 * LEADING * line.size"),
        ("        for cut in (shortened, shortened_path):", "        for cut in (shortened,):"),
        ("    axis.set_minor_formatter(NullFormatter())", "    pass"),
    ),
    *faults(
        "analysis/bars.py",
        "analysis/test_bars.py",
        ("    kept = sorted(order[: most - 1])", "    kept = order[: most - 1]"),
        ("for block in blocks for row in block.rows if not row.folded]", "for row in blocks[0].rows]"),
        ("top = max([*values, panel.limit or 0]) or 1", "top = max([*values, 0]) or 1"),
        (
            "lengths = [0 if row.folded else row.values[number] or 0 for row in rows]",
            "lengths = [row.values[number] or 0 for row in rows]",
        ),
        ("axis.set_ylim(max(len(block.rows), 1) - 0.4, -0.6)", "axis.set_ylim(-0.6, max(len(block.rows), 1) - 0.4)"),
        (
            "axis.set_xlim(0, top * column / (column - FIGURE))",
            "axis.set_xlim(0.1 * top, top * column / (column - FIGURE))",
        ),
        ("return MARGIN + sum(HEADING + ROW * ", "return MARGIN + sum(HEADING + 0.07 * "),
    ),
    *faults(
        "analysis/plots.py",
        "analysis/test_plots.py",
        ("    most = MOST_ROWS // number", "    most = MOST_ROWS"),
        ("            break  # a cheaper part", "            continue  # a cheaper part"),
        ("    if len(parts) < FEWEST_ROWS:", "    if True:"),
        ("if value == largest and not row.folded]", "if value == largest]"),
        ("    if depth and number > MOST_BY_LAYER:", "    if False:"),
        ('("parameters", "parameters", partial(', '("parameters", "multiply_adds", partial('),
    ),
    *faults(
        "analysis/bubbles.py",
        "analysis/test_bubbles.py",
        ("key=lambda entry: (-(entry.accuracy or 0), entry.name)", "key=lambda entry: entry.name"),
        ("<= NEAR / 100]", "<= NEAR]"),
        ("column, line = divmod(place, lines)", "line, column = divmod(place, lines)"),
        ("bubble(area * size / 1e6, OTHER)", "bubble(AREA_OF_MANY * size / 1e6, OTHER)"),
    ),
    *faults(
        "analysis/places.py",
        "analysis/test_bubbles.py",
        ("if inside and not any(place.overlaps(other) for other in taken):", "if inside:"),
        ("            xytext=(dx + across / pixels, dy),", "            xytext=(dx, dy),"),
    ),
    *faults(
        "analysis/effective_plot.py",
        "analysis/test_effective_plot.py",
        ("percent(field.theoretical_area / size, 0)", "percent(1, 0)"),
        ("    axis, scale = body.subplots(1, 2, width_ratios=(24, 1))", "    axis = scale = body.subplots()"),
        ("        corner = (columns - wide / 2, rows - tall / 2)", "        corner = (columns, rows)"),
    ),
    *faults(
        "analysis/gradient_plot.py",
        "analysis/test_gradient_plot.py",
        ("return first / last if last else math.nan", "return last / first if first else math.nan"),
        ("quarter = max(1, len(values) // 4)", "quarter = 1"),
        ("    if factor > FAR:", "    if factor > LEVEL:"),
        ("    log_ticks(axes.yaxis, *axes.get_ylim())", "    pass"),
    ),
    *faults(
        "models/scaling_plot.py",
        "models/test_scaling_plot.py",
        ("percent(spent[kind] / limit, 0)", "percent(limit / spent[kind], 0)"),
        ("costs_for(cost, None, panels), faint=True)", "costs_for(scaled.cost, None, panels), faint=True)"),
    ),
    *faults(
        "models/recommendation_plot.py",
        "models/test_recommendation_plot.py",
        ("None if one.accuracy is None else 100 * one.accuracy,", "one.accuracy,"),
        ("in_proportion(images, best.input_size)", "in_proportion(images, 32)"),
    ),
    *faults(
        "cli/field.py",
        "cli/test_field.py",
        ("weights=weights_in_words(network, seed))", "weights=weights_in_words(network, 0))"),
        ("network=called(found, network))", "network=found.name)"),
    ),
    *faults(
        "cli/gradients.py",
        "cli/test_gradients.py",
        ("images of {data or 'noise'}", "images of noise"),
    ),
    *faults(
        "cli/summary.py",
        "cli/test_summary.py",
        ("names=[called(found, network)]", "names=[found.name]"),
    ),
)
