"""What an operator does while the service goes on: check, rebuild indexes, back up."""

from typing import Annotated, Literal

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.response import Stream
from msgspec import Meta, Struct

from rag.storage.checking.checkup import Report
from rag.storage.checking.findings import Flaw
from rag.storage.derived import IndexKind
from rag.wiring import Services


class CheckWanted(Struct, frozen=True, forbid_unknown_fields=True):
    repair: bool = False
    """Whether flaws are mended that need nobody's judgment."""


class Checked(Struct, frozen=True):
    """How far a check is, and what it found."""

    state: Literal["never", "running", "done", "broken_off"]
    """`never`: there was none since the service started."""
    sound: bool
    """Whether it is done, and nothing is wrong that was not mended."""
    repair: bool
    part: str | None
    """What is being looked at."""
    done: int
    total: int
    """Parts."""
    flaws: tuple[Flaw, ...]
    began_at: str | None
    ended_at: str | None


class RebuildWanted(Struct, frozen=True, forbid_unknown_fields=True):
    collection: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """All where none is named."""
    index: Literal["dense", "words"] | None = None
    """Both where none is named."""


class Rebuilding(Struct, frozen=True):
    indexes: int
    """That are built again; `GET /health/ready` says which are ready."""


class OperationsController(Controller):
    path = "/v1"
    tags = ["Operations"]

    @get("/check", sync_to_thread=False)
    def checked(self, services: NamedDependency[Services]) -> Checked:
        """Show the check under way, or what the last one found."""
        return _told(services.library.checkup.report)

    @post("/check", status_code=202, sync_to_thread=True)
    def check(
        self, data: JSONBody[CheckWanted], services: NamedDependency[Services]
    ) -> Response[Checked]:
        """Compare rows, vectors, files and indexes with one another; with `repair`, mend them.

        What is derived is built again, counts are counted again, what belongs to nobody is
        removed; damaged vectors are dropped, and their documents embedded anew. What only a
        person can mend is said.
        """
        report = services.library.checkup.begin(repair=data.repair)
        return Response(_told(report), status_code=202, headers={"Location": "/v1/check"})

    @post("/rebuild", status_code=202, sync_to_thread=True)
    def rebuild(
        self, data: JSONBody[RebuildWanted], services: NamedDependency[Services]
    ) -> Response[Rebuilding]:
        """Throw derived indexes away and build them again from the database; answers go on."""
        kinds: tuple[IndexKind, ...] = (data.index,) if data.index else ("dense", "words")
        number = services.library.indexes.rebuild(data.collection, kinds)
        if data.collection is None and "words" in kinds:
            number += services.library.code.rebuild()
        return Response(Rebuilding(number), status_code=202, headers={"Location": "/health/ready"})

    @get("/backup", sync_to_thread=True)
    def backup(self, services: NamedDependency[Services]) -> Stream:
        """Send one archive of all that the library cannot build again, as of now.

        It is what `rag restore` takes. Documents that are deleted later stay in it: how long a
        backup is kept is for whoever keeps it.
        """
        return Stream(services.library.begin_backup().chunks(), media_type="application/x-tar")


def _told(report: Report) -> Checked:
    return Checked(
        report.state,
        report.is_sound,
        report.repair,
        report.part,
        report.done,
        report.total,
        report.flaws,
        report.began_at,
        report.ended_at,
    )
