"""A letter is what was written, by whom and when, and what hangs on it."""

import base64
import struct

import pytest
from compound_files import compound
from packages import docx, paragraph, read

from rag.errors import (
    DocumentTooLarge,
    EmptyDocument,
    EncryptedDocument,
    InvalidDocument,
    UnsupportedMediaType,
)

HEAD = b"From: =?utf-8?q?J=C3=B8rgen?= <j@x.y>\r\nTo: b@x.y\r\nSubject: Hello\r\n"
PLAIN = b"Content-Type: text/plain\r\n\r\n"


def multipart(kind: bytes, *parts: bytes) -> bytes:
    edge = b"=%d=" % len(b"".join(parts))
    body = b"".join(b"--" + edge + b"\r\n" + part + b"\r\n" for part in parts)
    head = b"MIME-Version: 1.0\r\nContent-Type: multipart/" + kind + b'; boundary="%s"\r\n\r\n'
    return head % edge + body + b"--" + edge + b"--\r\n"


def attached(name: bytes, content: bytes) -> bytes:
    return (
        b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="' + name + b'"\r\n\r\n'
    ) + base64.encodebytes(content)


def test_a_letter_alone_is_text_below_its_subject() -> None:
    document = read(HEAD + b"MIME-Version: 1.0\r\n" + PLAIN + b"Dear B\r\n")

    assert document.text == "# Hello\n\nFrom: Jørgen <j@x.y>\nTo: b@x.y\n\nDear B"
    assert (document.title, document.media_type, document.pages) == ("Hello", "message/rfc822", ())


def test_attachments_are_pages_read_by_their_own_readers() -> None:
    word = docx(paragraph("in Word"))
    letter = HEAD + multipart(
        b"mixed", PLAIN + b"see below", attached(b"a.docx", word), attached(b"a.docx", b"\x00\x01")
    )

    document = read(letter)

    assert [(p.number, p.name, p.reader) for p in document.pages] == [
        (1, "Hello", "text-layer"),
        (2, "a.docx", "text-layer"),
        (3, "a.docx (2)", "none"),
    ]
    assert document.text.endswith("see below\n\n# a.docx\n\nin Word")


def test_of_alternatives_the_plain_one_is_read_and_html_where_there_is_no_other() -> None:
    html = b"Content-Type: text/html\r\n\r\n<p>rich</p><p hidden>SECRET</p>"

    both = read(HEAD + multipart(b"alternative", PLAIN + b"plain", html)).text
    only = read(HEAD + multipart(b"alternative", html)).text

    assert both.endswith("\n\nplain")
    assert only.endswith("\n\nrich")


def test_a_forwarded_letter_is_an_attachment_with_its_subject() -> None:
    inner = b"Content-Type: message/rfc822\r\n\r\nSubject: Inner\r\n\r\ninside"

    document = read(HEAD + multipart(b"mixed", PLAIN + b"outside", inner))

    assert [page.name for page in document.pages] == ["Hello", "Inner.eml"]
    assert "inside" in document.text


@pytest.mark.parametrize(
    ("letter", "error"),
    [
        (
            HEAD + b"Content-Type: application/pkcs7-mime\r\nMIME-Version: 1\r\n\r\nx",
            EncryptedDocument,
        ),
        (HEAD + multipart(b"encrypted", PLAIN + b"x"), EncryptedDocument),
        (b"MIME-Version: 1.0\r\n\r\n", EmptyDocument),
    ],
)
def test_what_cannot_be_read_is_refused(letter: bytes, error: type[InvalidDocument]) -> None:
    with pytest.raises(error):
        read(letter)


def test_letters_forwarded_beyond_reason_are_refused() -> None:
    letter = b"Subject: x\r\n\r\nx"
    for _ in range(6):
        letter = HEAD + multipart(b"mixed", b"Content-Type: message/rfc822\r\n\r\n" + letter)

    with pytest.raises(DocumentTooLarge, match="deep"):
        read(letter)


def test_a_mailbox_has_a_page_for_each_letter() -> None:
    box = (
        b"From a Thu Jan  1 00:00:00 2026\nSubject: One\n\nfirst\n>From here\n\n"
        b"From b Thu Jan  1 00:00:00 2026\nSubject: Two\n\nsecond\n"
    )

    document = read(box)

    assert [page.name for page in document.pages] == ["One", "Two"]
    assert "first\nFrom here" in document.text
    assert "second" in document.text


def property_of(tag: int, value: bytes) -> bytes:
    return struct.pack("<HHI", 0x40, tag, 6) + value


def message(**streams: bytes) -> dict[str, bytes]:
    moment = property_of(0x0039, struct.pack("<Q", 133_801_632_000_000_000))
    return {"__properties_version1.0": bytes(32) + moment} | {
        f"__substg1.0_{name.strip('_')}": content for name, content in streams.items()
    }


def test_a_message_of_outlook_is_read_with_its_attachments() -> None:
    streams = message(
        _0037001F="Grüße".encode("utf-16-le"),
        _0C1A001F="Ann".encode("utf-16-le"),
        _1000001F="Dear all,\r\nbye".encode("utf-16-le"),
    )
    storage = "__attach_version1.0_#00000000"
    streams |= {
        f"{storage}/__substg1.0_3707001F": "notes.md".encode("utf-16-le"),
        f"{storage}/__substg1.0_37010102": b"# Notes\n\n" + b"more " * 200,
    }

    document = read(compound(streams), "mail.msg")

    assert document.media_type == "application/vnd.ms-outlook"
    assert document.text.startswith("# Grüße\n\nFrom: Ann\nDate: 2025-01-01 00:00 UTC\n\nDear all,")
    assert [page.name for page in document.pages] == ["Grüße", "notes.md"]
    assert "# Notes\n\nmore more" in document.text


def test_a_message_in_compressed_rtf_is_unpacked() -> None:
    """The example of MS-OXRTFCP 3.1."""
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af3"
        "2068656c090020627705b06c647d0a800fa0"
    )

    document = read(compound(message(_0037001F=b"S\0", _10090102=packed)))

    assert document.text == "# S\n\nDate: 2025-01-01 00:00 UTC\n\nhello world"


@pytest.mark.parametrize(
    ("streams", "error", "said"),
    [
        ({"EncryptedPackage": b"x", "EncryptionInfo": b"x"}, EncryptedDocument, "password"),
        ({"WordDocument": b"x"}, UnsupportedMediaType, "Word 97"),
        ({"Workbook": b"x"}, UnsupportedMediaType, "Excel 97"),
    ],
)
def test_other_compound_files_are_refused_by_name(
    streams: dict[str, bytes], error: type[InvalidDocument], said: str
) -> None:
    with pytest.raises(error, match=said):
        read(compound(streams), "a.docx")


def test_a_compound_file_whose_chains_run_in_circles_ends() -> None:
    content = compound(message(_0037001F=b"S\0"))
    circles = content[:512] + content[512:].replace(struct.pack("<I", 0xFFFFFFFE), bytes(4))

    assert circles != content
    assert read(circles).text == "# S\n\nDate: 2025-01-01 00:00 UTC"
