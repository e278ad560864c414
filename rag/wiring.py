"""The composition root: settings -> services. The one module that knows every class."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from decimal import Decimal
from pathlib import Path

import msgspec

from rag import picturing
from rag.answering import Event, Question, answer, answer_price, answering
from rag.browsing import grepping, verbs
from rag.browsing.grepping import Grepped
from rag.browsing.opening import Opened, Place
from rag.browsing.outlines import Outline
from rag.browsing.verbs import Pattern, Scope
from rag.buying.buyer import Buyer
from rag.chunking.chunks import CHUNKER
from rag.codebase.cloning import Clones
from rag.codebase.following import CodeFollower
from rag.codebase.refreshing import CodeRefresher
from rag.comparing import Comparison, Probe, compare
from rag.domain import (
    Answer,
    CitationId,
    Collection,
    CollectionId,
    DocumentId,
    Failure,
    IndexId,
    IngestJob,
    JobId,
    Lane,
    Source,
    Usage,
    Version,
)
from rag.errors import Conflict, InvalidRequest, InvalidSettings, ModelUnavailable, NotFound
from rag.estimation import Estimate, estimate
from rag.evaluation.wording import Worded
from rag.fetching import Wanted, fetch
from rag.gathering import Within
from rag.ingestion import refusals
from rag.local.extractive import ExtractiveAnswerer
from rag.local.reading.limits import Limits
from rag.local.reading.reader import LocalReader
from rag.mistral.embedding.embedder import MistralEmbedder
from rag.mistral.ocr.kinds import DOC, MODERN_IMAGES, PPT
from rag.mistral.ocr.reader import MistralReader
from rag.pausing import Pause
from rag.ports import Answerer, Embedder, Embedders, Readers
from rag.providers import Providers
from rag.ranking.selfcheck import PRIOR_WEIGHT
from rag.reindexing import Forecast, foresee
from rag.retrieval.chatting import Price, price, required_questioner
from rag.retrieval.missing import Why, why
from rag.retrieval.queries import Query, SearchResult
from rag.retrieval.searching import search_each
from rag.routing import RoutingReader
from rag.sentence_models import MODELS_IN_THE_BOX, load_in_the_box, load_named
from rag.settings import Role, Settings
from rag.signing import secret_of
from rag.sources.web.addresses import parse_address
from rag.sources.web.fetching import Fetcher, FetchLimits
from rag.sources.web.rules import rules_of
from rag.spending import Budgets, Purpose, spending_for
from rag.storage.database import is_shared
from rag.storage.library import Library
from rag.storage.rebuilding import Recipe
from rag.telling import Teller
from rag.verifying import Asserted, Given, Stored, Verdict, verify
from rag.visiting import Visitor
from rag.worker import Worker

log = logging.getLogger(__name__)

DEFAULT_COLLECTION = "default"
"""Serves where none is named."""

REMOTE_LANES = 8
"""Documents under way at a time where a provider does the work: they wait, and cost no core."""

NOT_READ_HERE = (DOC, PPT, *MODERN_IMAGES)
"""Kinds of files that only a provider reads."""

NO_WORKER = Failure("no_worker", "worker", "no worker runs; start one with `rag worker`")

THREADS = 64
"""For what waits on a disk or computes. By default there are 6 on two cores, which eight documents
under way can have all at once: a question would then wait behind them."""

SETTLING_TIME = 60.0  # seconds; a self-check takes a few

CHUNK_TOKENS = 400
"""Of a chunk at most, where its model takes more."""


class Services:
    """Everything a request needs, opened once and closed once."""

    def __init__(self, settings: Settings) -> None:
        require_workers_elsewhere(settings)
        self.settings = settings
        self.library = Library.open(
            Path(settings.data_dir).expanduser().resolve(),
            database_url=settings.database_url,
            budgets=Budgets(day=settings.budget_day, job=settings.budget_job),
            min_free=settings.min_free_disk,
            webhook=settings.webhook_url,
        )
        self.notices: list[str] = []
        """What the operator must know: a model that could not be loaded ..."""
        self.preparing = False
        """True while a first ingest is under way, and questions are not worth asking yet."""
        self.is_stopping = False
        """Whether nobody shall be kept waiting any more."""
        self._providers = Providers(settings, self.library.ledger)
        self._local_reader = LocalReader(
            ocr=":".join(filter(None, (settings.ocr, settings.ocr_languages))),
            workers=settings.workers,
            limits=Limits(bytes=settings.max_upload),
        )
        self._fetcher = Fetcher(
            rules_of(settings.fetch_allow, settings.fetch_ports),
            FetchLimits(settings.fetch_bytes, settings.fetch_seconds),
        )
        self.clones = Clones(Path(settings.data_dir).expanduser() / "clones", self._fetcher)
        self.refresher = CodeRefresher(self.library, self.clones, self._wake_follower)
        self.readers = _readers(self._local_reader, self._providers.reader())
        self.embedders = self._load_embedders()
        self.embedding_model = next(iter(self.embedders), None)
        """Of new collections; None where none could be loaded."""
        self.answerer: Answerer = self._providers.answerer() or _extractive(self.embedders)
        self.chat = self._providers.chat_models()
        pause = Pause()
        self._buyer = self._make_buyer(pause)
        self._worker = Worker(
            self.library,
            self.readers,
            self.embedders,
            lanes=_lanes(settings),
            pause=pause,
            buyer=self._buyer,
            unpacker=self._local_reader,
            visitor=Visitor(self.library, self._fetcher),
        )
        self._follower = self._make_follower(pause)
        self._following: asyncio.Task[None] | None = None
        self._work: asyncio.Task[None] | None = None
        self._is_started = False
        self._teller = self._make_teller()
        self._telling: asyncio.Task[None] | None = None
        self._ensure_default()

    # --- life ---

    async def start(self) -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
        self._is_started = True
        if not self.settings.serve_only:
            self._work = asyncio.create_task(self._worker.run())
            if self._teller is not None:
                self._telling = asyncio.create_task(self._teller.run())

    def follow_code(self) -> None:
        """From now on, what is indexed of code is embedded too. A command that ends at once does
        not begin it."""
        if self._follower is not None and not self.settings.serve_only:
            self._following = asyncio.create_task(self._follower.run())

    @property
    def follower(self) -> CodeFollower | None:
        """What embeds code in this process, if it does."""
        return None if self._following is None else self._follower

    async def works(self) -> None:
        """Returns only if the worker ends by itself, which it should not.

        Raises:
            Exception: what ended it.
        """
        if self._work is not None:
            await self._work

    def begin_stop(self) -> None:
        """Those who follow a job are let go: they ask again elsewhere, or later."""
        self.is_stopping = True

    async def settle(self) -> None:
        """Waits a while for what follows the last document of a run: the collections' self-checks,
        whose calls would be paid in vain."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLING_TIME):
                await self._worker.settled()

    async def stop(self) -> None:
        """Ends the work under way at its next step, and closes what was opened."""
        for task in (self._work, self._telling, self._following):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        await self.refresher.stop()
        await self._local_reader.close()
        await self._fetcher.close()
        await self._providers.close()
        await asyncio.to_thread(self.library.close)

    def ready(self) -> bool:
        """Whether a question asked now can be answered from all that is meant to be there."""
        works = self.settings.serve_only or (self._work is not None and not self._work.done())
        return self._is_started and works and not self.preparing

    def job(self, id: JobId) -> IngestJob:
        """
        Raises:
            NotFound: no such job.
        """
        return self.told(self.library.jobs.find(id))

    def set_webhook(self, id: JobId, url: str) -> IngestJob:
        """
        Raises:
            NotFound: no such job.
            InvalidRequest: messages cannot be signed here, or never be sent there.
        """
        if self._teller is None:
            raise InvalidRequest(
                "nothing can be signed here; the operator may set RAG_WEBHOOK_SECRET"
            )
        parse_address(url)
        return self.library.jobs.set_webhook(id, url)

    def told(self, job: IngestJob) -> IngestJob:
        """The job, with the reason why nothing of it is begun."""
        if job.finished_at is not None:
            return job
        return msgspec.structs.replace(job, paused=self._paused())

    def _paused(self) -> Failure | None:
        """The reason that all workers have, in whichever process; others show theirs now and
        then."""
        own = None if self.settings.serve_only else self._worker.paused
        if not self.library.is_shared or (own is None and not self.settings.serve_only):
            return own
        reasons = self.library.jobs.workers()
        if not reasons:
            return own or NO_WORKER
        return None if None in reasons else reasons[0]

    @property
    def budgets(self) -> dict[str, Decimal]:
        """USD, by name; those that are set."""
        given = {"day": self.settings.budget_day, "job": self.settings.budget_job}
        return {name: usd for name, usd in given.items() if usd is not None}

    @property
    def has_batch_lane(self) -> bool:
        """Whether a provider reads or embeds here that takes work in batches."""
        return self._buyer is not None

    @property
    def left_out_of_batches(self) -> tuple[Role, ...]:
        """What is bought at once, and at full price, in the batch lane too."""
        return self._providers.left_out_of_batches()

    def wake_worker(self) -> None:
        self._worker.wake()

    def _wake_follower(self) -> None:
        if self.follower is not None:
            self.follower.wake()

    def _make_follower(self, pause: Pause) -> CodeFollower | None:
        if self.embedding_model is None:
            return None
        return CodeFollower(self.library, self.embedders[self.embedding_model], pause)

    # --- what a request asks for ---

    def create_collection(self, name: str) -> Collection:
        """A new collection, embedded with the configured model.

        Raises:
            Conflict: there is one of that name.
            InvalidRequest: the name is not a good one.
        """
        planned = self.planned_collection(name)
        return self.library.collections.create(
            name,
            embedding_model=planned.embedding_model,
            dimension=planned.dimension,
            chunk_tokens=planned.chunk_tokens,
        )

    def planned_collection(self, name: str) -> Collection:
        """What a new collection would be like; it is not kept."""
        embedder: Embedder | None = (
            self.embedders[self.embedding_model] if self.embedding_model else None
        )
        return Collection(
            CollectionId(""),
            name,
            embedding_model=embedder.model if embedder else None,
            dimension=embedder.dimension if embedder else None,
            chunk_tokens=min(CHUNK_TOKENS, embedder.max_tokens) if embedder else CHUNK_TOKENS,
            dense_weight=PRIOR_WEIGHT,
        )

    # --- indexes ---

    def planned_index(
        self, within: Collection, model: str | None, chunk_tokens: int | None
    ) -> Collection:
        """The collection as it would be seen through another index; nothing is kept.

        Args:
            model: the collection's own where only the size of chunks is given, else that of new
                collections.

        Raises:
            InvalidRequest: that model cannot be loaded here, or embeds no chunks so long.
        """
        own = within.embedding_model
        if model is None:
            model = own if chunk_tokens and own in self.embedders else self.embedding_model
        embedder = self._embedder(model) if model else None
        most = min(CHUNK_TOKENS, embedder.max_tokens) if embedder else CHUNK_TOKENS
        if chunk_tokens is not None and chunk_tokens > most:
            raise InvalidRequest(f"{model or 'this service'} takes chunks of {most} tokens at most")
        return msgspec.structs.replace(
            within,
            embedding_model=embedder.model if embedder else None,
            dimension=embedder.dimension if embedder else None,
            chunk_tokens=chunk_tokens or most,
            index=IndexId(""),
        )

    def begin_index(self, planned: Collection) -> IngestJob:
        """
        Raises:
            Conflict: the index that serves is just that.
        """
        recipe = Recipe(planned.embedding_model, planned.dimension, planned.chunk_tokens, CHUNKER)
        return self.library.indexes.begin(planned, recipe)

    async def foresee_index(self, planned: Collection) -> Forecast:
        model = planned.embedding_model
        return await foresee(planned, self.embedders[model] if model else None, self.library)

    async def compare_indexes(
        self, probes: Sequence[Probe], within: Collection, index: IndexId, k: int
    ) -> Comparison:
        """
        Raises:
            NotFound: no such index of this collection.
        """
        other = await asyncio.to_thread(self.library.indexes.view, within, index)
        with spending_for(Purpose(within.id)):
            return await compare(
                probes, within, other, k=k, embedders=self.embedders, library=self.library
            )

    async def estimate(
        self, sources: Iterable[Source], within: Collection, lane: Lane = "direct"
    ) -> Estimate:
        """What an ingest would do and cost."""
        return await estimate(
            sources,
            within,
            readers=self.readers,
            embedders=self.embedders,
            library=self.library,
            lane=lane,
        )

    def check_address(self, url: str) -> None:
        """
        Raises:
            AddressRefused: nothing is fetched from there, as far as can be told without looking
                its name up.
        """
        self._fetcher.check(url)

    async def fetch(self, wanted: Wanted, within: Collection) -> Source:
        return await fetch(wanted, within, fetcher=self._fetcher, library=self.library)

    async def refusals(
        self, offered: Sequence[tuple[Version, str | None]]
    ) -> Sequence[Failure | None]:
        """Why bytes of these media types were refused, where they were and would be again."""
        return await refusals(offered, readers=self.readers, library=self.library)

    async def search(self, query: Query, within: Collection) -> SearchResult:
        [result] = await self.search_each([query], within)
        return result

    async def search_each(self, queries: Sequence[Query], within: Collection) -> list[SearchResult]:
        with spending_for(Purpose(within.id)):
            return await search_each(
                queries, within, embedders=self.embedders, library=self.library, chat=self.chat
            )

    async def why(self, query: Query, document: str, within: Collection) -> Why:
        with spending_for(Purpose(within.id)):
            return await why(
                query, document, within, embedders=self.embedders, library=self.library
            )

    async def open(
        self, document: str, place: Place, scope: Scope, *, max_tokens: int, before: float
    ) -> Opened:
        """
        Raises:
            NotFound: no such document within the scope, or no such place in it.
        """
        return await verbs.open_at(
            document,
            place,
            scope,
            max_tokens=max_tokens,
            before=before,
            embedders=self.embedders,
            library=self.library,
        )

    async def navigate(
        self, document: str, place: Place | None, scope: Scope, *, depth: int
    ) -> Outline:
        """
        Raises:
            NotFound: no such document within the scope, or no such place in it.
        """
        return await verbs.navigate(document, place, scope, depth=depth, library=self.library)

    async def grep(
        self,
        pattern: Pattern,
        scope: Scope,
        *,
        document: str | None,
        limit: int,
        begin: grepping.Place,
    ) -> Grepped:
        """
        Raises:
            InvalidRequest: the pattern is none that is taken here.
            NotFound: no such document within the scope.
        """
        return await verbs.grep(
            pattern, scope, document=document, limit=limit, begin=begin, library=self.library
        )

    def search_price(self, query: Query) -> Price:
        """What it would cost at most, beyond embedding its question.

        Raises:
            InvalidRequest: it asks for a chat model, and none is configured.
        """
        return price(query, self.chat)

    def wording_price(self, passages: Sequence[str]) -> tuple[str, Decimal]:
        """The model, and USD at most.

        Raises:
            InvalidRequest: no chat model is configured.
        """
        questioner = required_questioner(self.chat)
        return questioner.name, sum(map(questioner.cost, passages), Decimal(0))

    async def word_questions(
        self, passages: Sequence[str], within: Collection
    ) -> list[tuple[Worded | None, Usage]]:
        """One after another, so that an evaluation leaves room for people."""
        questioner = required_questioner(self.chat)
        with spending_for(Purpose(within.id)):
            return [await questioner.word(passage) for passage in passages]

    def answer_price(self, question: Question) -> Price:
        """
        Raises:
            InvalidRequest: it asks for a chat model, and none is configured.
        """
        return answer_price(question, self.answerer, self.chat)

    async def answer(self, question: Question, within: Within) -> Answer:
        with spending_for(_purpose_of(within)):
            return await answer(
                question,
                within,
                embedders=self.embedders,
                answerer=self.answerer,
                library=self.library,
                chat=self.chat,
                code_model=self.embedding_model,
            )

    async def answering(self, question: Question, within: Within) -> AsyncGenerator[Event, None]:
        """All in one task, from first to last: what is spent is booked to it."""
        with spending_for(_purpose_of(within)):
            telling = answering(
                question,
                within,
                embedders=self.embedders,
                answerer=self.answerer,
                library=self.library,
                chat=self.chat,
                code_model=self.embedding_model,
            )
            async with aclosing(telling) as events:
                async for event in events:
                    yield event

    async def verify(
        self, claims: Sequence[Asserted], sources: Sequence[Given | Stored]
    ) -> tuple[Verdict, ...]:
        return await verify(claims, sources, self.library)

    async def render_page(self, id: DocumentId, number: int, dpi: int) -> bytes:
        """One page of a PDF or image as PNG.

        Raises:
            NotFound: no such document, or it has no such page.
        """
        return await picturing.page(id, number, dpi, self._local_reader, self.library)

    async def render_citation(self, id: CitationId, number: int | None, dpi: int) -> bytes:
        """The strip of a page in which a quotation stands, marked, as PNG.

        Raises:
            NotFound: no such citation, or no place of it on such a page.
        """
        return await picturing.citation(id, number, dpi, self._local_reader, self.library)

    # --- how it is put together ---

    def _load_embedders(self) -> Embedders:
        """The configured model first, then those that existing collections need."""
        embedders = Embedders()
        if remote := self._providers.embedder():
            embedders[remote.model] = remote
        if named := load_named(self.settings):
            embedders[named.model] = named
        try:
            local = load_in_the_box(self.settings)
            embedders[local.model] = local
        except ModelUnavailable as error:
            notice = f"no search by meaning, only by words: {error}"
            log.warning("embedded model unavailable", extra={"action": "model_unavailable"})
            self.notices.append(notice)
            return embedders
        for model in self.library.indexes.models_in_use():
            if model in MODELS_IN_THE_BOX and model not in embedders:
                with suppress(ModelUnavailable):  # its collections say so when they are asked
                    embedders[model] = load_in_the_box(self.settings, MODELS_IN_THE_BOX[model])
        return embedders

    def _embedder(self, model: str) -> Embedder:
        """One that is loaded, or can be.

        Raises:
            InvalidRequest: it is not known here.
            ModelUnavailable: its files are missing.
        """
        if model not in self.embedders:
            if model not in MODELS_IN_THE_BOX:
                known = ", ".join({**self.embedders, **MODELS_IN_THE_BOX})
                raise InvalidRequest(f"this service cannot embed with {model!r}, but with: {known}")
            self.embedders[model] = load_in_the_box(self.settings, MODELS_IN_THE_BOX[model])
        return self.embedders[model]

    def _make_buyer(self, pause: Pause) -> Buyer | None:
        lane = self._providers.batch_lane()
        if lane is None:
            return None
        return Buyer(
            self.library,
            self.readers,
            self.embedders,
            lane,
            pause=pause,
            unpacker=self._local_reader,
        )

    def _make_teller(self) -> Teller | None:
        if self.settings.webhook_secret is None:
            return None
        return Teller(self.library, self._fetcher.post, secret_of(self.settings.webhook_secret))

    def _ensure_default(self) -> None:
        try:
            self.library.collections.find(DEFAULT_COLLECTION)
        except NotFound:
            with suppress(Conflict):  # another process, starting too, was faster
                self.create_collection(DEFAULT_COLLECTION)


def require_workers_elsewhere(settings: Settings) -> None:
    """
    Raises:
        InvalidSettings: this process shall only serve, and no other could do the work.
    """
    if settings.serve_only and not has_several_processes(settings):
        raise InvalidSettings(
            "a library on SQLite has one process, which serves and works: leave RAG_SERVE_ONLY"
            " out, or keep the library on PostgreSQL (RAG_DATABASE_URL)"
        )


def has_several_processes(settings: Settings) -> bool:
    """Whether others may work on the same library."""
    return settings.database_url is not None and is_shared(settings.database_url)


def _lanes(settings: Settings) -> int:
    return max(settings.workers, REMOTE_LANES) if _is_remote(settings) else settings.workers


def _purpose_of(within: Within) -> Purpose:
    """What is asked of one alone is paid for it."""
    if len(within) > 1:
        return Purpose()
    [only] = within
    return Purpose(only.id) if isinstance(only, Collection) else Purpose(key=only.name)


def _is_remote(settings: Settings) -> bool:
    """Whether a provider has a part in ingestion."""
    roles: tuple[Role, ...] = ("ocr", "embedding")
    return any(settings.provider_of(role) == "mistral" for role in roles)


def _readers(local: LocalReader, remote: MistralReader | None) -> Readers:
    """Page by page to whoever is good enough; what only the provider reads goes there whole."""
    if remote is None:
        return Readers(local, {})
    return Readers(RoutingReader(local, remote), dict.fromkeys(NOT_READ_HERE, remote))


def _extractive(embedders: Embedders) -> ExtractiveAnswerer:
    """With the model that it was fitted to, where that is there; else with one that costs
    nothing."""
    fitted = [embedders[model] for model in MODELS_IN_THE_BOX if model in embedders]
    local = [each for each in embedders.values() if not isinstance(each, MistralEmbedder)]
    return ExtractiveAnswerer(next(iter([*fitted, *local, *embedders.values()]), None))
