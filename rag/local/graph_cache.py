"""Built graphs on disk, each beside a file with its SHA-256."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def cached_graph(path: Path, build: Callable[[], bytes]) -> Path:
    """`path`, holding what `build` makes: built now unless it is there and whole.

    Whether a file is whole says the digest beside it; one that is missing, cut short or damaged is
    built anew. Both are written aside and moved into place, the digest last, so that a process
    that is killed, or another that starts meanwhile, leaves nothing that passes for whole.
    """
    if not _is_whole(path):
        graph = build()
        _write(path, graph)
        _write(_digest_of(path), hashlib.sha256(graph).hexdigest().encode())
    return path


def _is_whole(path: Path) -> bool:
    try:
        with path.open("rb") as graph:
            found = hashlib.file_digest(graph, "sha256").hexdigest()
        return _digest_of(path).read_text(errors="replace") == found
    except FileNotFoundError:
        return False


def _digest_of(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as aside:
        aside.write(content)
        aside.flush()
        os.fsync(aside.fileno())
    Path(aside.name).replace(path)
