"""From a repository to hits: paid once, never silently incomplete, and in the right order."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.codebase.indexing import index
from rag.codebase.searching import CodeQuery, CodeResult, search_code
from rag.errors import Conflict, NotFound
from rag.storage.library import Library
from tests.codebase.repositories import commit, git, repository, write

FILES = {
    "src/net/retry.py": "class RetryPolicy:\n"
    '    """How often a call is tried again."""\n\n'
    "    def may_retry(self, attempt: int) -> bool:\n"
    "        return attempt < self.limit\n",
    "src/net/client.py": "from net.retry import RetryPolicy\n\n\n"
    "def call(policy: RetryPolicy) -> None:\n"
    "    while policy.may_retry(1):\n"
    "        send('connection was reset by its peer')\n",
    "tests/test_retry.py": "from net.retry import RetryPolicy\n\n\n"
    "def test_retry_policy():\n    assert RetryPolicy().may_retry(0)\n",
    "docs/retry.md": "# Retry policy\n\nA retry policy says how often a retry may be made.\n",
    "web/retry.ts": "export function mayRetry(n: number) { return n < 3 }\n",
    "logo.png": b"\x89PNG\0",
    "package-lock.json": "{}\n",
    "empty.py": "",
}


@pytest.fixture
def library(tmp_path: Path, database_url: str | None) -> Iterator[Library]:
    with Library.open(tmp_path / "data", database_url=database_url) as library:
        yield library


@pytest.fixture
def code(tmp_path: Path) -> Path:
    return repository(tmp_path / "code", FILES)


def ask(library: Library, text: str, **more: object) -> CodeResult:
    return search_code(CodeQuery(text, **more), library.code.all(), library=library)  # type: ignore[arg-type]  # fields by name


def paths(result: CodeResult) -> list[str]:
    return [hit.path for hit in result.hits]


def test_what_is_searched_is_told_and_what_is_not_has_a_reason(
    library: Library, code: Path
) -> None:
    done = index(code, None, library=library)

    [repository] = library.code.all()
    assert (done.snapshot.seen, done.snapshot.indexed, done.snapshot.dirty) == (8, 5, False)
    assert done.snapshot.commit == git(code, "rev-parse", "HEAD")
    assert {each.path: each.reason for each in library.code.left_out(repository, "")} == {
        "logo.png": "binary, by its name",
        "package-lock.json": "lock file",
        "empty.py": "empty",
    }
    [searched] = ask(library, "retry").searched
    assert searched == done.snapshot


@pytest.mark.parametrize(
    "question",
    [
        "where is RetryPolicy defined",
        "RetryPolicy",
        "definition of retry_policy",
        "class RetryPolicy",
    ],
)
def test_a_definition_comes_before_its_uses(library: Library, code: Path, question: str) -> None:
    index(code, None, library=library)

    best = ask(library, question).hits[0]

    assert (best.path, best.symbol, best.kind) == ("src/net/retry.py", "RetryPolicy", "class")
    assert (best.start_line, best.text) == (1, FILES["src/net/retry.py"])


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("may retry lang:ts", ["web/retry.ts"]),
        ("may retry path:web", ["web/retry.ts"]),
        ("retry path:docs/*", ["docs/retry.md"]),
        ("retry path:*.md", ["docs/retry.md"]),
    ],
)
def test_a_question_may_narrow_itself(
    library: Library, code: Path, question: str, found: list[str]
) -> None:
    index(code, None, library=library)

    assert paths(ask(library, question)) == found


def test_a_frame_of_a_stack_trace_leads_to_its_line(library: Library, code: Path) -> None:
    index(code, None, library=library)
    trace = 'Traceback:\n  File "/app/src/net/client.py", line 6, in call\nError: retry policy'

    assert paths(ask(library, trace))[0] == "src/net/client.py"


def test_tests_come_first_only_where_they_are_asked_for(library: Library, code: Path) -> None:
    index(code, None, library=library)

    assert paths(ask(library, "retry policy"))[0] != "tests/test_retry.py"
    assert paths(ask(library, "tests of the retry policy"))[0] == "tests/test_retry.py"


def test_refs_are_searched_side_by_side(library: Library, code: Path) -> None:
    first = git(code, "rev-parse", "HEAD")
    write(code, {"src/queue.py": "class Queue:\n    pass\n"})
    git(code, "rm", "--quiet", "web/retry.ts")
    commit(code, "second")
    index(code, "main", library=library)
    index(code, first, library=library)

    assert "src/queue.py" in paths(ask(library, "Queue", ref="main"))
    assert "src/queue.py" not in paths(ask(library, "Queue", ref=first))
    assert paths(ask(library, "mayRetry lang:ts", ref=first)) == ["web/retry.ts"]
    assert paths(ask(library, "mayRetry lang:ts", ref="main")) == []
    with pytest.raises(NotFound, match="is indexed: "):
        ask(library, "Queue", ref="v9")


def test_what_was_seen_before_is_not_looked_at_again(
    library: Library, code: Path, tmp_path: Path
) -> None:
    assert index(code, None, library=library).new_files == 6

    assert index(code, None, library=library).new_files == 0
    git(code, "mv", "src/net/retry.py", "src/net/patience.py")
    assert index(code, None, library=library).new_files == 0
    assert paths(ask(library, "RetryPolicy"))[0] == "src/net/patience.py"
    write(code, {"src/net/client.py": "def call() -> None:\n    pass\n"})
    commit(code, "second")
    assert index(code, None, library=library).new_files == 1
    git(code, "checkout", "--quiet", "HEAD~1")
    assert index(code, None, library=library).new_files == 0
    git(tmp_path, "clone", "--quiet", "--bare", str(code), "clone.git")
    assert index(tmp_path / "clone.git", "main", library=library).new_files == 0


def test_an_index_of_words_that_is_lost_is_built_again(
    tmp_path: Path, code: Path, database_url: str | None
) -> None:
    with Library.open(tmp_path / "data", database_url=database_url) as library:
        index(code, None, library=library)
    for file in (tmp_path / "data/code").rglob("*"):
        if file.is_file():
            file.write_bytes(b"damaged")

    with Library.open(tmp_path / "data", database_url=database_url) as library:
        assert paths(ask(library, "RetryPolicy"))[0] == "src/net/retry.py"


def test_a_name_belongs_to_one_place(library: Library, code: Path, tmp_path: Path) -> None:
    index(code, None, library=library)

    with pytest.raises(Conflict, match="choose another"):
        index(repository(tmp_path / "b/code", {"a.py": "x = 1\n"}), None, library=library)


def test_a_repository_that_is_forgotten_leaves_nothing(library: Library, code: Path) -> None:
    index(code, None, library=library)
    library.code.delete(library.code.find("code"))

    assert library.code.all() == ()
    assert index(code, None, library=library).new_files == 5  # that a file is empty is known


@pytest.mark.parametrize("files", [{}, {"logo.png": b"\x89PNG\0"}])
def test_a_repository_with_nothing_to_search_says_so(
    library: Library, tmp_path: Path, files: dict[str, bytes]
) -> None:
    done = index(repository(tmp_path / "bare", files), None, library=library)

    assert (done.snapshot.indexed, done.snapshot.seen) == (0, len(files))
    assert ask(library, "anything").hits == ()


def test_spans_are_returned_each_for_itself_where_that_is_asked(
    library: Library, code: Path
) -> None:
    long = "".join(
        f"def retry_{n}():\n" + "    step(first, second)\n" * 30 + "\n" for n in range(4)
    )
    write(code, {"src/long.py": long})
    index(code, None, library=library)

    spans = ask(library, "retry step path:src/long.py", group_by="span").hits
    [file] = ask(library, "retry step path:src/long.py").hits

    assert len(spans) == 4
    assert len(file.more) == 3


def methods(n: int) -> str:
    """A class that is longer than a chunk, of methods that are not."""
    bodies = (
        f"    def step_{k}(self):\n" + "        walk(first, second, third)\n" * 20 for k in range(n)
    )
    return "class Walk:\n" + "\n".join(bodies)


def test_whole_definitions_are_shown_within_a_budget(library: Library, code: Path) -> None:
    write(code, {"src/walk.py": methods(3) + "\n\n" + "# walk\n" * 400})
    index(code, None, library=library)

    [whole, *_] = ask(library, "Walk step_1", max_tokens=3_000).hits
    assert (whole.path, whole.symbol, whole.complete) == ("src/walk.py", "Walk.step_1", True)
    assert whole.text.startswith("    def step_1(self):\n")
    assert whole.text.count("\n") == whole.end_line - whole.start_line + 1

    few = ask(library, "Walk step_1", max_tokens=60).hits
    assert sum(len(hit.text) for hit in few) <= 60 * 3
    assert not few[0].complete


def test_what_a_definition_shows_already_is_not_a_hit_of_its_own(
    library: Library, code: Path
) -> None:
    long = "def walk(first):\n" + "    step(first, second, third, fourth)\n" * 120
    write(code, {"src/walk.py": long})
    index(code, None, library=library)
    more = {"group_by": "span", "paths": ("src/walk.py",)}

    assert len(ask(library, "walk step", **more).hits) > 1
    [hit] = ask(library, "walk step", max_tokens=9_000, **more).hits

    assert (hit.text, hit.complete) == (long, True)
