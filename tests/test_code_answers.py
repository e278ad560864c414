"""Answers that quote code: the same proof as for documents, and places that can be gone to."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rag.answering import Question, answer
from rag.codebase.indexing import index
from rag.codebase.passages import start_of_line
from rag.domain import Answer, Draft, DraftClaim, Evidence, Quotation, Usage
from rag.errors import NotFound
from rag.gathering import Within
from rag.local.extractive import ExtractiveAnswerer
from rag.ports import Answerer, Embedders
from tests.codebase.repositories import commit, git, repository, write
from tests.houses import House

pytestmark = pytest.mark.anyio

RETRY = '''"""How often a call is tried again."""

MOST = 5  # attempts, the first included


class RetryPolicy:
    """Says whether a failed call is made once more."""

    def may_retry(self, attempt: int) -> bool:
        return attempt < MOST
'''
CLIENT = "from retry import RetryPolicy\n\n\ndef call() -> None:\n    send('connection reset')\n"
RULES = "# Rules\n\nA failed call is tried five times before anybody is woken.\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "data", None)
    yield house
    house.library.close()


@pytest.fixture
def either(tmp_path: Path, database_url: str | None) -> Iterator[House]:
    """On each kind of database."""
    house = House(tmp_path / "data", database_url)
    yield house
    house.library.close()


@pytest.fixture
def code(tmp_path: Path) -> Path:
    return repository(tmp_path / "shop", {"src/retry.py": RETRY, "src/client.py": CLIENT})


class Quoting:
    """Quotes a line of each block that has one of these."""

    name = "quoting"

    def __init__(self, *lines: str) -> None:
        self._lines = lines
        self.seen: Sequence[Evidence] = ()

    async def draft(self, question: str, evidence: Sequence[Evidence]) -> tuple[Draft, Usage]:
        self.seen = evidence
        claims = [
            DraftClaim(line, (Quotation(block.label, line),))
            for block in evidence
            for line in self._lines
            if line in block.text
        ]
        return Draft(bool(claims), tuple(claims)), Usage(self.name)


async def ask(
    house: House, text: str, within: Within, answerer: Answerer, ref: str | None = None
) -> Answer:
    return await answer(
        Question(text, ref=ref),
        within,
        embedders=Embedders({}),
        answerer=answerer,
        library=house.library,
    )


async def test_a_quotation_of_code_says_repository_commit_file_and_lines(
    house: House, code: Path
) -> None:
    index(code, None, library=house.library)
    within = house.library.code.all()
    answered = await ask(
        house, "where is RetryPolicy defined", within, Quoting("return attempt < MOST")
    )

    [citation] = answered.citations
    assert citation.code is not None
    assert citation.key == citation.code.path == "src/retry.py"
    assert citation.lines == (10, 10)
    assert citation.code.commit == git(code, "rev-parse", "HEAD")
    assert citation.code.repository == "shop"
    kept = git(code, "cat-file", "blob", citation.code.blob)
    assert kept[citation.source.start : citation.source.end] == citation.quote
    assert house.library.answers.find(answered.id) == answered


async def test_code_that_is_not_there_is_not_quoted(house: House, code: Path) -> None:
    index(code, None, library=house.library)
    invented = DraftClaim("It gives up.", (Quotation(1, "raise GivenUp(attempt, reason)"),))

    class Inventing(Quoting):
        async def draft(self, question: str, evidence: Sequence[Evidence]) -> tuple[Draft, Usage]:
            return Draft(True, (invented,)), Usage(self.name)

    answered = await ask(house, "RetryPolicy", house.library.code.all(), Inventing())

    assert answered.outcome == "insufficient"
    assert answered.citations == ()
    assert answered.nearest[0].code is not None


async def test_documents_and_code_answer_one_question_together(house: House, code: Path) -> None:
    index(code, None, library=house.library)
    await house.ingest(rules=RULES)
    answerer = Quoting(
        "A failed call is tried five times before anybody is woken.",
        '"""Says whether a failed call is made once more."""',
    )
    within = [house.library.collections.find("notes"), *house.library.code.all()]
    answered = await ask(house, "how often is a failed call tried again", within, answerer)

    assert {each.key for each in answered.citations} == {"rules.md", "src/retry.py"}
    assert {each.code is None for each in answered.citations} == {True, False}
    assert [block.label for block in answerer.seen] == list(range(1, len(answerer.seen) + 1))
    assert max(block.score for block in answerer.seen) == 1


async def test_a_citation_is_stale_once_its_ref_has_another_file_there(
    either: House, code: Path
) -> None:
    git(code, "tag", "v1")
    index(code, "main", library=either.library)
    index(code, "v1", library=either.library)
    within = either.library.code.all()
    line = "return attempt < MOST"
    of_main, of_tag = [
        await ask(either, "where is RetryPolicy defined", within, Quoting(line), ref)
        for ref in ("main", "v1")
    ]
    write(code, {"src/client.py": CLIENT + "\n\ncall()\n"})
    commit(code, "elsewhere")
    index(code, "main", library=either.library)
    assert not either.library.answers.citation(of_main.citations[0].id).stale

    write(code, {"src/retry.py": RETRY.replace("< MOST", "<= MOST")})
    commit(code, "one more")
    index(code, "main", library=either.library)

    assert either.library.answers.citation(of_main.citations[0].id).stale
    assert not either.library.answers.find(of_tag.id).citations[0].stale


async def test_answers_go_with_the_repository_that_they_show(either: House, code: Path) -> None:
    index(code, None, library=either.library)
    [shop] = either.library.code.all()
    quoting, refusing = Quoting("return attempt < MOST"), Quoting()
    answered = await ask(either, "RetryPolicy", [shop], quoting)
    refused = await ask(either, "RetryPolicy", [shop], refusing)
    assert either.library.answers.find(refused.id).nearest

    either.library.code.delete(shop)

    for each in (answered, refused):
        with pytest.raises(NotFound):
            either.library.answers.find(each.id)
    with pytest.raises(NotFound):
        either.library.answers.citation(answered.citations[0].id)


async def test_without_a_chat_model_the_lines_that_answer_are_found(
    house: House, code: Path
) -> None:
    index(code, None, library=house.library)
    within = house.library.code.all()
    defined = await ask(house, "where is RetryPolicy defined", within, ExtractiveAnswerer(None))
    unknown = await ask(house, "how are bananas peeled", within, ExtractiveAnswerer(None))

    assert defined.outcome == "answered"
    assert defined.citations[0].quote.startswith("class RetryPolicy:")
    assert unknown.outcome in ("no_evidence", "insufficient")


async def test_an_unknown_ref_is_refused(house: House, code: Path) -> None:
    index(code, None, library=house.library)

    with pytest.raises(NotFound, match="v9"):
        await ask(house, "RetryPolicy", house.library.code.all(), Quoting(), "v9")


def test_lines_begin_after_line_feeds_alone() -> None:
    text = "a\r\nb\x0cc\nd"

    assert [text[start_of_line(text, n) :] for n in (1, 2, 3)] == [text, "b\x0cc\nd", "d"]
