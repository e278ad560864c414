"""What a long command is doing, told while it does: a bar on a terminal, plain lines elsewhere."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from time import monotonic

from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bar
from rich.text import Text

from rag.cli import show
from rag.cli.outcomes import Outcome

NAMED_AT_ONCE = 20
"""Files that are not read, each told of when that is known; the others are counted."""
SLOW = 5.0
"""Seconds from which it is told how long a file has been under way."""
LONGEST_NAME = 60  # characters of a key, from its end
FEWEST_A_SECOND = 0.05  # that are told as a pace, and not as 0.0
PLAIN_EVERY = 10.0  # seconds between two lines where there is no terminal


class Progress:
    """Counts what it hears."""

    def __init__(self, total: int, doing: str, unit: str = "files") -> None:
        self.total = total
        self.doing = doing
        self.unit = unit
        self.done = 0
        self._worked_on = 0
        """Of what is done; that a file was there already, or refused before, tells no pace."""
        self._pages = 0
        self._chunks = 0
        self._unread = 0
        self._usd = Decimal(0)
        self._named = 0
        self._since: dict[tuple[str, str], float] = {}
        """When what is under way was first heard of."""
        self._waiting: str | None = None
        self._began = monotonic()

    def told(self, outcome: Outcome) -> None:
        self.done += 1
        self.total = max(self.total, self.done)  # an archive has more files than one
        was_known = outcome.state == "unchanged" or (
            outcome.state == "refused" and not outcome.seconds
        )
        self._worked_on += not was_known
        self._unread += outcome.state in ("refused", "failed")
        if outcome.state != "unchanged":
            self._pages += outcome.pages
            self._chunks += outcome.chunks
        if outcome.state in ("refused", "failed") and not was_known:
            self._name(outcome)
        self._changed()

    def step(self) -> None:
        """One more is done, of which nothing else is to be told."""
        self.done += 1
        self._worked_on += 1
        self._changed()

    def paused(self, reason: str | None) -> None:
        if reason != self._waiting:
            self._waiting = reason
            self._say(f"paused: {reason}" if reason else "going on")

    def under_way(self, doing: Sequence[tuple[str, str]]) -> None:
        """
        Args:
            doing: as of `UnderWay`.
        """
        now = monotonic()
        self._since = {each: self._since.get(each, now) for each in doing}
        self._changed()

    def spent(self, usd: Decimal) -> None:
        self._usd = usd
        self._changed()

    def counts(self) -> str:
        """Pages, chunks, failures, money."""
        reads = self.unit == "files"
        parts = [_many(self._pages, "page"), _many(self._chunks, "chunk")] if reads else []
        if self._unread:
            parts.append(f"{self._unread:,} not read")
        if self._usd:
            parts.append(f"${self._usd:.4f}")
        seconds = monotonic() - self._began
        if seconds >= 1 and self._worked_on >= FEWEST_A_SECOND * seconds:
            parts.append(f"{self._worked_on / seconds:,.1f} {self.unit}/s")
        return ", ".join(parts)

    def left(self) -> str:
        """How long it will take, if it goes on like this."""
        if not self._worked_on or self.done >= self.total:
            return ""  # nobody knows how many files an archive still has
        seconds = (monotonic() - self._began) * (self.total - self.done) / self._worked_on
        if seconds < 60:
            return f"{seconds:.0f} s left"
        hours, minutes = divmod(round(seconds / 60), 60)
        return f"{hours} h {minutes} min left" if hours else f"{minutes} min left"

    def doing_now(self) -> str:
        """What is done to which files, and for how long."""
        now = monotonic()
        return ", ".join(
            f"{doing} {_short(key)}" + (f" ({now - since:.0f} s)" if now - since >= SLOW else "")
            for (doing, key), since in self._since.items()
        )

    def _name(self, outcome: Outcome) -> None:
        self._named += 1
        if self._named <= NAMED_AT_ONCE:
            self._say(f"{outcome.key}: {outcome.state}, {outcome.reason}")
        if self._named == NAMED_AT_ONCE:
            self._say("others that are not read are counted, and listed in the end")

    def _changed(self) -> None:
        pass

    def _say(self, line: str) -> None:
        pass


class OnTerminal(Progress):
    """Three lines that stay in their place: the bar, the counts, and what is under way."""

    def __init__(self, total: int, doing: str, unit: str, console: Console) -> None:
        super().__init__(total, doing, unit)
        self._console = console
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            expand=True,
        )
        self._task = self._bar.add_task(doing, total=total, left="")

    def __rich__(self) -> Group:
        lines = filter(None, (self.counts(), self.doing_now()))
        return Group(
            self._bar,
            *(Text(f"  {line}", style="dim", overflow="ellipsis", no_wrap=True) for line in lines),
        )

    def _changed(self) -> None:
        self._bar.update(self._task, completed=self.done, total=self.total, left=self.left())

    def _say(self, line: str) -> None:
        self._console.print(Text(line, style="yellow"))


class InLines(Progress):
    """A line now and then, for logs."""

    def __init__(self, total: int, doing: str, unit: str, console: Console) -> None:
        super().__init__(total, doing, unit)
        self._console = console
        self._last = monotonic()

    def _changed(self) -> None:
        if monotonic() - self._last >= PLAIN_EVERY:
            self._last = monotonic()
            left = f", {self.left()}" if self.left() else ""
            counts = f": {self.counts()}" if self.counts() else ""
            now = f"; {self.doing_now()}" if self.doing_now() else ""
            self._say(f"{self.doing}: {self.done:,} of {self.total:,}{counts}{left}{now}")

    def _say(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, markup=False)


def _many(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def _short(key: str) -> str:
    return key if len(key) <= LONGEST_NAME else "…" + key[-LONGEST_NAME:]


@contextmanager
def progress_of(
    total: int, *, quiet: bool = False, doing: str = "ingesting", unit: str = "files"
) -> Iterator[Progress]:
    """Told on standard error, unless it shall be quiet.

    Args:
        unit: of what is counted; of files, pages and chunks are told too.
    """
    console = show.aside
    if quiet:
        yield Progress(total, doing, unit)
    elif console.is_terminal and not console.is_dumb_terminal:
        shown = OnTerminal(total, doing, unit, console)
        with Live(shown, console=console, refresh_per_second=8):
            yield shown
    else:
        yield InLines(total, doing, unit, console)
