"""`rag show` tells what is kept of a document, and `rag ask` where its quotations can be seen."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from rag.cli import show
from tests.cli.serving import Commands, written

HANDBOOK = "# Handbook\n\nWho works here reads this.\n\n## Leave\n\nThirty days a year are free.\n"


@pytest.fixture
def kept(rag: Commands, collection: str, tmp_path: Path) -> str:
    rag.ingest(written(tmp_path / "in", handbook_md=HANDBOOK), "-C", collection)
    return collection


def test_a_document_is_shown_with_its_blocks_and_headings(rag: Commands, kept: str) -> None:
    done = rag("show", "handbook.md", "-C", kept)

    assert done.code == 0
    assert "2 text, 2 title" in done.out
    assert "none: places are lines" in done.out
    assert [line.split() for line in done.out.splitlines()[-2:]] == [
        ["Handbook", "at", "0"],
        ["Leave", "at", str(HANDBOOK.index("## Leave"))],
    ]


def test_its_text_is_shown_from_a_place_on(rag: Commands, kept: str) -> None:
    at = HANDBOOK.index("## Leave")
    done = rag("show", "handbook.md", "-C", kept, "--at", str(at))
    told = json.loads(rag("show", "handbook.md", "-C", kept, "--json").out)

    assert done.out.strip() == HANDBOOK[at:].strip()
    assert "Handbook" in done.said
    assert told["document"]["key"] == "handbook.md"
    assert told["blocks"] == {"title": 2, "text": 2}


def test_a_document_or_page_that_is_not_there_is_told(rag: Commands, kept: str) -> None:
    assert "no such document" in rag("show", "nowhere.md", "-C", kept).err
    assert "no pages" in rag("show", "handbook.md", "-C", kept, "--page", "2").err


def test_looking_further_is_refused_without_a_chat_model(rag: Commands, kept: str) -> None:
    done = rag("ask", "How long is leave?", "-C", kept, "--agentic", "--yes")

    assert done.code == 2
    assert "MISTRAL_API_KEY" in done.err


def test_an_answer_says_where_its_quotation_can_be_seen(rag: Commands, kept: str) -> None:
    done = rag("ask", "How many days of leave are free?", "-C", kept)

    assert "[1] handbook.md, line 7, Handbook > Leave" in done.out
    assert "http://127.0.0.1" in done.out


CITATION = {
    "id": "cit_1",
    "key": "a.pdf",
    "title": "A",
    "quote": "It \x1b]8;;https://evil.example\x1b\\opens\u202e at nine.",
    "verified": "exact",
    "code": None,
    "pages": [{"number": 3, "boxes": []}],
    "lines": None,
    "source": {"heading_path": ["\x1b[31mGate"]},
    "links": {"document": "/v1/documents/d", "image": "/v1/citations/cit_1/image"},
}
ANSWER = {
    "outcome": "answered",
    "text": "It opens.",
    "claims": [{"start": 0, "end": 9, "supported": True, "citations": ["cit_1"]}],
    "citations": [CITATION],
    "looked": [],
    "answerer": "extractive",
}


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_gets_a_link_and_everything_else_an_address(is_terminal: bool) -> None:
    heard = StringIO()
    colors = "truecolor" if is_terminal else None
    on = Console(file=heard, width=100, force_terminal=is_terminal, color_system=colors)
    show.answer(ANSWER, address="http://127.0.0.1:8000", on=on)
    shown = heard.getvalue()

    assert shown.count("http://127.0.0.1:8000/v1/citations/cit_1/image") == 1
    assert ("\x1b]8;" in shown) == is_terminal


def test_no_document_speaks_to_the_terminal() -> None:
    heard = StringIO()
    show.answer(ANSWER, on=Console(file=heard, width=100, color_system=None))
    shown = heard.getvalue()

    assert "a.pdf, page 3" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
