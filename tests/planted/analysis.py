"""Faults in counting, shapes and fields."""

from planting import Fault, faults

FAULTS: tuple[Fault, ...] = (
    *faults(
        "units.py",
        "test_units.py",
        ('("B", "KiB", "MiB", "GiB"), 1024, decimals)', '("B", "KiB", "MiB", "GiB"), 1000, decimals)'),
        ("(2, 1, 1 if tenths else 0)", "(2, 1, 0 if tenths else 1)"),
        ("if abs(value) < 1023.5 * 1024", "if abs(value) < 1024 * 1024"),
        ("place < len(units) - 1 and", "place < len(units) - 2 and"),
    ),
    *faults(
        "text_tables.py",
        "test_text_tables.py",
        ("key=lambda place: self.columns[place].rank):", "key=lambda place: -self.columns[place].rank):"),
        ("min(wide, max(column.least, displayed(column.header)))", "min(wide, column.least)"),
        ("    return line if width is None else clipped(line, width)", "    return line"),
        ("for place in kept if kept[place] < whole[place]]", "for place in kept if kept[place] > whole[place]]"),
        ("2 if unicodedata.east_asian_width(letter)", "1 if unicodedata.east_asian_width(letter)"),
        ('cell.replace("|", "\\\\|")', "cell"),
    ),
    *faults(
        "analysis/tables.py",
        "analysis/test_tables.py",
        ("        _arithmetic_text(row, row.multiply_adds),", "        _arithmetic_text(row, row.flops),"),
        (
            '        binary_size(row.activation_bytes) if row.activation_bytes else "",',
            '        binary_size(row.kept_bytes or 0) if row.activation_bytes else "",',
        ),
        ("        along_axes(row.stride),", "        along_axes(row.offset),"),
        ("described([*table.left_out(width), *_totals(summary)]", "described([*_totals(summary)]"),
        ('        "buffers": summary.buffers,', '        "buffers": summary.parameters,'),
    ),
    *faults(
        "analysis/tables.py",
        "analysis/test_counting.py",
        ('        "not_counted": summary.not_counted,', '        "not_counted": {},'),
    ),
    *faults(
        "analysis/comparison.py",
        "analysis/test_tables.py",
        (
            "        count(summary.flops, tenths=True) + some_not,",
            "        count(summary.multiply_adds, tenths=True) + some_not,",
        ),
    ),
    *faults(
        "analysis/summaries.py",
        "analysis/test_tables.py",
        (
            "gradient_bytes=sum(p.numel() * p.element_size() for p in parameters if p.requires_grad)",
            "gradient_bytes=sum(p.numel() * p.element_size() for p in parameters)",
        ),
    ),
    *faults(
        "analysis/summaries.py",
        "analysis/test_quantised.py",
        ("        notes=tuple(notes),", "        notes=(),"),
        ('    if device == "meta" and packed_tensors(model):', '    if device == "meta" and False:'),
    ),
    *faults(
        "analysis/rows.py",
        "analysis/test_counting.py",
        ("            not_counted=_added(child.not_counted for child in children),", "            not_counted={},"),
    ),
    *faults(
        "analysis/counting.py",
        "analysis/test_counting.py",
        ('    return Cost(missing=name.strip("_") + (" of sparse values" if sparse else ""))', "    return NOTHING"),
        ('        return Cost(multiply_adds, PARTS.get(name, ""))', "        return Cost(multiply_adds)"),
    ),
    *faults(
        "analysis/counters.py",
        "analysis/test_counting.py",
        ("is_real = not (args[0].is_complex() and output.is_complex())", "is_real = not args[0].is_complex()"),
    ),
    *faults(
        "analysis/inputs.py",
        "analysis/test_inputs.py",
        (
            "single = len(first) in (1, 3) if layer is None else len(first) == layer.rank",
            "single = len(first) in (1, 3)",
        ),
        (
            "    if isinstance(values, Mapping) and _are_parameters(model, values):",
            "    if isinstance(values, Mapping):",
        ),
        ("return FirstLayer(name, kind, 1, tokens=True)", "return FirstLayer(name, kind, 1)"),
    ),
    *faults(
        "analysis/kept.py",
        "analysis/test_inputs.py",
        ("output = model(*inputs.args, **inputs.kwargs)", "output = model(*inputs.args)"),
    ),
    *faults(
        "analysis/weightless.py",
        "analysis/test_weightless.py",
        (
            "        if func is Tensor.__deepcopy__:",
            "        if func is Tensor.__deepcopy__ and self._make is emptied:",
        ),
        ("tensor.detach().to(place, copy=True)", "tensor.detach().to(place)"),
    ),
    *faults(
        "analysis/building.py",
        "analysis/test_building.py",
        ('(torch.device("meta"), _OnlyWeightsWeightless())', '(torch.device("meta"),)'),
        ("        except StriateError:", "        except KeyError:"),
    ),
    *faults(
        "analysis/spatial_rules.py",
        "analysis/test_rules.py",
        (
            "first - 1 in dims_of(state) and mixes_channels is not False",
            "first - 1 in dims_of(state) or mixes_channels is not False",
        ),
        (
            "return UNKNOWN if dims_of(state) & padded else state",
            "return UNKNOWN if dims_of(state) <= padded else state",
        ),
    ),
    *faults(
        "analysis/ramps.py",
        "analysis/test_ramps.py",
        ("highs[i + period] - highs[i] == step for", "highs[i] - highs[i + period] == step for"),
    ),
    *faults(
        "analysis/lattice.py",
        "analysis/test_rules.py",
        ("            first += start * place.step", "            first = start * place.step"),
        ("end >= outer or outer % end == 0", "end >= outer or True"),
    ),
    *faults(
        "analysis/shape_rules.py",
        "analysis/test_lattice.py",
        (
            "        return settled(places, -padding[axis], state, call.shape)",
            "        return settled(places, 0, state, call.shape)",
        ),
    ),
    *faults(
        "analysis/running.py",
        "analysis/test_inputs.py",
        ('    if isinstance(name, str) and name != "custom":', "    if False:"),
    ),
    *faults(
        "analysis/latency.py",
        "analysis/test_latency.py",
        ("milliseconds=statistics.median(times)", "milliseconds=statistics.mean(times)"),
    ),
    *faults(
        "analysis/meta_shapes.py",
        "analysis/test_meta_shapes.py analysis/test_summaries.py",
        ("any(value is not None for value in others.values())", "False"),
        ("    _ATEN.empty_like.default: _asked_empty_like,\n", ""),
        ("x if x.is_floating_point() else _ATEN.div_.Scalar(x, by)", "x"),
    ),
)
