"""Kinds of files that are known by their first bytes, and are not read: each has a name to refuse
it by, so that many of a kind are told together."""

from rag.errors import UnsupportedMediaType

ARCHIVE = "unpack them first"
DRAWING = "export them to PDF"
PICTURE = "save them as PNG or JPEG"
SOUND = "a transcript would be read"

STARTS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x1f\x9d", "compress (.Z) archives", ARCHIVE),
    (0, b"\x28\xb5\x2f\xfd", "Zstandard archives", ARCHIVE),
    (0, b"\x04\x22\x4d\x18", "LZ4 archives", ARCHIVE),
    (0, b"\xff\x06\x00\x00sNaPpY", "Snappy archives", ARCHIVE),
    (0, b"070701", "cpio archives", ARCHIVE),
    (0, b"\xc7\x71", "cpio archives", ARCHIVE),
    (0, b"!<arch>\n", "ar archives", ARCHIVE),
    (0, b"MSCF", "cabinet archives", ARCHIVE),
    (0, b"HWP Document File", "Hangul documents", "save them as .docx"),
    (0, b"\xffWPC", "WordPerfect documents", "save them as .docx"),
    (0, b"\x31\xbe\x00\x00", "Windows Write documents", "save them as .docx"),
    (0, b"\xdb\xa5-\x00", "Word 2 documents (.doc)", "save them as .docx"),
    (0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", "OneNote sections", DRAWING),
    (0, b"\xa1\x2f\xff\x43\xd9\xef\x76\x4c", "OneNote notebooks", DRAWING),
    (0, b"\x09\x02\x06\x00", "Excel 3 workbooks (.xls)", "save them as .xlsx"),
    (0, b"\x09\x04\x06\x00", "Excel 4 workbooks (.xls)", "save them as .xlsx"),
    (0, b"\x00\x00\x1a\x00", "Lotus 1-2-3 workbooks", "save them as .xlsx"),
    (0, b"\x00\x00\x02\x00", "Lotus and Quattro workbooks", "save them as .xlsx"),
    (0, b"ITSF", "Windows help files (.chm)", "unpack their pages, which are HTML"),
    (0, b"!BDN", "Outlook folders (.pst)", "export the messages as EML or MBOX"),
    (0, b"AC10", "AutoCAD drawings", DRAWING),
    (0, b"\x08\x09\xfe\x02", "MicroStation drawings", DRAWING),
    (0, b"\xd7\xcd\xc6\x9a", "Windows metafiles", DRAWING),
    (0, b"\x01\x00\x09\x00\x00\x03", "Windows metafiles", DRAWING),
    (40, b" EMF", "Windows metafiles", DRAWING),
    (0, b"8BPS", "Photoshop pictures", PICTURE),
    (0, b"\x00\x00\x00\x0cjP  ", "JPEG 2000 pictures", PICTURE),
    (0, b"\x00\x00\x00\x0cJXL ", "JPEG XL pictures", PICTURE),
    (0, b"\xff\x0a", "JPEG XL pictures", PICTURE),
    (0, b"BPG\xfb", "BPG pictures", PICTURE),
    (0, b"\x97JB2", "JBIG2 pictures", PICTURE),
    (0, b"\xb1\x68\xde\x3a", "DCX pictures", PICTURE),
    (0, b"icns", "icons", PICTURE),
    (0, b"\x00\x00\x01\x00", "icons", PICTURE),
    (0, b"ID3", "MP3 audio", SOUND),
    (0, b"fLaC", "FLAC audio", SOUND),
    (0, b"OggS", "Ogg audio and video", SOUND),
    (0, b".snd", "audio", SOUND),
    (0, b"\x0b\x77", "AC-3 audio", SOUND),
    (0, b"\xff\xf1", "AAC audio", SOUND),
    (0, b"\xff\xf9", "AAC audio", SOUND),
    (8, b"AIFF", "AIFF audio", SOUND),
    (8, b"WAVE", "WAV audio", SOUND),
    (8, b"AVI ", "video", SOUND),
    (0, b"\x1a\x45\xdf\xa3", "video", SOUND),
    (0, b"FLV\x01", "video", SOUND),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media", SOUND),
    (0, b"CWS", "Flash films", SOUND),
    (0, b"FWS", "Flash films", SOUND),
    (0, b"SQLite format 3\x00", "SQLite databases", "export their tables as CSV"),
    (4, b"Standard Jet DB", "Access databases", "export their tables as CSV"),
    (4, b"Standard ACE DB", "Access databases", "export their tables as CSV"),
    (0, b"\x89HDF", "HDF data", "export them as CSV"),
    (0, b"\x0e\x03\x13\x01", "HDF data", "export them as CSV"),
    (0, b"\x7fELF", "programs", "they hold no text"),
    (0, b"MZ", "programs", "they hold no text"),
    (0, b"\xca\xfe\xba\xbe", "programs", "they hold no text"),
    (0, b"\xca\xfe\xd0\x0d", "programs", "they hold no text"),
    (0, b"\x00\x01\x00\x00\x00", "fonts", "they hold no text"),
    (0, b"OTTO", "fonts", "they hold no text"),
    (0, b"wOF", "fonts", "they hold no text"),
    (0, b"\xfe\xed\xfe\xed", "key stores", "they hold no text"),
    (0, b"bplist00", "binary property lists", "plutil converts them to XML"),
    (0, b"\x00\x05\x16\x07", "AppleDouble records of macOS", "they hold no text"),
    (0, b"\x00\x05\x16\x00", "AppleDouble records of macOS", "they hold no text"),
)
"""Where, which bytes, what it is, what to do. For files that are not text: some of these bytes may
well begin one."""
BRANDS = ("heic", "heix", "hevc", "hevx", "mif1", "avif", "avis")  # pictures; the others are films
MPEG_FRAME, MPEG_LAYERS = 0xFFE0, 0x0006  # eleven bits that open a frame, two that name its layer


def refuse_by_name(content: bytes) -> None:
    """
    Raises:
        UnsupportedMediaType: this file, which is not text, begins as one of a known kind does.
    """
    for offset, start, kind, advice in STARTS:
        if content.startswith(start, offset):
            raise UnsupportedMediaType(f"nothing is read of {kind}; {advice}")
    if content[4:8] == b"ftyp":
        is_picture = content[8:12].decode("latin-1") in BRANDS
        kind, advice = ("HEIC and AVIF pictures", PICTURE) if is_picture else ("video", SOUND)
        raise UnsupportedMediaType(f"nothing is read of {kind}; {advice}")
    opening = int.from_bytes(content[:2], "big")
    if opening & MPEG_FRAME == MPEG_FRAME and opening & MPEG_LAYERS:
        raise UnsupportedMediaType(f"nothing is read of MPEG audio; {SOUND}")
    if content[:1] == b"\x30" and b"*\x86H\x86\xf7\r\x01" in content[:40]:
        raise UnsupportedMediaType(
            "nothing is read of certificates, nor of messages signed or encrypted with them; save"
            " what is within"
        )
