"""The REST API: services -> an ASGI application."""

from typing import TypeVar

from litestar import Litestar, Router
from litestar.di import Provide

from rag.api.answers import AnswersController
from rag.api.bodies import StrictRequest, only_json
from rag.api.browsing import BrowsingController
from rag.api.collections import CollectionsController
from rag.api.contents import ContentsController
from rag.api.documents import DocumentsController
from rag.api.feedback import FeedbackController
from rag.api.gate import Gate
from rag.api.health import HealthController
from rag.api.indexes import IndexesController
from rag.api.jobs import JobsController
from rag.api.limits import Limits
from rag.api.operations import OperationsController
from rag.api.pages import PagesController
from rag.api.problems import respond
from rag.api.receiving import Receiving
from rag.api.repositories import RepositoriesController
from rag.api.search import SearchController
from rag.api.tracing import Tracing
from rag.api.uploads import Places
from rag.api.usage import UsageController
from rag.api.verify import VerifyController
from rag.api.wording import WordingController
from rag.wiring import Services

Value = TypeVar("Value")


def create_app(services: Services, *, limits: Limits | None = None) -> Litestar:
    """The API over these services. They are started and stopped by whoever made them."""
    chosen = limits or Limits(upload_bytes=services.settings.max_upload)

    app = Litestar(
        route_handlers=[
            Router(
                "/", route_handlers=[DocumentsController], request_max_body_size=chosen.upload_bytes
            ),
            CollectionsController,
            IndexesController,
            ContentsController,
            JobsController,
            SearchController,
            BrowsingController,
            WordingController,
            RepositoriesController,
            AnswersController,
            FeedbackController,
            VerifyController,
            HealthController,
            OperationsController,
            UsageController,
            PagesController,
        ],
        dependencies={
            "services": _constant(services),
            "places": _constant(Places(chosen.uploads)),
            "fetches": _constant(Places(chosen.fetches, "fetches")),
        },
        exception_handlers={Exception: respond},
        before_request=only_json,
        logging_config=None,
        openapi_config=None,
        request_class=StrictRequest,
        request_max_body_size=chosen.json_bytes,
    )
    # around the router, so that unknown addresses are named, logged and guarded as well
    receiving = Receiving(app.asgi_handler, chosen)
    app.asgi_handler = Tracing(Gate(receiving, services.settings.allowed_hosts))
    return app


def _constant(value: Value) -> Provide:
    return Provide(lambda: value, sync_to_thread=False)
