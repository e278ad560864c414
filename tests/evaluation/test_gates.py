"""Gates for a build."""

import pytest

from rag.errors import InvalidRequest
from rag.evaluation.gates import failures, parse_gate


@pytest.mark.parametrize(
    ("written", "value", "holds"),
    [
        ("ndcg@10>=0.7", 0.7, True),
        ("ndcg@10 >= 0.7", 0.699, False),
        ("latency_p99_ms<30", 29.9, True),
        ("latency_p99_ms<30", 30.0, False),
        ("x>1", 1.0, False),
        ("x<=1", 1.0, True),
    ],
)
def test_a_gate_compares_a_figure_with_a_number(written: str, value: float, holds: bool) -> None:
    gate = parse_gate(written)

    assert (failures((gate,), {gate.figure: value}) == []) == holds


def test_a_gate_that_does_not_hold_says_why() -> None:
    [why] = failures((parse_gate("ndcg@10>=0.7"),), {"ndcg@10": 0.61})

    assert why == "ndcg@10 >= 0.7 does not hold: ndcg@10 is 0.6100"


@pytest.mark.parametrize("written", ["ndcg@10", "ndcg@10=0.7", ">=0.7", "ndcg@10>=0.7.1", ""])
def test_what_is_no_gate_is_refused(written: str) -> None:
    with pytest.raises(InvalidRequest, match="a gate is a figure"):
        parse_gate(written)


def test_a_gate_on_what_was_not_measured_is_an_error_and_no_pass() -> None:
    with pytest.raises(InvalidRequest, match="'ndgc@10' was not measured, but: ndcg@10"):
        failures((parse_gate("ndgc@10>=0"),), {"ndcg@10": 1.0})
