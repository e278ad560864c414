"""A sentence model as a graph: BERT layers, the mean of their rows or the first, length 1.

There is no mask: every text of a batch has the same length, so nothing is padded. The operators
were chosen by measuring: onnxruntime's fused residual-and-norm takes four times what an addition
and a layer norm take, and its gelu is quicker when the product before it adds the bias.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from rag.local.onnx_graph import FUSED, Graph

Precision: TypeAlias = Literal["int8", "float32"]
Matrix: TypeAlias = npt.NDArray[np.float32]

GRAPH_VERSION = 4
"""Raised whenever a built graph would differ, so that a cached one is not taken for it."""

FLOAT = 1  # ONNX's number for float32
LEAST_GELU = 0.17
"""Gelu never falls below minus this."""
LARGEST_INTEGER = 63
"""Seven bits of a weight. Processors without VNNI add pairs of products in 16 bits, which eight
bits overflow: they would make other vectors than newer ones, and worse (mean cosine with float32
0.9925 instead of 0.9931)."""


class Shape(Struct, frozen=True):
    """What of a BERT model its tensors do not say."""

    layers: int
    heads: int
    dimension: int
    epsilon: float
    """Of every layer norm, as the model was trained."""
    first_position: int = 0
    """Row of the table of positions that the first token has: RoBERTa leaves some out."""
    pooling: Literal["mean", "first"] = "mean"
    """What stands for the text: the mean of its rows, or the first (`[CLS]`)."""


def build_graph(tensors: Mapping[str, Matrix], precision: Precision, shape: Shape) -> bytes:
    """A serialized model: `ids` (texts, tokens) -> `vectors` (texts, dimension), rows of length 1.

    In int8, weights are integers with one scale a column, and activations become integers as they
    come, with one scale a run or a row; word embeddings are kept in half precision.
    """
    encoder = _Encoder(tensors, precision, shape)
    hidden = encoder.embeddings("ids")
    for layer in range(shape.layers):
        hidden = encoder.layer(f"encoder.layer.{layer}", hidden)
    encoder.pooled_of_length_one(hidden, "vectors")
    vectors = ("texts", shape.dimension)
    return encoder.graph.serialize({"ids": ("texts", "tokens")}, {"vectors": vectors})


class _Encoder:
    """Adds the model's parts to a graph, its tensors by the names they are published under."""

    def __init__(self, tensors: Mapping[str, Matrix], precision: Precision, shape: Shape) -> None:
        self.graph = Graph()
        self._tensors = tensors
        self._precision = precision
        self._shape = shape

    def embeddings(self, ids: str) -> str:
        """Words plus positions plus the one type of token there is, normalized."""
        graph, tensors = self.graph, self._tensors
        words = tensors["embeddings.word_embeddings.weight"]
        positions = tensors["embeddings.position_embeddings.weight"][self._shape.first_position :]
        token_type = tensors["embeddings.token_type_embeddings.weight"][0]
        if self._precision == "int8":
            halves = graph.constant("words", words.astype(np.float16))
            word = graph.apply("Cast", graph.apply("Gather", halves, ids), to=FLOAT)
        else:
            word = graph.apply("Gather", graph.constant("words", words), ids)
        position = graph.apply(
            "Slice",
            graph.constant("positions", positions + token_type),
            graph.constant("zero", np.array([0])),
            graph.apply("Shape", ids, start=1, end=2),
            "zero",
        )
        return self.normalized_sum("embeddings.LayerNorm", word, position)

    def layer(self, name: str, hidden: str) -> str:
        attended = self.product(
            f"{name}.attention.output.dense", self.attention(f"{name}.attention.self", hidden)
        )
        mixed = self.normalized_sum(f"{name}.attention.output.LayerNorm", attended, hidden)
        wide = self.graph.apply("Gelu", self.product(f"{name}.intermediate.dense", mixed))
        narrow = self.product_of_rows(f"{name}.output.dense", wide)
        return self.normalized_sum(f"{name}.output.LayerNorm", narrow, mixed)

    def attention(self, name: str, hidden: str) -> str:
        """Query, key and value come from one product, so that `hidden` is quantized once."""
        joined = self.product(name, hidden, (".query", ".key", ".value"))
        parts = self.graph.split(joined, 3)
        return self.graph.apply(
            "MultiHeadAttention", *parts, domain=FUSED, num_heads=self._shape.heads
        )

    def normalized_sum(self, name: str, left: str, right: str) -> str:
        weight = self.graph.constant(f"{name}.weight", self._tensors[f"{name}.weight"])
        bias = self.graph.constant(f"{name}.bias", self._tensors[f"{name}.bias"])
        summed = self.graph.apply("Add", left, right)
        return self.graph.apply(
            "LayerNormalization", summed, weight, bias, axis=-1, epsilon=self._shape.epsilon
        )

    def product(self, name: str, hidden: str, parts: tuple[str, ...] = ("",)) -> str:
        """`hidden` times the parts' weights side by side, plus their biases."""
        # Published as (out, in), the way torch multiplies.
        weights = [self._tensors[f"{name}{part}.weight"] for part in parts]
        biases = [self._tensors[f"{name}{part}.bias"] for part in parts]
        bias = self.graph.constant(f"{name}.bias", np.concatenate(biases))
        if self._precision == "float32":
            matrix = self.graph.constant(f"{name}.matrix", np.concatenate(weights).T)
            return self.graph.apply("Add", self.graph.apply("MatMul", hidden, matrix), bias)
        return self.quantized_product(name, hidden, np.concatenate(weights).T, bias)

    def product_of_rows(self, name: str, activations: str) -> str:
        """The same for what gelu gives, where in int8 every row has a scale of its own.

        A few tokens of a text have far larger values there than the rest, which one scale a run
        would round to little: mean cosine with float32 0.995 instead of 0.993, for 3 % more time.
        """
        if self._precision == "float32":
            return self.product(name, activations)
        graph = self.graph
        floor = graph.constant("least_gelu", np.array(LEAST_GELU, np.float32))
        last_axis = graph.constant("last_axis", np.array([-1]))
        largest = graph.apply("Max", graph.apply("ReduceMax", activations, last_axis), floor)
        matrix = self._tensors[f"{name}.weight"].T
        scaled = self.quantized_product(name, graph.apply("Div", activations, largest), matrix)
        bias = graph.constant(f"{name}.bias", self._tensors[f"{name}.bias"])
        return graph.apply("Add", graph.apply("Mul", scaled, largest), bias)

    def quantized_product(self, name: str, hidden: str, matrix: Matrix, bias: str = "") -> str:
        integers, scales = quantize_columns(matrix)
        return self.graph.apply(
            "DynamicQuantizeMatMul",
            hidden,
            self.graph.constant(f"{name}.integers", integers),
            self.graph.constant(f"{name}.scales", scales),
            "",  # zero points: all zero
            bias,
            domain=FUSED,
        )

    def pooled_of_length_one(self, hidden: str, output: str) -> str:
        if self._shape.pooling == "mean":
            tokens_axis = self.graph.constant("tokens_axis", np.array([1]))
            pooled = self.graph.apply("ReduceMean", hidden, tokens_axis, keepdims=0)
        else:
            first = self.graph.constant("first", np.array(0))
            pooled = self.graph.apply("Gather", hidden, first, axis=1)
        return self.graph.apply("LpNormalization", pooled, output=output, axis=-1, p=2)


def quantize_columns(matrix: Matrix) -> tuple[npt.NDArray[np.int8], Matrix]:
    """Signed integers and one scale a column: `matrix ≈ integers * scales`.

    One scale for a whole matrix was measured to ruin this model (mean cosine 0.93).
    """
    largest = np.maximum(np.abs(matrix).max(axis=0), np.finfo(np.float32).tiny)
    scales = (largest / LARGEST_INTEGER).astype(np.float32)
    return np.rint(matrix / scales).astype(np.int8), scales
