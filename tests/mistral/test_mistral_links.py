"""Targets of links are put where their anchors stand."""

import pytest

from rag.mistral.ocr.links import links

NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("target", "text", "written"),
    [
        (
            "https://www.example.org/",
            "See www.example.org.",
            "See [www.example.org](https://www.example.org/).",
        ),
        (
            "mailto:ann@example.org",
            "Write (ann@example.org)!",
            "Write ([ann@example.org](mailto:ann@example.org))!",
        ),
        (
            "https://example.org/a(b)",
            "| example.org/a%28b%29 |",
            "| [example.org/a%28b%29](https://example.org/a%28b%29) |",
        ),
    ],
)
def test_an_address_in_the_text_becomes_a_link(target: str, text: str, written: str) -> None:
    found = links([target], text, NONE)

    assert found.written(text) == written
    assert found.loose == ()


@pytest.mark.parametrize(
    "text",
    [
        "Click [here](https://example.org/a).",  # it is a link already
        "See https://example.org/a for more.",
        "<https://example.org/a>",
    ],
)
def test_a_target_that_the_text_has_is_left_alone(text: str) -> None:
    found = links(["https://example.org/a"], text, NONE)

    assert (found.written(text), found.loose) == (text, ())


@pytest.mark.parametrize(
    "text", ["Click here.", "Not example.org/ab, nor xexample.org/a, nor example.org/a/b."]
)
def test_a_target_without_an_anchor_is_kept(text: str) -> None:
    found = links(["https://example.org/a"] * 2, text, NONE)

    assert (found.written(text), found.loose) == (text, ("<https://example.org/a>",))


@pytest.mark.parametrize(
    "target",
    ["#page=3", "javascript:alert(1)", "file:///etc/passwd", "https://", "", "https://a\nb"],
)
def test_what_leads_nowhere_or_into_a_trap_is_not_kept(target: str) -> None:
    assert links([target], "Text", NONE).loose == ()


def test_a_running_link_says_nothing_of_a_page() -> None:
    assert links(["https://a.example"], "Text", frozenset({"https://a.example"})).loose == ()
