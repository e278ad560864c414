"""One word names an embedding model and all that changes its vectors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import InvalidSettings
from rag.mistral.embedding.profiles import Profile, profile


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("mistral-embed", Profile("mistral-embed", 1024)),
        ("mistral-embed-2312", Profile("mistral-embed-2312", 1024)),
        ("codestral-embed", Profile("codestral-embed", 1536)),
        ("codestral-embed@512", Profile("codestral-embed", 512)),
        ("codestral-embed@3072", Profile("codestral-embed", 3072)),
        ("codestral-embed/int8", Profile("codestral-embed", 1536, "int8")),
        ("codestral-embed@256/binary", Profile("codestral-embed", 256, "binary")),
    ],
)
def test_a_name_says_all(name: str, meant: Profile) -> None:
    assert profile(name) == meant
    assert meant.name == name


def test_what_is_usual_is_not_said() -> None:
    assert profile("codestral-embed@1536/float").name == "codestral-embed"
    assert profile("mistral-embed@1024").name == "mistral-embed"


@given(st.integers(1, 3072), st.sampled_from(["float", "int8", "binary"]))
def test_vectors_that_differ_have_names_that_differ(width: int, coding: str) -> None:
    read = profile(f"codestral-embed@{width}/{coding}")

    assert (read.width, read.coding) == (width, coding)
    assert profile(read.name) == read


@pytest.mark.parametrize(
    "name",
    [
        "mistral-embedd",
        "",
        "mistral-large-2512",
        "mistral-embed@512",  # its width is fixed
        "mistral-embed/int8",
        "codestral-embed@0",
        "codestral-embed@3073",
        "codestral-embed@",
        "codestral-embed@512/float64",
        "codestral-embed/int8@512",
        "codestral-embed@512 ",
    ],
)
def test_what_no_model_offers_is_no_setting(name: str) -> None:
    with pytest.raises(InvalidSettings, match="embed"):
        profile(name)
