"""A compound file is a message of Outlook, an encrypted Office file, or one of Office 97."""

from msgspec.structs import replace

from rag.errors import EncryptedDocument, UnsupportedMediaType
from rag.local.reading.mail.msg import PROPERTIES, read_msg
from rag.local.reading.packed.compound import Compound
from rag.local.reading.readout import Readout
from rag.local.reading.task import Task

OUTLOOK = "application/vnd.ms-outlook"
ENCRYPTED = ("EncryptedPackage", "EncryptionInfo", "DataSpaces", "\x06DataSpaces")
FOREIGN = {
    "WordDocument": "Word 97 documents (.doc) are not read; save it as .docx",
    "PowerPoint Document": "PowerPoint 97 presentations (.ppt) are not read; save it as .pptx",
    "Workbook": "Excel 97 workbooks (.xls) are not read; save it as .xlsx",
    "Book": "Excel 95 workbooks (.xls) are not read; save it as .xlsx",
    "VisioDocument": "Visio drawings are not read; export it to PDF",
}


def read_ole(content: bytes, task: Task) -> Readout:
    """
    Raises:
        EncryptedDocument: a password is needed.
        InvalidDocument: it is damaged, or of a kind that is not read.
    """
    file = Compound(content)
    if any(name in file for name in ENCRYPTED):
        raise EncryptedDocument("this Office file has a password; save it without")
    if PROPERTIES in file:
        return replace(read_msg(file, task), media_type=OUTLOOK)
    for name, reason in FOREIGN.items():
        if name in file:
            raise UnsupportedMediaType(reason)
    raise UnsupportedMediaType("this is a file of an Office 97 program that is not known here")
