"""What may be under a key, told by what was acknowledged."""

from pathlib import Path

import msgspec

from scripts.chaos.truth import Event, Key, Truth

A, B = Key("fish/a"), Key("fish/b")


def truth_of(*events: Event) -> Truth:
    truth = Truth()
    for event in events:
        truth.learn(event)
    return truth


def test_what_was_begun_may_be_there_or_not() -> None:
    truth = truth_of(
        Event("begun", {A: "old"}), Event("acknowledged", {A: "old"}), Event("begun", {A: "new"})
    )

    assert truth.allowed(A) == {"old", "new"}
    assert truth.open == [{A: "new"}]


def test_what_was_acknowledged_is_there_and_nothing_else() -> None:
    truth = truth_of(
        Event("begun", {A: "old"}),
        Event("acknowledged", {A: "old"}),
        Event("begun", {A: "new"}),
        Event("acknowledged", {A: "new"}),
    )

    assert truth.allowed(A) == {"new"}
    assert truth.gone() == {"old"}
    assert not truth.open


def test_what_failed_may_be_there_or_not() -> None:
    truth = truth_of(Event("begun", {A: "new"}), Event("failed", note="put: the disk is full"))

    assert truth.allowed(A) == {None, "new"}
    assert truth.failures == ["put: the disk is full"]


def test_bytes_are_gone_only_where_the_delete_was_acknowledged() -> None:
    put = [
        event
        for key, text in ((A, "one"), (B, "two"))
        for event in (Event("begun", {key: text}), Event("acknowledged", {key: text}))
    ]
    truth = truth_of(
        *put,
        Event("begun", {A: None}),
        Event("acknowledged", {A: None}),
        Event("begun", {B: None}),
        Event("observed", {B: None}),
    )

    assert truth.purged == {"one"}
    assert truth.gone() == {"one", "two"}


def test_a_torn_line_was_never_said(tmp_path: Path) -> None:
    line = msgspec.json.encode(Event("begun", {A: "new"})) + b"\n"
    (tmp_path / "journal").write_bytes(line + line[:20])

    assert Truth.of(tmp_path / "journal").allowed(A) == {None, "new"}
