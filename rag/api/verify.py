"""The verifier on its own."""

from typing import Annotated

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from rag.domain import DocumentId, Version
from rag.errors import InvalidRequest
from rag.verifying import Asserted, Given, Quoted, Stored, Verdict
from rag.wiring import Services

Quote = Annotated[str, Meta(min_length=1, max_length=10_000)]


class Quotation(Struct, frozen=True, forbid_unknown_fields=True):
    quote: Quote
    source: Annotated[int, Meta(ge=0)] | None = None
    """Index into `sources`; any of them if left out."""


class ClaimToCheck(Struct, frozen=True, forbid_unknown_fields=True):
    text: Quote
    quotations: Annotated[tuple[Quotation, ...], Meta(max_length=20)] = ()
    """What is to carry it; its own words are looked for if there are none."""


class SourceToCheck(Struct, frozen=True, forbid_unknown_fields=True):
    """Either a text, or a document of the library."""

    text: str | None = None
    """Markdown or plain text."""
    title: Annotated[str, Meta(max_length=1_000)] = ""
    document_id: str | None = None
    version: str | None = None
    """`sha256:…`; the current one if left out."""

    def given(self) -> Given | Stored:
        """
        Raises:
            InvalidRequest: it is both, or neither.
        """
        if (self.text is None) == (self.document_id is None):
            raise InvalidRequest("a source is either a 'text' or a 'document_id'")
        if self.text is not None:
            return Given(self.text, self.title)
        version = None if self.version is None else Version(self.version)
        return Stored(DocumentId(self.document_id or ""), version)


class ToVerify(Struct, frozen=True, forbid_unknown_fields=True):
    claims: Annotated[tuple[ClaimToCheck, ...], Meta(min_length=1, max_length=100)]
    sources: Annotated[tuple[SourceToCheck, ...], Meta(min_length=1, max_length=50)]

    def asserted(self) -> tuple[Asserted, ...]:
        """
        Raises:
            InvalidRequest: a quotation names a source that is not there.
        """
        for claim in self.claims:
            for each in claim.quotations:
                if each.source is not None and each.source >= len(self.sources):
                    raise InvalidRequest(
                        f"a quotation names source {each.source}, and there are"
                        f" {len(self.sources)}, counted from 0"
                    )
        return tuple(
            Asserted(claim.text, tuple(Quoted(q.quote, q.source) for q in claim.quotations))
            for claim in self.claims
        )


class Verdicts(Struct, frozen=True):
    claims: tuple[Verdict, ...]
    """In the order in which they were asked about."""
    supported: int
    """How many of them are."""


class VerifyController(Controller):
    path = "/v1/verify"
    tags = ["Answers"]

    @post(status_code=200)
    async def verify(
        self, data: JSONBody[ToVerify], services: NamedDependency[Services]
    ) -> Verdicts:
        """Check anybody's claims and quotations against texts, given or stored. It costs nothing:
        no model is asked."""
        sources = [source.given() for source in data.sources]
        verdicts = await services.verify(data.asserted(), sources)
        return Verdicts(verdicts, sum(verdict.supported for verdict in verdicts))
