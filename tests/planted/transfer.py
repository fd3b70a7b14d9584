"""Faults in growing: which layers are copied, how new ones begin, and how a run says and does it."""

from planting import Fault, faults

FAULTS: tuple[Fault, ...] = (
    *faults(
        "transfer/pairing.py",
        "transfer/test_pairing.py",
        ("left and not _difference(given, left[0], own, unit)", "left"),
        ("if not new:", "if False:"),
        ("alike = alike and name in theirs and", "alike = name in theirs and"),
        ("number is not None and unit.number == number", "False"),
    ),
    *faults(
        "transfer/identity.py",
        "transfer/test_identity.py",
        ("nn.init.dirac_(layer.weight, layer.groups)", "nn.init.dirac_(layer.weight)"),
        ('layer.bias.copy_(layer.get_buffer("running_mean"))', "nn.init.zeros_(layer.bias)"),
        ('(layer.get_buffer("running_var") + layer.eps).sqrt()', 'layer.get_buffer("running_var")'),
        ("values if act is None else act(values)", "values"),
        ("for parameter in last.parameters():", "for parameter in [last.weight]:"),
        ("padding == dilation * (kernel // 2)", "padding == kernel // 2"),
        ("or block.shared or", "or"),
        ("nn.init.zeros_(layer.bias)", "pass"),
    ),
    *faults(
        "transfer/growing.py",
        "transfer/test_growing.py",
        ('if rule == "identity":\n        _begin', "if True:\n        _begin"),
        ("spread = Spread.behind(norm, act) if norm is not None else None", "spread = None"),
        ('or ours.startswith("head.")}', "}"),
        ('for kind in ("conv", "norm")}', 'for kind in ("conv",)}'),
        ("deep.copied, deep.fresh = copied, pairing.fresh", "deep.fresh = pairing.fresh"),
        ("(*pairing.new, *left)", "pairing.new"),
    ),
    *faults(
        "transfer/lineage.py",
        "transfer/test_lineage.py",
        ("(*KNOWN, *card.options)", "KNOWN"),
        ("{**inherited, **(options or {})}", "{**(options or {}), **inherited}"),
        ("return grow(given, network, rule)", 'return grow(given, network, "random")'),
    ),
    *faults(
        "transfer/grown_file.py",
        "cli/test_grow.py",
        ("check_growth(spec, deep, options, rule)", "check_growth(spec, deep, {}, rule)"),
        ("grown = grow(shallow, network, rule)", "grown = grow(shallow, network)"),
        ("description.metrics if same else {}", "description.metrics"),
        ("if out.exists():", "if False:"),
        ("recipe={}, metrics", "metrics"),
    ),
    *faults(
        "classifier/growth.py",
        "classifier/test_growth.py",
        ("network.weights_source = describe(weights_file(run))", "pass"),
        ('grown = grow_from(written["from"], network, written["rule"])', 'grown = grow_from(written["from"], network)'),
        ('network.copied, network.fresh = tuple(written["copied"]), tuple(written["fresh"])', "pass"),
        ('if list(grown.copied) != written["copied"]:', "if False:"),
        ("    if afresh:", "    if True:"),
    ),
    *faults(
        "classifier/run_config.py",
        "classifier/test_growth.py",
        ('[written["grown"]] if written.get("grown") else []', "[]"),
    ),
    *faults(
        "models/network.py",
        "transfer/test_growing.py",
        ("for layer in self._frozen_modules():\n            layer.requires_grad_(False)", "pass"),
        ("for part in self._frozen_modules():\n                part.eval()", "pass"),
        ("if before == (COPIED,):", "if False:"),
    ),
)
