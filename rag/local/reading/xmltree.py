"""Bytes -> a tree of XML. Nothing is fetched, and no entity is expanded."""

from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree  # type: ignore[import-untyped]  # has no hints

from rag.errors import InvalidDocument

DAMAGED = "its XML cannot be parsed; the file is damaged"


def xml_tree(content: bytes, *, tolerant: bool = False) -> etree._Element:
    """
    Args:
        tolerant: whether what is not well-formed is read as far as it goes.

    Raises:
        InvalidDocument: there is no tree in it, or it declares entities.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        recover=tolerant,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InvalidDocument(DAMAGED) from error
    if root is None:
        raise InvalidDocument(DAMAGED)
    _refuse_entities(root)
    return root


def xml_elements(stream: BinaryIO, *tags: str) -> Iterator[etree._Element]:
    """Elements with these tags as they end. Each is emptied after its turn, so that of a large
    file one is in memory at a time.

    Raises:
        InvalidDocument: it is damaged, or declares entities.
    """
    events = etree.iterparse(
        stream,
        tag=tags,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    is_first = True
    try:
        for _, element in events:
            if is_first:
                _refuse_entities(element)
                is_first = False
            yield element
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise InvalidDocument(DAMAGED) from error


def _refuse_entities(element: etree._Element) -> None:
    declared = element.getroottree().docinfo.internalDTD
    if declared is not None and next(iter(declared.entities()), None) is not None:
        raise InvalidDocument("it declares XML entities, which are never expanded here")


def local_name(element: etree._Element) -> str:
    """Without its namespace; empty for what is no element."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
