"""The files of an archive are documents of their own, and come and go with it."""

import io
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from rag.domain import ARCHIVE, WITHIN, IngestItem, Source
from rag.errors import DocumentTooLarge, NotFound
from rag.ports import Member
from tests.houses import House

pytestmark = pytest.mark.anyio

WHALES = "# Whales\n\nThe blue whale eats krill.\n"
BREAD = "# Bread\n\nSourdough needs flour.\n"
BINARY = b"\xff\xfe\xfd"


class Unzipper:
    """Of what begins like a ZIP; one with a member `bomb` is too large."""

    async def members(self, source: Source) -> tuple[Member, ...] | None:
        if not source.content.startswith(b"PK"):
            return None
        with zipfile.ZipFile(io.BytesIO(source.content)) as archive:
            if "bomb" in archive.namelist():
                raise DocumentTooLarge("it unpacks to more than is allowed")
            infos = archive.infolist()
            return tuple(Member(WITHIN + info.filename, info.file_size) for info in infos)

    async def unpack(self, source: Source) -> AsyncIterator[Source]:
        with zipfile.ZipFile(io.BytesIO(source.content)) as archive:
            for name in archive.namelist():
                yield Source(source.key + WITHIN + name, archive.read(name))


@pytest.fixture
def house(tmp_path: Path, database_url: str | None) -> Iterator[House]:
    house = House(tmp_path / "library", database_url)
    house.unpacker = Unzipper()
    yield house
    house.library.close()


def zipped(**members: str | bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return buffer.getvalue()


async def hand_in(house: House, content: bytes, key: str = "all.zip", **attributes: str):
    source = Source(key, content, attributes=dict(attributes))
    return await house.work_on(house.library.jobs.create(house.within, [source]))


def account(house: House, key: str = "all.zip") -> dict[str, IngestItem]:
    archive = house.library.documents.find_by_key(house.within, key)
    assert archive is not None
    return {item.key: item for item in house.library.documents.members(archive.id).data}


def keys(house: House) -> list[str]:
    return [each.key for each in house.library.documents.list(house.within, limit=100).data]


async def test_each_file_of_an_archive_is_a_document_and_the_archive_tells_of_all(
    house: House,
) -> None:
    job = await hand_in(house, zipped(whales_md=WHALES, bad_md=BINARY), owner="me")

    assert (job.state, job.items.total, job.items.failed) == ("failed", 3, 1)
    assert await house.find("krill") == ["all.zip!/whales.md"]
    assert await house.find("files", mode="words") == [], "its account answers no question"
    member = house.library.documents.find_by_key(house.within, "all.zip!/whales.md")
    assert member is not None
    assert (member.attributes["owner"], member.attributes[ARCHIVE]) == ("me", "all.zip")
    archive = house.library.documents.find_by_key(house.within, "all.zip")
    assert archive is not None
    assert "whales.md" in house.library.documents.text(archive.id).text
    told = account(house)
    assert told["all.zip!/whales.md"].state == "indexed"
    assert told["all.zip!/bad.md"].state == "refused"
    assert told["all.zip!/bad.md"].error.message == "these bytes are not text"


async def test_the_same_archive_again_changes_nothing(house: House) -> None:
    content = zipped(whales_md=WHALES)
    await hand_in(house, content)
    job = await hand_in(house, content)

    assert job.progress["unchanged"] == job.items.total == 1


async def test_a_changed_archive_updates_and_removes_what_was_in_it(house: House) -> None:
    await hand_in(house, zipped(same_md="# Same\n\nAs before.", whales_md=WHALES, gone_md=BREAD))
    before = len(house.embedder.embedded)
    new = WHALES.replace("krill", "plankton")
    job = await hand_in(house, zipped(same_md="# Same\n\nAs before.", whales_md=new))

    assert job.state == "succeeded"
    assert keys(house) == ["all.zip", "all.zip!/same.md", "all.zip!/whales.md"]
    assert await house.find("krill", mode="words") == []
    assert await house.find("sourdough", mode="words") == []
    assert len(house.embedder.embedded) == before + 1
    assert set(account(house)) == {"all.zip!/same.md", "all.zip!/whales.md"}


async def test_what_is_in_an_archive_goes_with_it(house: House) -> None:
    await hand_in(house, zipped(whales_md=WHALES, bread_md=BREAD))
    await hand_in(house, BREAD.encode(), key="all.zip2!/bread.md")
    archive = house.library.documents.find_by_key(house.within, "all.zip")
    assert archive is not None
    house.library.documents.delete(archive.id)

    assert keys(house) == ["all.zip2!/bread.md"]
    with pytest.raises(NotFound):
        house.library.documents.members(archive.id)


async def test_an_archive_that_is_too_large_leaves_nothing(house: House) -> None:
    job = await hand_in(house, zipped(whales_md=WHALES, bomb=b""))

    assert (job.state, job.items.total) == ("failed", 1)
    assert job.last_error.code == "document_too_large"
    assert keys(house) == []


async def test_a_name_that_cannot_be_kept_is_told_and_the_others_come(house: House) -> None:
    name = "x" * 1_100
    job = await hand_in(house, zipped(**{name: "long", "whales_md": WHALES}))
    archive = house.library.documents.find_by_key(house.within, "all.zip")

    assert job.state == "succeeded"
    assert "its name cannot be kept" in house.library.documents.text(archive.id).text
    assert keys(house) == ["all.zip", "all.zip!/whales.md"]


async def test_an_archive_without_files_is_refused(house: House) -> None:
    job = await hand_in(house, zipped())

    assert job.last_error.message == "there is no file in this archive"
