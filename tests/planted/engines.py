"""Faults in engines and in reading ahead: what is folded, compared, kept, chosen, and in which order pictures come."""

from planting import Fault, faults

FAULTS: tuple[Fault, ...] = (
    *faults(
        "engines/folding.py",
        "engines/test_folding.py",
        ("self.uses[between] == 1 and", "True and"),
        ("self.calls[maker] == self.calls[norm] == 1", "True"),
        ("if owners[id(layer.weight)] == 1:", "if True:"),
        ("    if is_hooked(network):\n        return []", "    if False:\n        return []"),
        ("shift = shift + convolution.bias.double() * scale", "shift = shift + convolution.bias.double()"),
        ("norm.running_var.double() + norm.eps", "norm.running_var.double()"),
        ("self.makers[id(output)], self.uses[id(output)] = name, 0", "self.makers[id(output)] = name"),
    ),
    *faults(
        "engines/engines.py",
        "engines/test_engines.py",
        ("if not off <= kind.tolerance and isinstance(engine, Keeping)", "if False and isinstance(engine, Keeping)"),
        ("(np.isfinite(found) != np.isfinite(wanted)).any()", "False"),
        ("if isinstance(engine, Keeping) and not engine.was_kept:", "if False:"),
    ),
    *faults(
        "engines/frozen.py",
        "engines/test_engines.py",
        ('{"ramp": self.normalise(ramp.to(self.device)), **self._tensors()}', "self._tensors()"),
        ("np.concatenate(found))[: len(images)]", "np.concatenate(found))"),
    ),
    *faults(
        "engines/choosing.py",
        "engines/test_choosing.py",
        ("ENGINES[name].seconds <= SHARE * work", "True"),
        (" and all(name in known or not _pays(name, min(known.values()) * expected) for name in others)", ""),
        ("            work = min(work, expected * _glance(engine, pictures))\n", ""),
        ("ENGINES[name].again + known[name] * expected", "known[name]"),
        ("min(frozen.together, expected // TASTED)", "frozen.together"),
        ("    if len(pictures) == frozen.together:", "    if True:"),
        ("        remember(frozen, seconds)\n", "        pass\n"),
    ),
    *faults(
        "engines/state.py",
        "engines/test_state.py",
        ("        network.training,\n", ""),
        ("        is_hooked(network),\n", ""),
        ("tensor._version, tensor.detach().reshape(-1)[tensor.numel() // 2].item())", "tensor._version)"),
    ),
    *faults(
        "data/ahead.py",
        "data/test_ahead.py",
        ("            if ready:\n                yield ready\n", ""),
        ("                    del ready[:together]", "                    ready.clear()"),
        ("len(waiting) <= 2 * worker_count(workers)", "True"),
        ("            if failed is not None:\n                raise failed\n", ""),
    ),
    *faults(
        "data/preprocessing.py",
        "data/test_preprocessing.py",
        ("if scale <= room), 1)", "if scale < room), 1)"),
        ('return (height, width) if self.resize == "none" else self.size', "return self.size"),
    ),
    *faults(
        "data/jpeg.py",
        "data/test_preprocessing.py",
        (
            "return (self.width, self.height) if self.orientation > 4 else",
            "return (self.width, self.height) if False else",
        ),
    ),
    *faults(
        "classifier/running.py",
        "classifier/test_running.py",
        ("state, key = (id(self.network), self.look, *state_of(self.network))", "state, key = (0,)"),
        ("MANY if count == COUNTED else count", "count"),
        ("module = Embedding(self.network).eval() if embedding else self.network", "module = self.network"),
    ),
)
