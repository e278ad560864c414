"""A library against a dict: whatever happens in whatever order, both hold the same.

`MACHINE=2000 pytest tests/storage/test_machine.py` runs that many stories instead of a few.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test as run_machine
from msgspec.structs import replace

from rag.storage import dense_leg, derived, publishing, rebuilding, word_leg
from rag.storage.dense.compaction import Work
from rag.storage.dense.index import DenseIndex
from rag.storage.dense.scanning import Ids, Rows
from rag.storage.derived import DerivedIndexes, Followed
from rag.storage.operations import Turn
from tests.storage.machine import Machine
from tests.storage.recipes import WHOLE
from tests.storage.shelves import Shelf, only_sqlite

STORIES = int(os.environ.get("MACHINE", "4"))
STEPS = 25


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that happens at thousands of rows happens at a few."""
    monkeypatch.setitem(DenseIndex.due.__kwdefaults__, "at_least", 4)
    monkeypatch.setattr(dense_leg, "FLUSH", 4)
    monkeypatch.setattr(dense_leg, "AT_ONCE", 12)
    monkeypatch.setattr(word_leg, "UNSAVED", 6)
    monkeypatch.setattr(derived, "A_FEW", 8)
    monkeypatch.setattr("rag.storage.upkeep.CALM", 0.01)


@pytest.fixture
def story(open_shelf: Callable[[], Shelf], data_dir: Path, small: None) -> type[Machine]:
    return type(
        "Story",
        (Machine,),
        {"reopened": staticmethod(lambda: open_shelf().library), "data_dir": data_dir},
    )


def test_a_library_is_a_dict(story: type[Machine]) -> None:
    tell_random(story, STORIES)


# --- bugs that are planted, to see whether the machine finds them ---


def publishing_forgets_what_is_being_built(patch: pytest.MonkeyPatch) -> None:
    """A document published meanwhile goes into the index that serves, and into no other."""
    keep = publishing.keep_edition

    def keep_served(session, document, version_id, version, edition) -> None:
        if version.serves:
            keep(session, document, version_id, version, edition)

    patch.setattr(publishing, "keep_edition", keep_served)


def building_brings_back_a_former_text(patch: pytest.MonkeyPatch) -> None:
    """Whoever builds an index puts what it read, though the document is another by now."""
    publish = rebuilding.publish_edition

    def publish_anyway(session, view, stored, edition) -> str:
        id = rebuilding.document_id(view.id, stored.document.key)
        current = session.execute(
            rebuilding._CURRENT.where(rebuilding.VersionRow.document_id == id)
        ).first()
        stored = rebuilding.Stored(stored.document, *(current or (0, 0)))
        return publish(session, view, stored, edition)

    patch.setattr(rebuilding, "publish_edition", publish_anyway)


def a_switch_leaves_a_stale_projection(patch: pytest.MonkeyPatch) -> None:
    """An index opened while it did not serve is followed by nobody's search afterwards."""
    follow = DerivedIndexes.follow

    def follow_served(self, **options) -> Followed:
        if self.version.serves:
            return follow(self, **options)
        return Followed(self.words.seq, frozenset())

    patch.setattr(DerivedIndexes, "follow", follow_served)


def a_switch_does_not_count_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rebuilding, "_count_again", lambda *_: None)


def a_compaction_loses_tombstones(patch: pytest.MonkeyPatch) -> None:
    """A segment does not name what was deleted of older ones, and they are live again after a
    restart."""
    due = DenseIndex.due

    def due_without(self, **options) -> Work | None:
        work = due(self, **options)
        return None if work is None else replace(work, deleted=())

    patch.setattr(DenseIndex, "due", due_without)


def deleting_forgets_the_other_indexes(patch: pytest.MonkeyPatch) -> None:
    """Only the oldest index is told of it."""
    record = Turn.record_live_chunks

    def record_some(self, kind, document, index_version=None) -> None:
        record(self, kind, document, index_version or (1 if kind == "delete" else None))

    patch.setattr(Turn, "record_live_chunks", record_some)


def a_segment_claims_operations_that_it_lacks(patch: pytest.MonkeyPatch) -> None:
    """A restart believes it, and never applies them."""
    rows = Work.rows

    def all_but_one(self) -> Iterator[tuple[Ids, Rows]]:
        *before, (ids, last) = rows(self)
        yield from (*before, (ids[1:], last[1:]))

    patch.setattr(Work, "rows", all_but_one)


Step = tuple[str, dict[str, object]]

A: dict[str, object] = {"key": "key0", "group": 0, "leaves_out": False}
B = A | {"key": "key1"}
OLD, NEW = {"lines": ["red"]}, {"lines": ["blue", "green"]}
BEGIN: list[Step] = [("put", A | OLD), ("put", B | OLD), ("reindex", {"recipe": WHOLE})]
BUILT: list[Step] = [*BEGIN, ("build", {"most": 2})]
TO_NEW: Step = ("switch", {"place": 1})
LOOK: list[Step] = [("search_the_others", {}), ("count", {}), ("compare_rows", {})]
FIVE = {"lines": ["red", "green", "blue", "red green", "blue blue"]}

PLANTED: dict[Callable[[pytest.MonkeyPatch], None], list[Step]] = {
    publishing_forgets_what_is_being_built: [*BUILT, ("put", A | NEW), *LOOK],
    building_brings_back_a_former_text: [
        *BEGIN,
        ("begin_to_build", {}),
        ("put", A | NEW),
        ("finish_what_was_begun", {}),
        *LOOK,
    ],
    a_switch_leaves_a_stale_projection: [*BUILT, TO_NEW, ("put", A | NEW), *LOOK],
    a_switch_does_not_count_again: [*BUILT, ("put", A | NEW), TO_NEW, *LOOK],
    a_compaction_loses_tombstones: [
        *(("put", A | FIVE | {"key": f"key{n}"}) for n in range(5)),
        ("keep_up", {}),
        ("delete", {"key": "key0"}),
        ("restart", {}),
        *LOOK,
    ],
    deleting_forgets_the_other_indexes: [*BUILT, ("delete", {"key": "key0"}), *LOOK],
    a_segment_claims_operations_that_it_lacks: [
        ("put", A | FIVE),
        ("put", B | NEW),
        ("restart", {}),
        *LOOK,
    ],
}
"""Bugs, each with a short story that shows it."""


@only_sqlite
@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_story_shows_the_bug_that_is_planted(
    story: type[Machine], monkeypatch: pytest.MonkeyPatch, plant: Callable
) -> None:
    tell(story, PLANTED[plant])
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        tell(story, PLANTED[plant])


@only_sqlite
@pytest.mark.skipif("MACHINE" not in os.environ, reason="MACHINE=N asks for it: it takes minutes")
@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_random_stories_find_the_bug_that_is_planted(
    story: type[Machine], monkeypatch: pytest.MonkeyPatch, plant: Callable
) -> None:
    plant(monkeypatch)
    with pytest.raises((AssertionError, Flaky)):
        tell_random(story, 10 * STORIES, phases=[Phase.generate], database=None)


def tell(story: type[Machine], steps: list[Step]) -> None:
    """Rule by rule, as Hypothesis would."""
    machine = story()
    machine.begin()
    for rule, options in steps:
        getattr(machine, rule)(**options)
        machine.by_meaning_all_are_found_once()
    machine.teardown()


def tell_random(story: type[Machine], stories: int, **options: Any) -> None:
    run_machine(
        story,
        settings=settings(
            max_examples=stories,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            **options,
        ),
    )
