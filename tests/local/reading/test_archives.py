"""An archive is the files in it, as far as it keeps within bounds."""

import bz2
import gzip
import io
import tarfile
import zipfile

import pytest
from packages import docx, paragraph, read, zipped

from rag.domain import Source
from rag.errors import DocumentTooLarge, EncryptedDocument, InvalidDocument, UnsupportedMediaType
from rag.local.reading.limits import Limits
from rag.local.reading.reader import LocalReader

MEGABYTE = 1024 * 1024


def tarred(members: dict[str, bytes], link: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo("link.md")
            info.type, info.linkname = tarfile.SYMTYPE, link
            archive.addfile(info)
    return buffer.getvalue()


def test_each_file_is_a_page_below_its_name() -> None:
    document = read(
        zipped(
            {
                "notes/a.md": "# Head\n\ntext",
                "../../b.txt": "plain",
                "__MACOSX/a.md": "x",
                ".hidden": "x",
                "program.exe": b"MZ\x00\x01\x02\x03",
            }
        ),
        "a.zip",
    )

    assert document.text == "# notes/a.md\n\n# Head\n\ntext\n\n# b.txt\n\nplain"
    assert [b.level for b in document.blocks if b.kind == "title"] == [1, 2, 1]
    assert [(p.number, p.name, p.reader) for p in document.pages] == [
        (1, "notes/a.md", "text-layer"),
        (2, "b.txt", "text-layer"),
        (3, "program.exe", "none"),
    ]
    assert "nothing is read of programs" in document.pages[2].reason


@pytest.mark.parametrize("pack", [lambda tar: tar, gzip.compress, bz2.compress])
def test_a_tar_is_read_without_following_links(pack) -> None:  # type: ignore[no-untyped-def]
    content = pack(tarred({"a.txt": b"one", "b/c.txt": b"two"}, link="/etc/hostname"))

    document = read(content, "files.tar.gz")

    assert document.text == "# a.txt\n\none\n\n# b/c.txt\n\ntwo"


def test_a_compressed_file_is_read_as_what_is_in_it() -> None:
    document = read(gzip.compress(b"# Head\n\ntext"), "notes.md.gz")

    assert (document.text, document.title) == ("# Head\n\ntext", "Head")


def test_an_archive_in_an_archive_has_pages_in_the_outer_one() -> None:
    document = read(zipped({"in.zip": zipped({"a.txt": "deep"}), "b.txt": "flat"}))

    assert [page.name for page in document.pages] == ["in.zip › a.txt", "b.txt"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zipped({"a.txt": b"\x00" * 60 * MEGABYTE}), "times its size"),
        (gzip.compress(b"a" * 60 * MEGABYTE), "times its size"),
        (zipped({f"{i}.txt": "x" for i in range(101)}), "more than 100 entries"),
        (tarred({f"{i}.txt": b"x" for i in range(101)}), "more than 100 entries"),
        (zipped({f"{i}.txt": b"ab" * MEGABYTE for i in range(45)}), "more than 80 MB"),
    ],
    ids=["dense zip", "dense gzip", "crowded zip", "crowded tar", "large zip"],
)
def test_a_bomb_ends_in_a_refusal(content: bytes, said: str) -> None:
    limits = Limits(entries=100, unpacked=80 * MEGABYTE)

    with pytest.raises(DocumentTooLarge, match=said):
        read(content, "bomb", limits)


def test_what_is_packed_too_deep_is_refused() -> None:
    nested = b"text"
    for _ in range(6):
        nested = zipped({"in.zip": nested})

    with pytest.raises(DocumentTooLarge, match="4 deep"):
        read(nested)


def test_overlapping_members_are_counted_as_they_come_out() -> None:
    """A directory in which a thousand names point to the same bytes."""
    packed = zipped({"a.txt": b"\x00" * MEGABYTE})
    start, end = packed.index(b"PK\x01\x02"), packed.index(b"PK\x05\x06")
    entry = packed[start:end]
    directory = b"".join(entry.replace(b"a.txt", b"%05d" % i) for i in range(1000))
    tail = bytearray(packed[end:])
    tail[8:12] = (1000).to_bytes(2, "little") * 2
    tail[12:16] = len(directory).to_bytes(4, "little")
    local = packed[:start].replace(b"a.txt", b"00000")

    with pytest.raises(InvalidDocument):
        read(local + directory + bytes(tail), "bomb.zip", Limits(unpacked=80 * MEGABYTE))


def test_an_encrypted_archive_is_refused_as_such() -> None:
    content = bytearray(zipped({"a.txt": "secret"}))
    content[6] |= 1
    directory = content.index(b"PK\x01\x02")
    content[directory + 8] |= 1

    with pytest.raises(EncryptedDocument):
        read(bytes(content))


def test_a_damaged_member_is_named_where_nothing_else_can_be_read() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.bin", b"\x00\x01\x02\x03" * 10)

    with pytest.raises(InvalidDocument, match=r"none of the 1 files.*a\.bin"):
        read(buffer.getvalue())


@pytest.mark.anyio
async def test_an_archive_unpacks_to_sources_with_keys_of_their_own() -> None:
    reader = LocalReader(workers=1)
    inner = gzip.compress(tarred({"deep.txt": b"deep"}))
    content = zipped({"a.md": "# A", "b/c.tgz": inner, "d.docx": docx(paragraph("one file"))})

    files = [each async for each in reader.unpack(Source("x.zip", content))]
    alone = [each async for each in reader.unpack(Source("d.docx", docx(paragraph("x"))))]
    listed = await reader.members(Source("x.zip", content))
    single = [
        await reader.members(Source(name, one))
        for name, one in (
            ("d.docx", docx(paragraph("x"))),
            ("notes.md.gz", gzip.compress(b"# Head")),
            ("notes.md", b"# Head"),
            ("image.heic", b"\0\0\0\x18ftypheic"),
        )
    ]
    with pytest.raises(InvalidDocument, match="damaged"):
        await reader.members(Source("x.zip", content[:-30]))
    with pytest.raises(InvalidDocument, match="damaged"):
        [each async for each in reader.unpack(Source("x.zip", content[:-30]))]
    await reader.close()

    assert [each.key for each in files] == [
        "x.zip!/a.md",
        "x.zip!/b/c.tgz!/deep.txt",
        "x.zip!/d.docx",
    ]
    assert files[1].content == b"deep"
    assert [each.key for each in alone] == ["d.docx"]
    assert [(x.path, x.size) for x in listed or ()] == [
        (each.key.removeprefix("x.zip"), len(each.content)) for each in files
    ]
    assert single == [None] * 4


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("visio/document.xml", "Visio drawings are not read"),
        ("buildVersionHistory.plist", "Keynote of 2009"),
        ("FixedDocumentSequence.fdseq", "XPS files are not read"),
        ("3D/3dmodel.model", "a model to print"),
    ],
)
def test_a_package_of_another_program_is_refused_by_name(member: str, said: str) -> None:
    with pytest.raises(UnsupportedMediaType, match=said):
        read(zipped({"[Content_Types].xml": "<Types/>", member: "<x/>"}))


def test_a_way_of_packing_that_nobody_uses_any_more_is_named() -> None:
    content = zipped({"a.txt": "text"})
    central = content.index(b"PK\x01\x02")
    shrunk = bytearray(content)
    shrunk[8:10] = shrunk[central + 10 : central + 12] = b"\x01\x00"

    with pytest.raises(InvalidDocument, match="ZIP method 1"):
        read(bytes(shrunk))
