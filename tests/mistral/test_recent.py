"""What is remembered, and for how long."""

from rag.mistral.embedding.recent import Recent


def test_what_was_used_last_stays() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.hold([("one", 1), ("two", 2)])
    recent.of(["one"])
    recent.hold([("three", 3)])

    assert recent.of(["one", "two", "three"]) == {"one": 1, "three": 3}
