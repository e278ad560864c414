import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.api.keys import MAX_KEY, normalized_key
from rag.errors import InvalidRequest


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("a.md", "a.md"),
        ("/notes/a.md", "notes/a.md"),  # a path parameter begins with a slash
        ("notes//./a.md", "notes/a.md"),
        ("notes/", "notes"),
        ("Übersicht 2024 (final).pdf", "Übersicht 2024 (final).pdf"),
        ("..hidden/..a", "..hidden/..a"),  # dots within a name climb nowhere
        ("https://example.org/a?b=c", "https://example.org/a?b=c"),
        ("/https://example.org/a//b/", "https://example.org/a//b/"),
        ("https:/example.org/", "https://example.org/"),  # proxies make one slash of two
        ("https:", "https:"),
        ("notes/https://a", "notes/https:/a"),
        ("C:\\docs\\a.md", "C:\\docs\\a.md"),
    ],
)
def test_a_key_is_a_relative_path(name: str, key: str) -> None:
    assert normalized_key(name) == key


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "././",
        "..",
        "../etc/passwd",
        "a/../b",
        "a\x00b",
        "a\nb",
        "a\x7f",
        "\ud800",  # half of a character, which no file can hold
        "x" * (MAX_KEY + 1),
    ],
)
def test_what_cannot_be_a_key_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        normalized_key(name)


@given(st.text())
def test_a_normalized_key_stays_as_it_is(name: str) -> None:
    try:
        key = normalized_key(name)
    except InvalidRequest:
        return

    assert normalized_key(key) == key
    assert not key.startswith("/")
    assert ".." not in key.split("/")
