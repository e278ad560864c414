"""What changes is taken when it rests, and only then."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.cli.watching import Looks, looks_of, watch
from rag.sources.folder import look
from rag.sources.found import Findings


class EnoughError(Exception):
    """The test has seen what it wanted."""


def watched(
    folder: Path, steps: Iterator[object], act: Callable[[Findings], bool], seen: Looks
) -> None:
    """Looks after each step, until there is none left."""

    def pause(seconds: float) -> None:
        if next(steps, EnoughError) is EnoughError:
            raise EnoughError

    with pytest.raises(EnoughError):
        watch(lambda: look([str(folder)]), act, seen, pause=pause)


def test_a_file_is_taken_once_it_is_no_longer_written(tmp_path: Path) -> None:
    (tmp_path / "old.md").write_text("old")
    acted: list[tuple[int, list[str]]] = []
    size = 0

    def steps() -> Iterator[object]:
        nonlocal size
        for size in range(1, 4):
            (tmp_path / "new.md").write_text("x" * size)
            yield None
        yield from range(4)

    def act(there: Findings) -> bool:
        acted.append((size, [found.key for found in there.files]))
        return True

    watched(tmp_path, steps(), act, looks_of(look([str(tmp_path)])))

    assert acted == [(3, ["new.md", "old.md"])]


def test_what_failed_is_tried_again_and_what_is_gone_is_told(tmp_path: Path) -> None:
    (tmp_path / "old.md").write_text("old")
    (tmp_path / "other.md").write_text("other")
    seen = looks_of(look([str(tmp_path)]))
    (tmp_path / "old.md").unlink()
    acted: list[int] = []

    def act(there: Findings) -> bool:
        acted.append(len(there.files))
        return len(acted) == 2

    watched(tmp_path, iter(range(6)), act, seen)

    assert acted == [1, 1]
