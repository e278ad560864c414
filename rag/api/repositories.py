"""Repositories of code: what is indexed, how completely, and searching it."""

import asyncio
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct
from msgspec.structs import replace

from rag.api.bodies import ANY_BODY
from rag.api.problems import HttpRequest, Refused
from rag.codebase.cloning import named_by
from rag.codebase.embedding import UNTRIED, Embedded, Plan, embed_code, plan
from rag.codebase.indexing import Indexed
from rag.codebase.legs import Meaning
from rag.codebase.mining import Mined, mine_history
from rag.codebase.planning import Foresight, foresee
from rag.codebase.searching import CodeQuery, CodeResult, GroupBy, search_code, stated
from rag.codebase.symbols import Symbols, find_symbols
from rag.domain import Listing
from rag.errors import InvalidRequest, ModelUnavailable, NotFound
from rag.ports import Embedder
from rag.signing import is_of_forge
from rag.spending import Purpose, spending_for
from rag.storage.code.store import View
from rag.trees import LeftOut, Repository, Selection, Snapshot
from rag.wiring import Services

QueryRef: TypeAlias = Annotated[
    str | None, QueryParameter(description="The one indexed last if left out.")
]


Patterns: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=300)], ...], Meta(max_length=100)
]


class NewRepository(Struct, frozen=True, forbid_unknown_fields=True):
    path: Annotated[str, Meta(min_length=1, max_length=4_096)] | None = None
    """Of a folder on this machine: a work tree, a bare repository, a plain folder."""
    url: Annotated[str, Meta(min_length=1, max_length=8_000)] | None = None
    """Of a repository elsewhere, instead: its latest state is fetched by https."""
    ref: Annotated[str, Meta(min_length=1, max_length=300)] | None = None
    """A branch, tag or commit; without it, the files as they lie in the folder, or what the other
    host shows first."""
    name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """By default its folder's."""
    words_only: bool = False
    """Whether it is searched by words alone. Otherwise vectors follow in the background, where a
    model is configured; one that is bought from a provider costs money (see `plan`)."""
    include: Patterns | None = None
    """Files that are searched though git ignores them, or look like lock files and the like:
    patterns or folders. Kept for every later indexing, until others are given."""
    exclude: Patterns | None = None
    """Files that are not searched; kept as well."""

    @property
    def selection(self) -> Selection | None:
        """None where nothing was said of it."""
        if self.include is None and self.exclude is None:
            return None
        return Selection(self.include or (), self.exclude or ())


class CodeSearch(Struct, frozen=True, forbid_unknown_fields=True):
    query: Annotated[str, Meta(min_length=1, max_length=100_000)]
    """In words, as a name, a stack trace, an issue; `lang:go` and `path:src/**` narrow it. What is
    in quotation marks is also looked for as it stands; `/in slashes/` is a regular expression."""
    k: Annotated[int, Meta(ge=1, le=100)] = 10
    ref: str | None = None
    """One that was indexed; the one indexed last where none is given."""
    mode: Literal["hybrid", "dense", "words", "exact", "regex"] = "hybrid"
    """By meaning (`dense`), by words, or both, as far as there are vectors; or, and nothing else,
    what stands in the code as the query is written (`exact`), or matches it (`regex`)."""
    group_by: GroupBy = "file"
    """Whether a file is returned once, with its best span first, or each span for itself."""
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    """Patterns or folders, of which a path must match one."""
    max_tokens: Annotated[int, Meta(ge=50, le=200_000)] | None = None
    """Of the text of all hits together. Each hit then shows the whole function or class that it is
    in, as far as there is room; without it, the lines that were found."""

    def asked(self) -> CodeQuery:
        return CodeQuery(
            self.query,
            self.k,
            self.ref,
            self.group_by,
            self.languages,
            self.paths,
            self.max_tokens,
            self.mode if self.mode == "exact" or self.mode == "regex" else None,
        )


class Refresh(Struct, frozen=True, forbid_unknown_fields=True):
    ref: str | None = None


class EmbedWanted(Struct, frozen=True, forbid_unknown_fields=True):
    seconds: Annotated[float, Meta(ge=0, le=300)] = 20.0
    """After which it returns, whatever is left."""
    ref: str | None = None


class RepositoryState(Struct, frozen=True):
    repository: Repository
    snapshots: tuple[Snapshot, ...]
    """Its refs that can be searched, the one indexed last first."""


class Coverage(Struct, frozen=True):
    """What of a ref is searched, and what is not."""

    snapshot: Snapshot
    left_out: tuple[LeftOut, ...]


class RepositoriesController(Controller):
    path = "/v1/repositories"
    tags = ["Code"]

    @post(status_code=200)
    async def index(
        self,
        data: JSONBody[NewRepository],
        services: NamedDependency[Services],
        dry_run: Annotated[
            bool, QueryParameter(description="Say what it would do and cost, and keep nothing.")
        ] = False,
    ) -> Indexed | Foresight:
        """Index a repository, or what has changed in it since. Its words are searchable when this
        returns; its vectors follow."""
        if (data.path is None) == (data.url is None):
            raise InvalidRequest("name either the path of a folder or the url of a repository")
        if data.url is not None:
            location, called = named_by(data.url)
        else:
            location, called = str(Path(data.path or "").resolve()), None
        if dry_run:
            folder = await services.clones.fetch(location, data.ref)
            embedder = None if services.embedding_model is None else _embedder(services)
            return await asyncio.to_thread(
                foresee, folder, data.ref, embedder=embedder, library=services.library
            )
        done = await services.refresher.index(
            location, data.ref, data.name or called, data.selection
        )
        repository = await asyncio.to_thread(services.library.code.find, done.snapshot.repository)
        await asyncio.to_thread(services.library.code.set_embeds, repository, not data.words_only)
        return await _followed(done, services)

    @get(sync_to_thread=True)
    def list_all(self, services: NamedDependency[Services]) -> Listing[Repository]:
        """List repositories."""
        return Listing(services.library.code.all(), False, None)

    @get("/{repository:str}", sync_to_thread=True)
    def show(
        self, repository: FromPath[str], services: NamedDependency[Services]
    ) -> RepositoryState:
        """Show a repository, by name or id, and what of it is indexed."""
        found = services.library.code.find(repository)
        return RepositoryState(found, services.library.code.snapshots(found))

    @get("/{repository:str}/coverage", sync_to_thread=True)
    def coverage(
        self,
        repository: FromPath[str],
        services: NamedDependency[Services],
        ref: QueryRef = None,
    ) -> Coverage:
        """List every path that is not searched, and why."""
        found = services.library.code.find(repository)
        view = services.library.code.view(found, ref)
        return Coverage(
            stated(view, services.embedding_model, services.library),
            services.library.code.left_out(found, view.snapshot.ref),
        )

    @post("/{repository:str}/refresh", status_code=200)
    async def refresh(
        self,
        repository: FromPath[str],
        data: JSONBody[Refresh],
        services: NamedDependency[Services],
    ) -> Indexed:
        """Index what has changed where the repository lies, or fetch it again and index that."""
        found = await asyncio.to_thread(services.library.code.find, repository)
        done = await services.refresher.index(found.location, data.ref, found.name)
        return await _followed(done, services)

    @post("/{repository:str}/hook", status_code=202, opt={ANY_BODY: True})
    async def hook(
        self,
        request: HttpRequest,
        repository: FromPath[str],
        services: NamedDependency[Services],
    ) -> None:
        """Hear from a forge that the repository was pushed to (GitHub, GitLab, Gitea), and index
        what has changed in the background. The message must prove that its sender knows
        `RAG_CODE_HOOK_SECRET`; nothing that it says is believed."""
        secret, headers = services.settings.code_hook_secret, dict(request.headers)
        if secret is None:
            raise NotFound("no forge is heard here: the operator may set RAG_CODE_HOOK_SECRET")
        if not is_of_forge(headers, await request.body(), secret):
            raise Refused(403, "bad_signature", "this message is not signed with our secret")
        services.refresher.begin(await asyncio.to_thread(services.library.code.find, repository))

    @post("/{repository:str}/search", status_code=200)
    async def search(
        self,
        repository: FromPath[str],
        data: JSONBody[CodeSearch],
        services: NamedDependency[Services],
    ) -> CodeResult:
        """Find the code that a question is about, best first; `-` searches all repositories."""
        chosen = await asyncio.to_thread(_chosen, repository, services)
        await services.refresher.reconcile(chosen, data.ref)
        meaning = await _meaning(data, services) if data.mode in {"hybrid", "dense"} else None
        return await asyncio.to_thread(
            search_code,
            data.asked(),
            chosen,
            library=services.library,
            meaning=meaning,
            model=services.embedding_model,
        )

    @post("/{repository:str}/embed", status_code=200)
    async def embed(
        self,
        repository: FromPath[str],
        data: JSONBody[EmbedWanted],
        services: NamedDependency[Services],
    ) -> Embedded:
        """Embed for a while what was not embedded yet, so that it is found by meaning too. Every
        text is embedded once, wherever it stands; call again while something is `pending`. Where
        that goes on in the background, it is waited for."""
        view = await _view(repository, data.ref, services)
        if services.follower is not None:
            await asyncio.to_thread(services.library.code.set_embeds, view.repository, True)
            pending = await services.follower.embedded(view, data.seconds)
            return Embedded(0, pending, _weight(view, services))
        with spending_for(Purpose(key=view.repository.name)):
            return await embed_code(
                view, _embedder(services), data.seconds, library=services.library
            )

    @get("/{repository:str}/plan")
    async def plan(
        self,
        repository: FromPath[str],
        services: NamedDependency[Services],
        ref: QueryRef = None,
    ) -> Plan:
        """Say what embedding it would take: chunks, those known already, tokens."""
        view = await _view(repository, ref, services)
        return await asyncio.to_thread(plan, view, _embedder(services), library=services.library)

    @get("/{repository:str}/cases", sync_to_thread=True)
    def cases(
        self,
        repository: FromPath[str],
        services: NamedDependency[Services],
        ref: QueryRef = None,
        most: Annotated[int, QueryParameter(ge=1, le=1_000)] = 200,
    ) -> Mined:
        """Mine questions with known answers from its history: what a commit says, and the files
        that it changed. All are to be asked of `base`, the state before the oldest of them."""
        found = services.library.code.find(repository)
        return mine_history(services.clones.folder_of(found.location), ref, most)

    @get("/{repository:str}/symbols", sync_to_thread=True)
    def symbols(
        self,
        repository: FromPath[str],
        services: NamedDependency[Services],
        name: Annotated[str, QueryParameter(min_length=1, max_length=300)],
        ref: QueryRef = None,
        k: Annotated[int, QueryParameter(ge=1, le=1_000)] = 100,
    ) -> Symbols:
        """Find where a name is defined, and the lines that use it."""
        view = services.library.code.view(services.library.code.find(repository), ref)
        return find_symbols(name, view, k, library=services.library)

    @delete("/{repository:str}", sync_to_thread=True)
    def remove(self, repository: FromPath[str], services: NamedDependency[Services]) -> None:
        """Forget a repository; the folder itself is not touched, a clone of ours goes."""
        found = services.library.code.find(repository)
        services.library.code.delete(found)
        if all(each.location != found.location for each in services.library.code.all()):
            services.clones.remove(found.location)


EVERY = "-"


async def _followed(done: Indexed, services: Services) -> Indexed:
    """Lets the vectors follow, and says how many are to come."""
    if services.follower is not None:
        services.follower.wake()
    view = await _view(done.snapshot.repository, done.snapshot.ref, services)
    state = await asyncio.to_thread(stated, view, services.embedding_model, services.library)
    return replace(done, snapshot=state)


def _weight(view: View, services: Services) -> float:
    weight = services.library.code.weight(view, _embedder(services).model)
    return UNTRIED if weight is None else weight


def _chosen(wanted: str, services: Services) -> tuple[Repository, ...]:
    if wanted == EVERY:
        return services.library.code.all() or (services.library.code.find(wanted),)
    return (services.library.code.find(wanted),)


async def _view(repository: str, ref: str | None, services: Services) -> View:
    code = services.library.code
    found = await asyncio.to_thread(code.find, repository)
    return await asyncio.to_thread(code.view, found, ref)


def _embedder(services: Services) -> Embedder:
    """
    Raises:
        ModelUnavailable: there is none; code is then searched by words.
    """
    if services.embedding_model is None:
        raise ModelUnavailable("no embedding model is here: code is searched by words alone")
    return services.embedders[services.embedding_model]


async def _meaning(asked: CodeSearch, services: Services) -> Meaning | None:
    """The question's vector; None where no model is here, and words are all there is."""
    if services.embedding_model is None:
        return None
    embedder = _embedder(services)
    with spending_for(Purpose()):
        [vector] = await embedder.embed([asked.query], "query")
    return Meaning(embedder.model, vector, 1.0 if asked.mode == "dense" else None)
