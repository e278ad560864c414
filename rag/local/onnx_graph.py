"""An ONNX graph under construction: operators applied one after the other, then serialized."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct

OPSET = 20
IR_VERSION = 9  # the one that came with opset 20; newer ones older runtimes refuse
FUSED = "com.microsoft"
"""Domain of onnxruntime's own operators."""

Array: TypeAlias = npt.NDArray[np.generic]
Shape: TypeAlias = tuple[str | int, ...]
"""Of an input or output; a dimension with a name may be any number."""


class Application(Struct, frozen=True):
    """An operator applied to named values, naming its results."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    domain: str
    attributes: dict[str, int | float]


class Graph:
    """Operators and constants so far. Values go by their names; no name is given twice."""

    def __init__(self) -> None:
        self._applications: list[Application] = []
        self._constants: dict[str, Array] = {}

    def constant(self, name: str, array: Array) -> str:
        self._constants[name] = np.ascontiguousarray(array)
        return name

    def apply(
        self, operator: str, *inputs: str, domain: str = "", output: str = "", **attributes: float
    ) -> str:
        """The name of the operator's one result. An input left out is an empty string."""
        name = output or f"{operator}_{len(self._applications)}"
        self._append(operator, inputs, (name,), domain, attributes)
        return name

    def split(self, joined: str, parts: int) -> tuple[str, ...]:
        """Names of equal parts along the last axis."""
        names = tuple(f"{joined}_part_{part}" for part in range(parts))
        self._append("Split", (joined,), names, "", {"axis": -1, "num_outputs": parts})
        return names

    def serialize(self, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]) -> bytes:
        """A model of this graph, with int64 inputs and float32 outputs."""
        # Only the first start builds a graph, and onnx costs every start 35 MB and 0.3 s.
        from onnx import TensorProto, helper, numpy_helper

        nodes = []
        for each in self._applications:
            node = helper.make_node(each.operator, each.inputs, each.outputs, domain=each.domain)
            node.attribute.extend(helper.make_attribute(k, v) for k, v in each.attributes.items())
            nodes.append(node)
        graph = helper.make_graph(
            nodes,
            "graph",
            [helper.make_tensor_value_info(n, TensorProto.INT64, s) for n, s in inputs.items()],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()],
            [numpy_helper.from_array(array, name) for name, array in self._constants.items()],
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        return bytes(model.SerializeToString())

    def _append(
        self,
        operator: str,
        inputs: Sequence[str],
        outputs: tuple[str, ...],
        domain: str,
        attributes: dict[str, int | float],
    ) -> None:
        self._applications.append(Application(operator, tuple(inputs), outputs, domain, attributes))
