"""Built graphs on disk: a file is its own digest followed by the graph."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

DIGEST = hashlib.sha256().digest_size  # bytes, at the head of each file


def cached_graph(path: Path, build: Callable[[], bytes]) -> bytes:
    """What `build` makes, from `path` where it is there and whole.

    A file that is missing, cut short or damaged is built anew. It is written aside and moved into
    place, so that two processes starting together leave one whole file.
    """
    graph = _read(path)
    if graph is None:
        graph = build()
        _write(path, graph)
    return graph


def _read(path: Path) -> bytes | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    digest, graph = content[:DIGEST], content[DIGEST:]
    return graph if hashlib.sha256(graph).digest() == digest else None


def _write(path: Path, graph: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as aside:
        aside.write(hashlib.sha256(graph).digest())
        aside.write(graph)
        aside.flush()
        os.fsync(aside.fileno())
    Path(aside.name).replace(path)
