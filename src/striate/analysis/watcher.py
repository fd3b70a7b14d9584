"""Watching a network run: each aten operation is seen, counted and put down to the module that is running.

`torch.utils._python_dispatch.TorchDispatchMode` shows the operations below every layer, functional call and
attention kernel, so nothing depends on knowing the module's class.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import HigherOrderOperator
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from striate.analysis import meta_shapes
from striate.analysis.counters import is_sparse
from striate.analysis.counting import cost_of
from striate.analysis.fields import Field, widened
from striate.analysis.inputs import Inputs
from striate.analysis.operation import Call
from striate.analysis.propagation import propagated
from striate.analysis.ramps import UNKNOWN, identity
from striate.analysis.visits import Recorder, Visit, class_of, storage_of, tensors_in
from striate.errors import StriateError

#: Layers that PyTorch puts together from several operations where others have one. Their memory is that of what they
#: give, as for a batch norm: the squares, sums and powers of a local response normalisation are its work space.
ONE_OUTPUT = frozenset({"LocalResponseNorm"})


class Watcher(Recorder, TorchDispatchMode):
    """While active, notes what every operation costs and sees; `root` holds the tree of visits.

    `inputs` are what the network will be given, and say along which axes receptive fields are followed.
    """

    supports_higher_order_operators = True

    def __init__(self, model: nn.Module, inputs: Inputs) -> None:
        Recorder.__init__(self)
        TorchDispatchMode.__init__(self)
        self._fields = WeakIdKeyDictionary()
        self._partly_written: dict[int, Any] = {}
        self._parameters = {id(parameter) for parameter in model.parameters()}
        self._extents = inputs.extents
        axes = range(inputs.first_axis, inputs.rank)
        for tensor in inputs.tensors:
            self._fields[tensor] = tuple(identity(dim) if tensor.dim() == inputs.rank else None for dim in axes)

    def field_of(self, tensor: Tensor) -> Field | None:
        """What `tensor` sees of the input; None where it does not depend on it."""
        known = self._fields.get(tensor)
        if self._partly_written and storage_of(tensor)._cdata in self._partly_written:
            return (UNKNOWN,) * len(self._extents)
        return known

    def left(self, visit: Visit, output: Any) -> None:
        """Note what the module gave."""
        tensors = tensors_in(output)
        if tensors:
            visit.output_shape, visit.receptive_field = tuple(tensors[0].shape), self.field_of(tensors[0])
        layer = visit.module if visit.is_leaf and visit.children and tensors else None
        if layer is not None and class_of(layer) in ONE_OUTPUT:
            visit.children[0].activation_bytes = tensors[0].numel() * tensors[0].element_size()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here; with True PyTorch would import its compiler, which doubles its import time."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if isinstance(func, HigherOrderOperator):
            raise StriateError(f"{func.name()}: an operation on functions, whose inside cannot be watched")
        if torch.is_inference_mode_enabled():  # composite operations arrive whole there
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        operands = [*tensors_in(args), *tensors_in(kwargs)]
        result, args, kwargs = meta_shapes.run(func, args, kwargs, operands)
        self._note(func, args, kwargs, operands, tensors_in(result))
        return result

    def _note(self, func: Any, args: Any, kwargs: Any, operands: list[Tensor], outputs: list[Tensor]) -> None:
        visit = self.current()
        visit.parameters_read.update(id(operand) for operand in operands if id(operand) in self._parameters)
        if not outputs:
            return
        name = func.overloadpacket.__name__
        tracked = [operand for operand in operands if self.field_of(operand) is not None]
        cost = cost_of(func, args, kwargs, tracked, outputs[0])
        counted = cost.multiply_adds
        visit.multiply_adds += counted
        if cost.missing:
            visit.not_counted[cost.missing] += 1
        if not tracked:
            if counted:
                visit.operations.append(name)
            return
        plain = name if name.startswith("__") else name.rstrip("_")
        call = Call(plain, args, kwargs, outputs, self.field_of, tracked)
        try:
            fields = propagated(call, torch.Tag.pointwise in func.tags)
        except Exception:  # an unforeseen form of a known operation must not stop the summary
            fields = [(UNKNOWN,) * len(self._extents)] * len(outputs)
        written = any(outputs[0] is operand for operand in operands)
        for output, output_field in zip(outputs, fields, strict=True):
            self._fields[output] = widened(output_field, self._extents)
        if written:
            self._note_written(outputs[0])
        storages = {storage_of(operand)._cdata for operand in operands}
        is_new = storage_of(outputs[0])._cdata not in storages
        if is_new or written:
            visit.operations.append(name)
            visit.output_shape, visit.receptive_field = tuple(outputs[0].shape), self.field_of(outputs[0])
        if is_new:
            held = outputs[0]._nnz() if is_sparse(outputs[0]) else outputs[0].numel()
            visit.activation_bytes += held * outputs[0].element_size()

    def _note_written(self, target: Tensor) -> None:
        """A write into a part of a tensor changes what the whole sees."""
        storage = storage_of(target)
        if target.numel() * target.element_size() < storage.nbytes():
            self._partly_written[storage._cdata] = storage


def watch(model: nn.Module, inputs: Inputs) -> Visit:
    """Run `model` (a copy: its modules are wrapped) and return the visit of its outermost call."""
    watcher = Watcher(model, inputs)
    with watcher.around(model), torch.no_grad(), watcher:
        output = model(*inputs.args, **inputs.kwargs)
    visit = watcher.outermost(model)
    if visit.output_shape is None:  # nobody was told of its return
        watcher.left(visit, output)
    return visit
