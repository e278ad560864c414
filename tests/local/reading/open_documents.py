"""Small OpenDocument files, written for a test from what matters in them."""

from packages import zipped

NAMES = (
    " ".join(
        f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for prefix, name in (
            *(("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing")),
            *(("style", "style"), ("presentation", "presentation"), ("svg", "svg-compatible")),
        )
    )
    + ' xmlns:xlink="http://www.w3.org/1999/xlink"'
)


def odf(kind: str, body: str, styles: str = "", **more: str | bytes) -> bytes:
    """`kind` is text, spreadsheet or presentation."""
    return zipped(
        {"mimetype": f"application/vnd.oasis.opendocument.{kind}"}
        | {"content.xml": flat_odf(kind, body, styles), **more}
    )


def flat_odf(kind: str, body: str, styles: str = "") -> str:
    return (
        f"<office:document-content {NAMES}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}>"
        "</office:body></office:document-content>"
    )


def hidden(name: str, properties: str) -> str:
    """A style that hides."""
    return f'<style:style style:name="{name}"><style:x-properties {properties}/></style:style>'
