"""What kills its worker is found out and given up; what was only in hand meanwhile is not."""

from collections.abc import Mapping

from rag.domain import IngestItem, Source
from rag.holding import CALM
from rag.storage.claiming import MAX_ATTEMPTS, SUSPECTED
from rag.storage.claims import ClaimedItem

LANES = 3
FOREVER = 9_999.0
GONE = -1.0
"""A lease that nobody prolongs: whoever does not have the item in hand may take it."""


def give(shelf, *keys: str):
    return shelf.library.jobs.create(shelf.collection, [Source(key, key.encode()) for key in keys])


class Run:
    """Processes of a worker, one after the other, by a clock of their own."""

    def __init__(self, shelf, seconds: Mapping[str, float], deadly: str | None = None) -> None:
        """
        Args:
            seconds: that each item takes.
            deadly: the item that takes its process along instead.
        """
        self._shelf = shelf
        self._jobs = shelf.library.jobs
        self._seconds = seconds
        self._deadly = deadly
        self.deaths = 0

    def process(self, lives: float) -> bool:
        """Whether it was idle before it was killed."""
        now = 0.0
        in_hand: dict[float, ClaimedItem] = {}
        while True:
            while len(in_hand) < LANES and (claimed := self._claim(in_hand, now)):
                ends = now + self._seconds[claimed.key]
                while ends in in_hand:
                    ends += 0.001
                in_hand[ends] = claimed
            if not in_hand and self._jobs.is_drained():
                return True
            now = min(in_hand, default=now + CALM)
            if now > lives or (in_hand.get(now) and in_hand[now].key == self._deadly):
                self.deaths += 1
                return False
            if in_hand:
                self._jobs.finish(in_hand.pop(now), "unchanged")

    def _claim(self, in_hand: Mapping[float, ClaimedItem], now: float) -> ClaimedItem | None:
        return self._jobs.claim(
            lease=GONE,
            in_hand=[claimed.item_id for claimed in in_hand.values()],
            is_calm=now >= CALM,
        )


def ends(shelf, job) -> dict[str, IngestItem]:
    return {item.key: item for item in shelf.library.jobs.items(job.id, limit=100).data}


def test_whoever_kills_the_worker_every_twenty_seconds_makes_no_item_fail(shelf) -> None:
    seconds = {f"{n}": 1.0 + n % 7 for n in range(30)} | {"long": 45.0, "longer": 300.0}
    job = give(shelf, *seconds)
    run = Run(shelf, seconds)
    for _ in range(25):
        run.process(lives=20.0)
    assert set(_states(shelf, job, "queued")) == {"long", "longer"}, "they never had the time"
    while not run.process(lives=FOREVER):
        pass

    assert run.deaths == 25
    assert set(_states(shelf, job, "unchanged")) == set(seconds)


def test_what_kills_its_worker_ends_and_takes_nothing_along(shelf) -> None:
    seconds = {f"{n}": 1.0 + n % 7 for n in range(12)} | {"deadly": 4.0}
    job = give(shelf, *sorted(seconds))
    run = Run(shelf, seconds, deadly="deadly")
    while not run.process(lives=FOREVER):
        assert run.deaths <= MAX_ATTEMPTS

    found = ends(shelf, job)
    assert run.deaths == MAX_ATTEMPTS
    assert (found["deadly"].state, found["deadly"].error.code) == ("failed", "gave_up")
    assert len(_states(shelf, job, "unchanged")) == 12


def test_what_was_in_hand_when_a_worker_died_is_tried_first_and_alone(shelf) -> None:
    give(shelf, "other", "suspect")
    other = shelf.library.jobs.claim(lease=60)
    shelf.library.jobs.claim(lease=-1)

    assert shelf.library.jobs.claim(lease=60, in_hand=[other.item_id]) is None, "not beside another"
    shelf.library.jobs.release(other)
    suspect = shelf.library.jobs.claim(lease=60)
    assert (suspect.key, suspect.attempts) == ("suspect", 2)
    assert shelf.library.jobs.claim(lease=60, in_hand=[suspect.item_id]) is None
    assert not shelf.library.jobs.is_drained(in_hand=[suspect.item_id])
    shelf.library.jobs.finish(suspect, "unchanged")
    assert shelf.library.jobs.claim(lease=60).key == "other"


def test_what_was_in_hand_at_several_deaths_waits_for_a_calm_process(shelf) -> None:
    give(shelf, "one", "two")
    for _ in range(SUSPECTED):
        assert shelf.library.jobs.claim(lease=-1).key == "one"
    two = shelf.library.jobs.claim(lease=60, is_calm=False)
    assert two.key == "two"
    shelf.library.jobs.finish(two, "unchanged")

    assert shelf.library.jobs.claim(lease=60, is_calm=False) is None
    assert shelf.library.jobs.claim(lease=60, is_calm=True).key == "one"


def _states(shelf, job, state: str) -> list[str]:
    return [key for key, item in ends(shelf, job).items() if item.state == state]
