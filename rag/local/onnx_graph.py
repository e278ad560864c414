"""The sentence model as an ONNX graph: six BERT layers, the mean of their rows, length 1.

Written in onnxruntime's fused operators (attention, gelu with its bias, layer norm with its
residual), which is what its own optimizer would turn a plain export into. There is no mask: every
text of a batch has the same length, so nothing is padded.
"""

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Precision: TypeAlias = Literal["int8", "float32"]
Tensors: TypeAlias = dict[str, npt.NDArray[np.float32]]

GRAPH_VERSION = 1
"""Raised whenever a built graph would differ, so that a cached one is not taken for it."""

LAYERS = 6
HEADS = 12
DIMENSION = 384
EPSILON = 1e-12  # of every layer norm, as the model was trained
FUSED = "com.microsoft"
OPSET = 20


def build_graph(tensors: Tensors, precision: Precision) -> bytes:
    """A serialized model: `ids` (texts, tokens) -> `vectors` (texts, 384), rows of length 1."""
    graph = _Graph(tensors, precision)
    hidden = graph.embeddings()
    for layer in range(LAYERS):
        hidden = graph.layer(f"encoder.layer.{layer}", hidden)
    mean = graph.node("ReduceMean", [hidden, graph.integers("tokens_axis", 1)], keepdims=0)
    graph.node("LpNormalization", [mean], "vectors", axis=-1, p=2)
    return graph.serialize()


class _Graph:
    """Nodes and constants collected so far; each method adds some and names its result."""

    def __init__(self, tensors: Tensors, precision: Precision) -> None:
        self._tensors = tensors
        self._precision = precision
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def node(
        self,
        operator: str,
        inputs: list[str],
        output: str = "",
        *,
        domain: str = "",
        **attributes: object,
    ) -> str:
        output = output or f"{operator}_{len(self._nodes)}"
        self._nodes.append(
            helper.make_node(operator, inputs, [output], domain=domain, **attributes)
        )
        return output

    def constant(self, name: str, array: npt.NDArray[np.generic]) -> str:
        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def integers(self, name: str, *values: int) -> str:
        return self.constant(name, np.array(values, np.int64))

    def weight(self, name: str) -> str:
        return self.constant(name, self._tensors[name])

    def embeddings(self) -> str:
        """Words plus positions plus the one token type there is, normalized."""
        words = self._tensors["embeddings.word_embeddings.weight"]
        token_type = self._tensors["embeddings.token_type_embeddings.weight"][0]
        positions = self._tensors["embeddings.position_embeddings.weight"] + token_type
        if self._precision == "int8":
            halves = self.constant("words", words.astype(np.float16))
            word = self.node("Cast", [self.node("Gather", [halves, "ids"])], to=TensorProto.FLOAT)
        else:
            word = self.node("Gather", [self.constant("words", words), "ids"])
        first = self.integers("first", 0)
        length = self.node("Shape", ["ids"], start=1, end=2)
        position = self.node("Slice", [self.constant("positions", positions), first, length, first])
        return self.node(
            "LayerNormalization",
            [
                self.node("Add", [word, position]),
                self.weight("embeddings.LayerNorm.weight"),
                self.weight("embeddings.LayerNorm.bias"),
            ],
            axis=-1,
            epsilon=EPSILON,
        )

    def layer(self, name: str, hidden: str) -> str:
        mixed = self.residual(
            f"{name}.attention.output", self.attention(f"{name}.attention.self", hidden), hidden
        )
        wide = self.node(
            "BiasGelu",
            [
                self.product(
                    f"{name}.intermediate.dense",
                    mixed,
                    self._tensors[f"{name}.intermediate.dense.weight"],
                ),
                self.weight(f"{name}.intermediate.dense.bias"),
            ],
            domain=FUSED,
        )
        return self.residual(f"{name}.output", wide, mixed)

    def attention(self, name: str, hidden: str) -> str:
        """Query, key and value come from one product, so that `hidden` is quantized once."""
        parts = ("query", "key", "value")
        weight = np.concatenate([self._tensors[f"{name}.{part}.weight"] for part in parts])
        bias = np.concatenate([self._tensors[f"{name}.{part}.bias"] for part in parts])
        joined = self.product(name, hidden, weight)
        outputs = [f"{name}.{part}" for part in parts]
        self._nodes.append(helper.make_node("Split", [joined], outputs, axis=-1, num_outputs=3))
        return self.node(
            "MultiHeadAttention",
            [*outputs, self.constant(f"{name}.bias", bias)],
            domain=FUSED,
            num_heads=HEADS,
        )

    def residual(self, name: str, hidden: str, skipped: str) -> str:
        return self.node(
            "SkipLayerNormalization",
            [
                self.product(name, hidden, self._tensors[f"{name}.dense.weight"]),
                skipped,
                self.weight(f"{name}.LayerNorm.weight"),
                self.weight(f"{name}.LayerNorm.bias"),
                self.weight(f"{name}.dense.bias"),
            ],
            domain=FUSED,
            epsilon=EPSILON,
        )

    def product(self, name: str, hidden: str, weight: npt.NDArray[np.float32]) -> str:
        """`hidden` times a weight matrix stored (out, in), as torch keeps them."""
        if self._precision == "float32":
            return self.node("MatMul", [hidden, self.constant(f"{name}.matrix", weight.T)])
        quantized, scales = quantize_columns(weight.T)
        return self.node(
            "DynamicQuantizeMatMul",
            [
                hidden,
                self.constant(f"{name}.matrix", quantized),
                self.constant(f"{name}.scales", scales),
            ],
            domain=FUSED,
        )

    def serialize(self) -> bytes:
        ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "tokens"])
        vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", DIMENSION])
        graph = helper.make_graph(
            self._nodes, "minilm", [ids], [vectors], list(self._constants.values())
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
        return bytes(model.SerializeToString())


def quantize_columns(
    matrix: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Signed 8-bit integers and one scale a column: `matrix ≈ integers * scales`.

    One scale for the whole matrix was measured to ruin this model (mean cosine 0.93).
    """
    scales = np.maximum(np.abs(matrix).max(axis=0), 1e-12) / 127
    return np.rint(matrix / scales).astype(np.int8), scales.astype(np.float32)
