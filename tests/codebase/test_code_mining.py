"""Questions from a repository's own history."""

from pathlib import Path

import pytest

from rag.codebase.mining import MinedCase, case_of, mine_history, names
from rag.errors import InvalidRequest, NotFound
from rag.sources.git.history import Commit
from tests.codebase.repositories import commit, git, repository, write


def made(subject: str, *paths: str, touched: int = 2) -> MinedCase | str:
    return case_of(Commit("c0ffee", "b10b", subject, paths, touched))


def test_a_subject_is_a_question_without_its_prefix_and_number() -> None:
    found = made("fix(net): limit how often a call is made (#12)", "src/retry.py", "README.md")

    assert found == MinedCase("c0ffee", "limit how often a call is made", ("src/retry.py",))


@pytest.mark.parametrize(
    ("subject", "paths", "touched", "why"),
    [
        ("Merge branch 'main' of somewhere", ("a.py",), 1, "its subject says nothing"),
        ("fix: typos", ("a.py",), 1, "its subject says nothing"),
        ("explain how calls are limited", ("docs/calls.md",), 1, "it changes no code"),
        ("test how calls are limited", ("tests/test_calls.py",), 1, "it changes no code"),
        ("limit how calls are made", ("a.py", "b.py", "c.py", "d.py"), 4, "it changes much"),
        ("limit how calls are made", ("a.py",), 100, "it changes much"),
        ("limit the retry of calls", ("src/retry.py",), 1, "its subject names the file"),
    ],
)
def test_what_makes_no_case_has_a_reason(
    subject: str, paths: tuple[str, ...], touched: int, why: str
) -> None:
    found = made(subject, *paths, touched=touched)

    assert isinstance(found, str)
    assert found.startswith(why)


@pytest.mark.parametrize(
    ("question", "path", "is_named"),
    [
        ("close the HTTPClient twice", "src/http_client.py", True),
        ("close the http client twice", "src/HttpClient.java", True),
        ("decoders keep their state", "src/decoder.rs", True),
        ("apply the patch again", "src/app.py", False),
        ("happened upon an error", "src/app.py", False),
    ],
)
def test_a_file_is_named_however_it_is_written(question: str, path: str, is_named: bool) -> None:
    assert names(question, path) is is_named


def test_cases_are_asked_of_the_state_before_the_oldest_of_them(tmp_path: Path) -> None:
    code = repository(tmp_path / "shop", {"src/retry.py": "LIMIT = 3\n", "src/call.py": "x = 1\n"})
    base = git(code, "rev-parse", "HEAD")
    write(code, {"src/retry.py": "LIMIT = 5\n"})
    first = commit(code, "fix: calls give up too early")
    write(code, {"src/new.py": "y = 1\n"})
    commit(code, "something else comes along")
    write(code, {"src/new.py": "y = 2\n"})
    commit(code, "something else gets better")
    write(code, {"src/call.py": "x = 2\n"})
    last = commit(code, "count from two on")

    mined = mine_history(code, None, 10)

    assert mined.base == base
    assert [case.id for case in mined.cases] == [last, first]
    assert mined.left_out == {
        "its files came later than the state that is searched": 1,
        "it changes no code that was there": 1,
    }
    assert [case.id for case in mine_history(code, None, 1).cases] == [last]
    assert mine_history(code, "HEAD~1", 10).cases[-1].id == first


def test_a_history_without_cases_says_so(tmp_path: Path) -> None:
    code = repository(tmp_path / "shop", {"a.py": "x = 1\n"})

    with pytest.raises(InvalidRequest, match="makes a case"):
        mine_history(code, None, 10)
    (tmp_path / "plain").mkdir()
    with pytest.raises(NotFound, match="no history"):
        mine_history(tmp_path / "plain", None, 10)
