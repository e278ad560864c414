"""Files as an enemy or a failing disk would make them: seeded changes of sound ones, and bombs."""

import bz2
import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator

INSERTED = (
    *(b"<", b"&", b"{", b"\\", b"\n\n", b"|||", b"<w:p>", b"<w:tbl><w:tr>", b"]]>", b"\\bin9999 "),
    *(b"1048576", b"-1", b"1e999", b"%PDF-1.7", b"endobj", b"/Length 4294967295", b"\x00\xff\xfe"),
    *(b'<!ENTITY a "&a;&a;">', b"charset=utf-7", b"Content-Type: multipart/mixed; boundary=b\n"),
)
EXTREMES = (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff", b"9999", b"\x80\x00")
LONGEST = 4096  # bytes that one change touches
CHANGES = (1, 1, 2, 4, 16, 64)  # of one file
MEGABYTE = 1024 * 1024


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Changed here and there; of a ZIP, more often within its members than in its frame."""
    if content.startswith(b"PK") and chance.random() < 0.8:
        try:
            return _repacked(content, chance)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, OSError):
            pass  # it is no sound ZIP itself
    return _changed(content, chance)


def _changed(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice(CHANGES)):
        _change(changed, chance)
    return bytes(changed)


def _change(content: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(content) + 1)
    length = chance.choice((1, 4, 64, LONGEST))
    match chance.randrange(7):
        case 0:
            content[at : at + 1] = chance.randbytes(1)
        case 1:
            del content[at : at + length]
        case 2:
            start = chance.randrange(len(content) + 1)
            content[at:at] = content[start : start + length]
        case 3:
            extreme = chance.choice(EXTREMES)
            content[at : at + len(extreme)] = extreme
        case 4:
            content[at:at] = chance.choice(INSERTED)
        case 5:
            content[at:at] = chance.choice(INSERTED) * chance.randrange(1, 1000)
        case 6:
            del content[at:]


def _repacked(content: bytes, chance: random.Random) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as sound:
        members = [(info.filename, sound.read(info)) for info in sound.infolist()]
    chosen = {name for name, _ in chance.sample(members, min(2, len(members)))}
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as changed:
        for name, member in members:
            is_changed = name in chosen or chance.random() < 0.1
            changed.writestr(name, _changed(member, chance) if is_changed else member)
    return packed.getvalue()


def bombs(only: Collection[str] = ()) -> Iterator[tuple[str, bytes]]:
    """Small files that would be large, deep or without end, with their names.

    Args:
        only: names of those that are made, if not all.
    """
    for name, made in BOMBS.items():
        if not only or name in only:
            yield name, made()


def _zip(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _nested(depth: int) -> bytes:
    content = b"text"
    for _ in range(depth):
        content = _zip({"in.zip": content, "also.zip": content})
    return content


def _laughs() -> bytes:
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    return f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "ha">{lines}]><a>&e11;</a>'.encode()


def _sheet() -> bytes:
    """One cell at the far corner, and one that claims a million columns."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    relation = (
        '<Relationships xmlns="{}"><Relationship Id="r" Type="{}/{}" Target="{}"/></Relationships>'
    )
    return _zip(
        {
            "[Content_Types].xml": b"<Types/>",
            "_rels/.rels": relation.format(package, office, "officeDocument", "xl/b.xml").encode(),
            "xl/_rels/b.xml.rels": relation.format(package, office, "worksheet", "s.xml").encode(),
            "xl/b.xml": (
                f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
                '<sheet name="S" sheetId="1" r:id="r"/></sheets></workbook>'
            ).encode(),
            "xl/s.xml": (
                f'<worksheet xmlns="{main}"><sheetData><row r="1048576"><c r="XFD1048576"><v>1</v>'
                '</c><c r="ZZZZZZ9999999999"><v>2</v></c></row></sheetData></worksheet>'
            ).encode(),
        }
    )


def _png(width: int, height: int) -> bytes:
    """As wide as it says, of one color, packed to almost nothing."""

    def part(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    row = bytes(1 + width // 8)
    packer = zlib.compressobj(1)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = part(b"IHDR", head) + part(b"IDAT", pixels) + part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def _bitmap(side: int) -> bytes:
    """As large as it says, without a pixel."""
    return b"BM" + struct.pack("<IIIIiiHH", 0, 0, 54, 40, side, side, 1, 24) + bytes(24)


ZEROS = bytes(64 * MEGABYTE)
BOMBS: dict[str, Callable[[], bytes]] = {
    "zeros.gz": lambda: gzip.compress(ZEROS, 1) * 20,
    "zeros.bz2": lambda: bz2.compress(ZEROS[: 8 * MEGABYTE]) * 80,
    "zeros.zip": lambda: _zip({f"{n}.txt": ZEROS for n in range(9)}),
    "nested.zip": lambda: _nested(12),
    "many.zip": lambda: _zip({f"{n}": b"" for n in range(20_000)}),
    "deep.html": lambda: b"<div>" * 500_000,
    "deep.xml": lambda: b"<?xml version='1.0'?>" + b"<a>" * 500_000,
    "laughs.xml": _laughs,
    "deep.json": lambda: b"[" * 1_000_000,
    "deep.rtf": lambda: b"{\\rtf1 " + b"{" * 1_000_000,
    "deep.eml": lambda: b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n" * 200_000,
    "wide.csv": lambda: b"," * 4_000_000,
    "sheet.xlsx": _sheet,
    "huge.png": lambda: _png(40_000, 40_000),
    "huge.bmp": lambda: _bitmap(2**30),
    "self.pdf": lambda: b"%PDF-1.4\n" + b"1 0 obj<</Type/Catalog/Pages 1 0 R>>endobj\n" * 2_000,
    "quotes.md": lambda: b"> " * 200_000 + b"x",
    "emphasis.md": lambda: b"*_" * 500_000,
}
