"""Questions from a repository's own history: what a commit says, and the files that it changed.

All are asked of the state before the oldest of them, so no answer is in what is searched. A
subject that names one of its files asks for nothing, and is left out.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from msgspec import Struct

from rag.errors import InvalidRequest
from rag.ranking.code.order import is_test
from rag.ranking.code.terms import parts_of
from rag.sources.git.history import Commit
from rag.sources.git.repository import Place
from rag.syntax.languages import DATA, language_of
from rag.syntax.worth import is_vendored, unwanted_name

MOST_FILES = 3
"""Of code that a commit changes, beyond which its subject does not say where to look."""

MOST_TOUCHED = 20
"""Files of any kind, beyond which it is an upheaval."""

FEWEST_WORDS = 3

LOOKED_THROUGH = 20
"""Commits for each case that is wanted: one in five makes one where people write subjects."""

_KIND = re.compile(
    r"^(?:feat|fix|bugfix|hotfix|chore|docs?|refactor|perf|tests?|build|ci|style)"
    r"(?:\([^)]*\))?!?:\s*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\s*\(?(?:(?:closes|fixes|refs?|see|pr|gh-?)\s*)?#\d+\)?", re.IGNORECASE)
_SAYS_NOTHING = re.compile(
    r"^(?:revert|merge|bump|release|prepare|version"
    r"|update (?:dependenc|changelog|version|copyright)|v?\d+\.\d|typos?\b|fix typos?"
    r"|lint|format|reformat|cleanup|clean up|wip\b)",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")


class MinedCase(Struct, frozen=True):
    id: str
    """The commit's."""
    question: str
    paths: tuple[str, ...]
    """All of them are to be found."""


class Mined(Struct, frozen=True):
    base: str
    """The commit whose files are searched: it came before every case."""
    cases: tuple[MinedCase, ...]
    read: int
    """Commits that were looked at."""
    left_out: dict[str, int]
    """How many of them make no case, by the reason."""


def mine_history(folder: Path, ref: str | None, most: int) -> Mined:
    """The latest cases of a repository.

    Raises:
        NotFound: there is no such folder or ref, or no git in it.
        InvalidRequest: no commit makes a case.
    """
    place = Place(folder)
    commits = list(place.commits(ref, LOOKED_THROUGH * most))
    made = [n for n, each in enumerate(commits) if isinstance(case_of(each), MinedCase)][:most]
    if not made:
        raise InvalidRequest(
            f"none of the last {len(commits):,} commits makes a case: its subject must say"
            f" something, and it must change one to {MOST_FILES} files of code"
        )
    since = commits[: made[-1] + 1]
    base = since[-1].parent
    return mine(since, [file.path for file in place.tree(base).files], base)


def mine(commits: Iterable[Commit], there: Iterable[str], base: str) -> Mined:
    """
    Args:
        commits: that came after `base`, the latest first.
        there: the paths of `base`.
    """
    known = frozenset(there)
    found = [case_of(commit, known) for commit in commits]
    cases = tuple(each for each in found if isinstance(each, MinedCase))
    reasons = Counter(each for each in found if isinstance(each, str))
    return Mined(base, cases, len(found), dict(reasons.most_common()))


def case_of(commit: Commit, there: frozenset[str] | None = None) -> MinedCase | str:
    """The case that a commit makes, or why it makes none.

    Args:
        there: paths that are searched; any where None.
    """
    question = _NUMBER.sub("", _KIND.sub("", commit.subject)).strip()
    code = tuple(path for path in commit.modified if _is_code(path))
    if _SAYS_NOTHING.search(question) or len(_WORD.findall(question)) < FEWEST_WORDS:
        return "its subject says nothing"
    if not code:
        return "it changes no code that was there"
    if len(code) > MOST_FILES or commit.touched > MOST_TOUCHED:
        return "it changes much at once"
    if there is not None and not there.issuperset(code):
        return "its files came later than the state that is searched"
    if any(names(question, path) for path in code):
        return "its subject names the file"
    return MinedCase(commit.id, question, code)


def names(question: str, path: str) -> bool:
    """Whether a question says a file's name, in whatever way it is written."""
    said = [part.rstrip("s") for word in _WORD.findall(question) for part in parts_of(word)]
    stem = PurePosixPath(path).name.split(".", 1)[0]
    wanted = [part.rstrip("s") for part in parts_of(stem)]
    runs = (said[n : n + len(wanted)] for n in range(len(said) - len(wanted) + 1))
    return any(run == wanted for run in runs) or "".join(wanted) in said


def _is_code(path: str) -> bool:
    language = language_of(path)
    return (
        language not in DATA
        and language != "text"
        and not is_test(path)
        and not is_vendored(path)
        and unwanted_name(path) is None
        and PurePosixPath(path).stem.strip("_") != "version"  # every release changes it
    )
