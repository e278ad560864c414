"""Patterns match as those of a .gitignore do."""

import pytest

from rag.errors import InvalidRequest
from rag.sources.patterns import Patterns


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.md", "a.md", True),
        ("*.md", "deep/er/a.md", True),  # without a slash: at every depth
        ("*.md", "a.mdx", False),
        ("/a.md", "a.md", True),
        ("/a.md", "deep/a.md", False),  # with one: from the top
        ("deep/*.md", "deep/a.md", True),
        ("deep/*.md", "deep/er/a.md", False),
        ("deep/**/a.md", "deep/a.md", True),
        ("deep/**/a.md", "deep/e/r/a.md", True),
        ("**/er/a.md", "er/a.md", True),
        ("deep/**", "deep/er/a.md", True),
        ("drafts/", "drafts/", True),
        ("drafts/", "old/drafts/a.md", True),
        ("drafts/", "drafts", False),  # a file
        ("drafts", "drafts/a.md", True),
        ("a?.md", "ab.md", True),
        ("a?b", "a/b", False),
        ("[!a-c].md", "d.md", True),
        ("[!a-c].md", "b.md", False),
        ("[]x].md", "].md", True),
        ("a[b", "a[b", True),
        (r"\*.md", "*.md", True),
        (r"\*.md", "a.md", False),
        ("a.md", "axmd", False),
    ],
)
def test_a_pattern_matches_what_it_says(pattern: str, path: str, matches: bool) -> None:
    assert Patterns([pattern]).match(path) is matches


def test_the_last_pattern_that_matches_decides() -> None:
    patterns = Patterns(["*.md", "!keep.md", "deep/keep.md"])

    assert patterns.match("a.md")
    assert not patterns.match("keep.md")
    assert patterns.match("deep/keep.md")


@pytest.mark.parametrize("pattern", ["", "/", "!", "[z-a].md"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidRequest):
        Patterns([pattern])
