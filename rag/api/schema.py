"""The OpenAPI document, completed with what the framework cannot know: how failures look, and
the bodies that bring documents."""

import json
import sys
from functools import cache
from typing import Any, TypeAlias

import msgspec
from litestar import Litestar
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from msgspec import Struct

from rag import __version__
from rag.api.answers import AnswersController, Ask
from rag.api.browsing import BrowsingController, Grep, Matches, Navigate, Open
from rag.api.collections import CollectionChange, CollectionsController, NewCollection
from rag.api.contents import ContentsController, PageText
from rag.api.docstrings import attribute_docs
from rag.api.documents import Accepted, DocumentsController, Offer, Put, Refusals
from rag.api.feedback import FeedbackController, GivenFeedback
from rag.api.health import HealthController, Models, Ready
from rag.api.indexes import Begun, Chosen, Compare, IndexesController, Reindex
from rag.api.jobs import JobsController, Webhook, Which
from rag.api.operations import Checked, CheckWanted, OperationsController, Rebuilding, RebuildWanted
from rag.api.problems import MEDIA_TYPE, Problem
from rag.api.repositories import (
    CodeSearch,
    Coverage,
    EmbedWanted,
    NewRepository,
    Refresh,
    RepositoriesController,
    RepositoryState,
)
from rag.api.search import Search, SearchController, SearchMany, SearchWhy
from rag.api.uploads import NewDocument, PutText
from rag.api.verify import ToVerify, Verdicts, VerifyController
from rag.browsing.opening import Opened
from rag.browsing.outlines import Outline
from rag.codebase.embedding import Embedded, Plan
from rag.codebase.indexing import Indexed
from rag.codebase.searching import CodeResult
from rag.codebase.symbols import Symbols
from rag.comparing import Comparison
from rag.domain import (
    Answer,
    Collection,
    Document,
    DocumentSummary,
    IndexSummary,
    IngestItem,
    IngestJob,
    Judged,
    Retried,
)
from rag.reindexing import Forecast
from rag.retrieval.chatting import Price
from rag.retrieval.missing import Why
from rag.retrieval.queries import SearchResult

Json: TypeAlias = dict[str, Any]  # a JSON object; its values are anything

REFERENCE = "#/components/schemas/{name}"
DOCUMENTS = "/v1/collections/{collection}/documents"

SHAPES = (
    *(Search, SearchMany, SearchResult, Price, SearchWhy, Why, Ask, Answer),
    *(Open, Opened, Navigate, Outline, Grep, Matches, ToVerify, Verdicts),
    *(GivenFeedback, Judged),
    *(NewCollection, CollectionChange, Collection),
    *(Reindex, Begun, Forecast, IndexSummary, Chosen, Compare, Comparison),
    *(NewDocument, PutText, Accepted, Put, DocumentSummary, Document, PageText),
    *(Offer, Refusals),
    *(IngestJob, IngestItem, Which, Retried, Webhook),
    *(Ready, Models, Problem),
    *(
        NewRepository,
        Refresh,
        RepositoryState,
        Indexed,
        Coverage,
        CodeSearch,
        CodeResult,
        Symbols,
        EmbedWanted,
        Embedded,
        Plan,
    ),
    *(CheckWanted, Checked, RebuildWanted, Rebuilding),
)
"""Described from their structs: the framework leaves out bounds, tags and docstrings."""

DESCRIPTION = """Cited answers from your own documents.

Offsets count Unicode code points of a document's text. Lists are pages: `next` of one is `after`
of the following. Every failure is a problem document (RFC 9457) with a stable `code`."""


DESCRIBED = (
    SearchController,
    BrowsingController,
    AnswersController,
    FeedbackController,
    VerifyController,
    CollectionsController,
    IndexesController,
    DocumentsController,
    ContentsController,
    JobsController,
    RepositoriesController,
    HealthController,
    OperationsController,
)
"""In the order in which the documentation shows them."""


@cache
def openapi() -> bytes:
    """The document as JSON. It describes the controllers, not one running application."""
    described = Litestar(
        route_handlers=DESCRIBED,
        dependencies={name: _not_called() for name in ("services", "places", "fetches")},
        logging_config=None,
        openapi_config=OpenAPIConfig(
            title="rag", version=__version__, description=DESCRIPTION, use_handler_docstrings=True
        ),
    )
    return json.dumps(completed(_plain(described.openapi_schema.to_schema()))).encode()


def _not_called() -> Provide:
    return Provide(lambda: None, sync_to_thread=False)


def completed(schema: Json) -> Json:
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(_shapes())
    for path in schema["paths"].values():
        for operation in path.values():
            first, _, rest = operation["description"].partition("\n")
            operation["summary"], operation["description"] = first.rstrip("."), rest.strip()
            operation["responses"].pop("400", None)
            operation["responses"]["default"] = _problem()
    schema["paths"][DOCUMENTS]["post"]["requestBody"] = _new_documents()
    schema["paths"][DOCUMENTS + "/{key}"]["put"]["requestBody"] = _one_document()
    return schema


def _shapes() -> Json:
    """The shapes and what they are made of, with the strings below their attributes."""
    _, shapes = msgspec.json.schema_components(SHAPES, ref_template=REFERENCE)
    structs = _structs()
    for name in shapes.keys() & structs.keys():
        properties = shapes[name].get("properties", {})
        for attribute, text in attribute_docs(structs[name]).items():
            if attribute in properties:
                properties[attribute]["description"] = text
    return shapes


def _structs() -> dict[str, type[Struct]]:
    """By name: the structs that the modules of the shapes know."""
    modules = [sys.modules[kind.__module__] for kind in SHAPES]
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Struct)
    }


def _plain(value: Any) -> Any:
    """The framework describes the items of `tuple[X, ...]` as "X or anything": here as X."""
    if isinstance(value, dict):
        if len(value) == 1 and len(choices := value.get("oneOf", ())) == 2 and {} in choices:
            return _plain(next(each for each in choices if each != {}))
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _problem() -> Json:
    return {
        "description": "What went wrong, and what to do.",
        "content": {MEDIA_TYPE: {"schema": _reference("Problem")}},
    }


def _new_documents() -> Json:
    form = {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {
                "type": "array",
                "items": {"type": "string", "format": "binary"},
                "description": "Each file's name is its key.",
            },
            "title": {"type": "string", "description": "Of a single file."},
            "attributes": {"type": "string", "description": "A JSON object, for every file."},
        },
    }
    return {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": form},
            "application/json": {"schema": _reference("NewDocument")},
        },
    }


def _one_document() -> Json:
    return {
        "required": True,
        "content": {
            "application/json": {"schema": _reference("PutText")},
            "*/*": {"schema": {"type": "string", "format": "binary"}},
        },
    }


def _reference(name: str) -> Json:
    return {"$ref": REFERENCE.format(name=name)}
