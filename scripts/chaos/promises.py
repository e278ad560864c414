"""Whether a library kept its promises, asked after every fault.

What was acknowledged is there, whole; what was not may be, whole too, and can be asked for again.
Every live document is found by its own text exactly once, by words and by meaning; nothing else is
found; what was deleted or replaced is not. The indexes are what the database says, and a check of
the library finds nothing.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from rag.domain import Collection, Version, version_of
from rag.errors import NotFound, RagError
from rag.storage.library import Library
from scripts.chaos.story import EVERYTHING, putting
from scripts.chaos.truth import Changes, Event, Key, Truth
from tests.storage.shelves import Shelf

PAGE = 100  # collections or documents listed at once
NEAREST = 10  # other hits by meaning that a document's own lines may be among
FORGOTTEN = 12  # texts that are gone, of which each is looked for
PATIENCE = 20.0  # seconds in which indexes that are built again must be there

NOBODYS = "belong to no document"
"""What a check may find after a fault: bytes of a document that never came to be. Nobody was
promised anything of them; a repair has to remove them."""


class Kept(Struct, frozen=True):
    """What a check counted."""

    tried: int
    """Keys of which something was acknowledged or begun."""
    lost: int
    """Of these, under which is not what may be there."""
    unacknowledged: int
    """Operations that were never acknowledged, and are there."""
    left_behind: int
    """Findings about what nobody was promised, all of them mended."""
    rebuilt: tuple[str, ...]
    """Indexes that were not believed and built again, by kind. No promise, but nothing that a
    fault of ours excuses: only a file that was damaged afterwards does."""
    broken: tuple[str, ...]
    """Promises that were not kept, each in a sentence."""
    found: Event
    """What is there now under the keys whose outcome was open: each text was put again."""


def check(data_dir: Path, truth: Truth, *, database_url: str | None = None) -> Kept:
    """Opens a library that nobody has open, and closes it again."""
    with _rebuilding_heard() as rebuilt, Library.open(data_dir, database_url=database_url) as open:
        present = dict(_texts(open))
        wrong = sorted(
            key for key in truth.keys | present.keys() if present.get(key) not in truth.allowed(key)
        )
        flaws = _flaws(open)
        broken = (
            *(f"{key} holds {present.get(key)!r}, not {truth.allowed(key)}" for key in wrong),
            *(f"half of {done} was done" for done in truth.open if _is_half(present, done)),
            *_badly_found(open, present, truth),
            *_refused(open, truth),
            *_still_kept(open, truth),
            *(flaw for flaw in flaws if NOBODYS not in flaw),
            *(_unmended(open) if flaws else ()),
        )
    return Kept(
        tried=len(truth.keys),
        lost=len(wrong),
        unacknowledged=sum(_is_done(present, changes) for changes in truth.open),
        left_behind=sum(NOBODYS in flaw for flaw in flaws),
        rebuilt=tuple(rebuilt),
        broken=broken,
        found=Event(
            "observed",
            {
                key: present.get(key) if text is None else text
                for changes in truth.open
                for key, text in changes.items()
            },
        ),
    )


# --- what is there ------------------------------------------------------------------------------


def collections_of(library: Library) -> tuple[Collection, ...]:
    return library.collections.list(limit=PAGE).data


def _texts(library: Library) -> Iterator[tuple[Key, str]]:
    """Of every document, if its original has the same."""
    for collection in collections_of(library):
        after = None
        while True:
            listing = library.documents.list(collection, limit=PAGE, after=after)
            for each in listing.data:
                text = library.documents.text(each.id).text
                yield Key(f"{collection.name}/{each.key}"), _same(library, each.version, text)
            after = listing.next
            if after is None:
                break


def _same(library: Library, version: Version, text: str) -> str:
    try:
        original = library.originals.get(version).decode()
    except RagError as error:
        return f"{text!r}, without its original: {error}"
    return text if original == text else f"{text!r}, and {original!r} as its original"


def _is_done(present: dict[Key, str], changes: Changes) -> bool:
    return all(present.get(key) == text for key, text in changes.items())


def _is_half(present: dict[Key, str], changes: Changes) -> bool:
    done = [present.get(key) == text for key, text in changes.items()]
    return any(done) and not all(done)


def _still_kept(library: Library, truth: Truth) -> Iterator[str]:
    """Bytes that a delete should have removed when it returned."""
    for text in sorted(truth.purged):
        try:
            library.originals.get(version_of(text.encode()))
        except NotFound:
            continue
        yield f"the bytes of {text!r} outlived their delete"


def _refused(library: Library, truth: Truth) -> Iterator[str]:
    """Puts again what was not acknowledged, as somebody does whose request had no reply."""
    wanted = [each for changes in truth.open for each in changes.items()]
    for key, text in wanted:
        if text is not None:
            putting(key, text).act(library)
    after = dict(_texts(library))
    for key, text in wanted:
        if text is not None and after.get(key) != text:
            yield f"{key} was put again, and holds {after.get(key)!r} instead of {text!r}"


# --- what is found ------------------------------------------------------------------------------


def _badly_found(library: Library, present: dict[Key, str], truth: Truth) -> Iterator[str]:
    """A line of a text is a chunk; no two documents share one."""
    _await_indexes(library)
    gone = sorted({line for text in truth.gone() for line in text.splitlines()}, reverse=True)
    for collection in collections_of(library):
        shelf = Shelf(library, collection)
        mine = {
            key.partition("/")[2]: text.splitlines()
            for key, text in present.items()
            if key.partition("/")[0] == collection.name
        }
        live = Counter((key, line) for key, lines in mine.items() for line in lines)
        found = Counter((hit.key, hit.text) for hit in shelf.hits("x", k=EVERYTHING, modes="dense"))
        if extra := found - live:
            yield f"by meaning {collection.name} has {list(extra)}, which it must not"
        if missing := live - found:
            yield f"by meaning {collection.name} lacks {list(missing)}"
        for key, lines in mine.items():
            for mode, k in (("words", EVERYTHING), ("dense", len(lines) + NEAREST)):
                hits = shelf.hits("\n".join(lines), k=k, modes=mode)
                found = Counter((hit.key, hit.text) for hit in hits if hit.text in lines)
                if found != Counter((key, line) for line in lines):
                    yield f"by its own {mode} {key} has {list(found.elements())}, not {lines}"
        for line in gone[:FORGOTTEN]:
            if any(hit.text == line for hit in shelf.hits(line, k=EVERYTHING, modes="words")):
                yield f"{line!r} is found, though it is gone"


def _await_indexes(library: Library) -> None:
    deadline = time.monotonic() + PATIENCE
    while any(one.state == "rebuilding" for one in library.health().indexes):
        if time.monotonic() > deadline:
            raise TimeoutError("an index was not built again")
        time.sleep(0.05)


# --- what a check of the library says -----------------------------------------------------------


def _flaws(library: Library) -> list[str]:
    report = library.checkup.run()
    ended = [] if report.state == "done" else [f"the check was {report.state}"]
    return ended + [f"{flaw.part}: {flaw.what}" for flaw in report.flaws]


def _unmended(library: Library) -> Iterator[str]:
    library.checkup.run(repair=True)
    yield from (f"after a repair: {flaw}" for flaw in _flaws(library))


class _Rebuilding(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.kinds: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "action", "") == "index_rebuilt":
            self.kinds.append(getattr(record, "index", "?"))


@contextmanager
def _rebuilding_heard() -> Iterator[list[str]]:
    log, handler = logging.getLogger("rag.storage"), _Rebuilding()
    log.addHandler(handler)
    try:
        yield handler.kinds
    finally:
        log.removeHandler(handler)
