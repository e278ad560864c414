"""Several questions in one are told apart where each stands by itself."""

import pytest

from rag.questions.parts import split
from rag.questions.wrapping import unwrapped


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "What is the notice period and who pays for repairs?",
            ("What is the notice period", "who pays for repairs?"),
        ),
        (
            "Who wrote Walden? When did Emerson die?",
            ("Who wrote Walden?", "When did Emerson die?"),
        ),
        (
            "Was kostet ein Schlüssel und wer zahlt die Reparatur?",
            ("Was kostet ein Schlüssel", "wer zahlt die Reparatur?"),
        ),
        (
            "Combien coûte une clé et qui paie les travaux?",
            ("Combien coûte une clé", "qui paie les travaux?"),
        ),
        (
            "¿Cuánto cuesta una llave y quién paga la obra?",
            ("¿Cuánto cuesta una llave", "quién paga la obra?"),
        ),
    ],
)
def test_parts(question: str, parts: tuple[str, ...]) -> None:
    assert split(question) == parts


@pytest.mark.parametrize(
    "question",
    [
        "Who wrote Walden and when was it printed?",  # leans on the first
        "What are the causes and effects of rust?",
        "What is salt and how?",  # asks nothing by itself
        "salt and pepper",
        "He knows what and how much was paid",
        "Was it cold? Was it wet?",
        "What is A? What is B? What is C? What is D? What is E?",
        "",
        "???",
    ],
)
def test_one_question_stays_whole(question: str) -> None:
    assert split(question) == ()


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("Could you please tell me what a lost key costs?", "what a lost key costs?"),
        ("Hi, I would like to know what a lost key costs, please.", "what a lost key costs."),
        ("Können Sie mir bitte sagen, was ein Schlüssel kostet?", "was ein Schlüssel kostet?"),
        ("Pouvez-vous me dire combien coûte une clé", "combien coûte une clé"),
        ("please", "please"),
        ("show me", "show me"),
        ("Tell tale signs of rust", "Tell tale signs of rust"),
        ("how to please customers", "how to please customers"),
    ],
)
def test_politeness_is_left_out(question: str, asked: str) -> None:
    assert unwrapped(question) == asked
