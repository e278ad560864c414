"""Whether the service lives, whether it can answer, and with what."""

from collections.abc import Iterator

from litestar import Controller, get
from litestar.di import NamedDependency
from msgspec import Struct

from rag.api.problems import Refused
from rag.settings import Role
from rag.storage.derived import IndexHealth
from rag.storage.library import Health
from rag.storage.scrubbing import Scrubbed
from rag.storage.space import Room
from rag.wiring import Services

RETRY_READY = 2.0  # seconds; a first ingest of the samples takes a few


class Live(Struct, frozen=True):
    status: str = "live"


class EmbeddingModel(Struct, frozen=True):
    name: str
    dimension: int
    is_default: bool
    """Whether new collections are embedded with it."""


class Ready(Struct, frozen=True):
    """What the service answers from."""

    database_ok: bool
    documents: int
    chunks: int
    indexes: tuple[IndexHealth, ...]
    degraded: tuple[str, ...]
    """What is not as it should be, and what is done about it; questions are answered."""
    disk: Room
    """While it is low, nothing is taken in (507)."""
    last_scrub: Scrubbed | None
    """When some of each index was last read again and compared."""


class Models(Struct, frozen=True):
    """What reads, embeds and answers here."""

    reading: dict[str, str]
    """Media type -> what reads it; `*` reads all others."""
    embedding: tuple[EmbeddingModel, ...]
    answering: str
    batch_lane: bool
    """Whether documents can be handed in with `lane=batch`."""
    left_out_of_batches: tuple[Role, ...]
    """What is bought at once, and at full price, in that lane too: another account has it."""
    notices: tuple[str, ...]
    """What the operator should know: a model that could not be loaded ..."""


class HealthController(Controller):
    tags = ["Service"]

    @get("/health/live", sync_to_thread=False)
    def live(self) -> Live:
        """Tell whether the process answers at all."""
        return Live()

    @get("/health/ready", sync_to_thread=True)
    def ready(self, services: NamedDependency[Services]) -> Ready:
        """Tell whether questions can be answered: 503 while they cannot."""
        health = services.library.health()
        if not (health.database_ok and services.ready()):
            raise Refused(
                503, "not_ready", "questions cannot be answered yet", retry_after=RETRY_READY
            )
        room = services.library.room()
        return Ready(
            health.database_ok,
            health.documents,
            health.chunks,
            health.indexes,
            tuple(_degraded(health, room)),
            room,
            services.library.last_scrub(),
        )

    @get("/v1/models", sync_to_thread=False)
    def models(self, services: NamedDependency[Services]) -> Models:
        """List what reads, embeds and answers here."""
        special = {media_type: each.fingerprint for media_type, each in services.readers.items()}
        embedding = tuple(
            EmbeddingModel(name, each.dimension, name == services.embedding_model)
            for name, each in services.embedders.items()
        )
        return Models(
            {**special, "*": services.readers["*"].fingerprint},
            embedding,
            services.answerer.name,
            services.has_batch_lane,
            services.left_out_of_batches,
            tuple(services.notices),
        )


def _degraded(health: Health, room: Room) -> Iterator[str]:
    for index in health.indexes:
        if index.state == "rebuilding":
            yield f"the {index.kind} index of {index.collection} is being built again"
    if room.is_low:
        yield (
            f"the disk is low: {room.free >> 20} MB are free, and nothing is taken in before"
            f" {room.needed >> 20} MB are"
        )
