"""The head of a markdown file becomes attributes, and nothing worse."""

import pytest

from rag.local.reading.frontmatter import front_matter
from rag.local.reading.kinds import read_kind
from rag.local.reading.limits import Limits


@pytest.mark.parametrize(
    ("head", "attributes"),
    [
        ("year: 2020\nprice: 1.5\ndraft: true", {"year": 2020, "price": 1.5, "draft": True}),
        (
            "lang: no\nday: 2020-05-01\nat: 12:30",
            {"lang": "no", "day": "2020-05-01", "at": "12:30"},
        ),
        ('code: "007"\nzip: 007', {"code": "007", "zip": "007"}),
        ("tags: [a, 7]\nby:\n  - Ann\n  - Bo", {"tags": ("a", "7"), "by": ("Ann", "Bo")}),
        ("text: |\n  two\n  lines", {"text": "two\nlines\n"}),
        ("none:\nnull: ~\nnested: {a: 1}", {}),
        ("big: 123456789012345678901234567890", {"big": "123456789012345678901234567890"}),
        ('nul: "a\\0b"\nhalf: "\\ud800"', {}),
        ("not: [yaml", {}),
        ("just words", {}),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", {"a": ("x", "x"), "b": (), "c": ()}),
        ("x: !!python/object/apply:os.system [ls]", {}),
        ("[" * 10_000, {}),
    ],
)
def test_a_head_becomes_attributes(head: str, attributes: dict[str, object]) -> None:
    assert front_matter(f"---\n{head}\n---\n# Title\n") == attributes


@pytest.mark.parametrize("text", ["# Title\n---\na: 1\n---\n", "---\na: 1\n", "----\na: 1\n---\n"])
def test_only_a_closed_head_at_the_very_top_counts(text: str) -> None:
    assert front_matter(text) == {}


def test_a_title_in_the_head_is_the_documents_title() -> None:
    content = b"---\ntitle: Of Whales\nyear: 1851\n---\n# Loomings\n\nCall me Ishmael.\n"
    readout = read_kind(content, "text/markdown", "a.md", Limits(), lambda bitmaps: [])

    assert (readout.title, readout.attributes) == ("Of Whales", {"year": 1851})
    assert readout.text == content.decode()
