import pytest

from rag.local.ocr.lookalikes import repaired


@pytest.mark.parametrize(
    ("seen", "meant"),
    [
        ("in 17o2, 1oo men", "in 1702, 100 men"),  # old-style zeros
        ("the GRoUP of EDwIN", "the GROUP of EDWIN"),  # small capitals
        ("TuTHILL", "TUTHILL"),
        ("VoIP and QoS", "VoIP and QoS"),  # short words are written so
        ("GPT-4o, 4o", "GPT-4o, 4o"),
        ("McGREGOR, MacDONALD", "McGREGOR, MacDONALD"),
        ("URLs, H2O, 10oz", "URLs, H2O, 10oz"),
        ("to go", "to go"),
    ],
)
def test_only_what_cannot_be_meant_is_repaired(seen: str, meant: str) -> None:
    assert repaired(seen) == meant
