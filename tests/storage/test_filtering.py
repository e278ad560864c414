"""What SQL lets through is what the model of filters lets through."""

import math
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, insert
from sqlalchemy.orm import Session

from rag.domain import Attribute, CollectionId, DocumentId
from rag.ranking.filters import (
    And,
    Contains,
    Eq,
    Exists,
    Filter,
    Gt,
    Gte,
    In,
    Lt,
    Lte,
    Ne,
    Nin,
    Not,
    Or,
    Prefix,
    matches,
)
from rag.storage.attributes import AttributeRow, keep_attributes
from rag.storage.filtering import passing_versions
from rag.storage.tables import CollectionRow, DocumentRow, Row, VersionRow

COLLECTION, OTHER = CollectionId("col_1"), CollectionId("col_2")

NUMBERS = (0, 1, -1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63) + 1, 0.5, -0.0, 1.0, 2.0**53, 1e300)
TEXTS = ("", "a", "A", "ab", "é", "e\u0301", "\ud7ff", "\ue000", "\U0010ffff", "%", "_", "x" * 150)
LISTS = ((), ("a",), ("ab", "a"), ("",))
VALUES: tuple[Attribute, ...] = (*NUMBERS, *TEXTS, *LISTS, True, False, None)

KEYS = ("one", "two", "title")
ASKED_NUMBERS = (*NUMBERS, 2**63, -(2**64), 10**400, math.inf, -math.inf, math.nan, 2.0**63, 0.1)
ASKED_TEXTS = (
    *TEXTS,
    "a\0",
    "\0",
    "\ud800",
    "ab\udfff",
    "b",
    "x" * 100,
    "x" * 101,
    "\U0010ffff" * 2,
)

number = st.sampled_from(ASKED_NUMBERS) | st.integers() | st.floats()
text = st.sampled_from(ASKED_TEXTS) | st.text(max_size=3)
scalar = number | text | st.booleans() | st.none()
key = st.sampled_from(KEYS)

leaf = st.one_of(
    st.builds(Eq, key, scalar),
    st.builds(Ne, key, scalar),
    *(st.builds(kind, key, number | text) for kind in (Gt, Gte, Lt, Lte)),
    *(st.builds(kind, key, st.lists(scalar, max_size=4).map(tuple)) for kind in (In, Nin)),
    st.builds(Exists, key),
    st.builds(Contains, key, text),
    st.builds(Prefix, key, text),
)
tree = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=6,
)


def documents() -> Iterator[dict[str, Attribute]]:
    """Each value under each key, and some together."""
    for place, value in enumerate(VALUES):
        yield {"one": value}
        yield {"one": value, "two": VALUES[(place * 7 + 3) % len(VALUES)]}
        yield {"two": value, "title": "an attribute that nobody can ask for"}
    yield {}


DOCUMENTS = list(documents())


@pytest.fixture
def engine(database_url: str | None) -> Iterator[Engine]:
    url = database_url or "sqlite://"
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    if database_url is None:
        Row.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        _fill(session)
    yield engine
    engine.dispose()


def _fill(session: Session) -> None:
    for id in (COLLECTION, OTHER):
        session.execute(insert(CollectionRow).values(id=id, name=id, created_at=""))
    for number, attributes in enumerate(DOCUMENTS):
        for within in (COLLECTION, OTHER):
            document = DocumentId(f"doc_{within}_{number}")
            session.execute(
                insert(DocumentRow).values(
                    id=document,
                    collection_id=within,
                    key=document,
                    created_at="",
                    updated_at="",
                )
            )
            version = session.execute(
                insert(VersionRow)
                .values(
                    document_id=document,
                    sha256=f"sha256:{number}",
                    state="current",
                    revision=1,
                    title=_title(number),
                    media_type="text/plain",
                    size=0,
                    characters=0,
                    pages=0,
                    pages_ocred=0,
                    chunks=0,
                    attributes={},
                    created_at="",
                    text="",
                    layout=b"",
                )
                .returning(VersionRow.id)
            ).scalar_one()
            keep_attributes(session, within, document, version, attributes)


def _title(number: int) -> str:
    return TEXTS[number % len(TEXTS)]


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(tree)
def test_sql_and_the_model_let_the_same_documents_through(engine: Engine, asked: Filter) -> None:
    with Session(engine) as session:
        passing = passing_versions(asked, COLLECTION)
        found = session.scalars(
            passing.with_only_columns(DocumentRow.id).order_by(DocumentRow.id)
        ).all()

    expected = [
        f"doc_{COLLECTION}_{number}"
        for number, attributes in enumerate(DOCUMENTS)
        if matches(asked, {**attributes, "title": _title(number)})
    ]
    assert sorted(found) == sorted(expected)


def test_a_new_version_has_its_own_attributes_and_no_others(engine: Engine) -> None:
    with Session(engine) as session:
        document = DocumentId(f"doc_{COLLECTION}_1")
        version = session.scalars(
            VersionRow.__table__.select()
            .with_only_columns(VersionRow.id)
            .where(VersionRow.document_id == document)
        ).one()

        keep_attributes(session, COLLECTION, document, version, {"three": ("x", "y")})

        rows = session.query(AttributeRow).where(AttributeRow.version_id == version)
        assert [(row.key, row.kind, row.text) for row in rows.order_by(AttributeRow.place)] == [
            ("three", "list", None),
            ("three", "element", "x"),
            ("three", "element", "y"),
        ]
        session.rollback()


def test_a_long_list_is_one_look() -> None:
    asked = In("one", tuple(f"value {n}" for n in range(900)))

    statement = str(passing_versions(asked, COLLECTION))

    assert statement.count("attribute.version_id") == 1
