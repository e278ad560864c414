"""An image file -> its pages as pixels, upright and within limits."""

import io
import warnings
from collections.abc import Iterator

from PIL import Image, ImageOps, ImageSequence

from rag.errors import DocumentTooLarge, InvalidDocument
from rag.local.reading.frames import Bitmap
from rag.local.reading.layout import Printed, Recognize
from rag.local.reading.limits import Limits
from rag.local.reading.scans import Scan, recognized

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP")
"""Only these decoders are tried: Pillow knows many more, each with its own history of holes."""
ANIMATED = {"GIF", "WEBP", "PNG"}
"""Of these only the first frame is read: their frames are a film, those of TIFF are pages."""

# The pixel limit is ours to enforce, before decoding and with our own words.
Image.MAX_IMAGE_PIXELS = None


def read_image(content: bytes, limits: Limits, recognize: Recognize) -> Printed:
    """
    Raises:
        InvalidDocument: it cannot be decoded.
        DocumentTooLarge: more pixels or pages than allowed.
    """
    with _opened(content) as image:
        pages = tuple(recognized(_scans(image, limits), recognize))
    return Printed(pages)


def render_image(content: bytes, number: int, dpi: int, limits: Limits) -> Image.Image:
    """Page `number` in its own resolution: `dpi` says nothing about pixels."""
    with _opened(content) as image:
        image.seek(number - 1)
        return _upright(image, limits)


def _opened(content: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(io.BytesIO(content), formats=FORMATS)
    except (OSError, ValueError, SyntaxError) as error:
        raise InvalidDocument("this image cannot be decoded; it is damaged or cut short") from error


def _scans(image: Image.Image, limits: Limits) -> Iterator[Scan]:
    count = 1 if image.format in ANIMATED else getattr(image, "n_frames", 1)
    if count > limits.pages:
        raise DocumentTooLarge(f"the image has {count} pages; at most {limits.pages} are read")
    for number, frame in enumerate(ImageSequence.Iterator(image), start=1):
        upright = _upright(frame, limits)
        bitmap = Bitmap(upright.width, upright.height, upright.tobytes())
        yield Scan(number, upright.width, upright.height, "an image has no text layer", bitmap)
        if number == count:
            return


def _upright(frame: Image.Image, limits: Limits) -> Image.Image:
    """Decoded, turned as its EXIF orientation says, on white where it is transparent."""
    if frame.width * frame.height > limits.pixels:
        raise DocumentTooLarge(
            f"the image has {frame.width} x {frame.height} pixels; "
            f"at most {limits.pixels // 1_000_000} million are read"
        )
    try:
        turned = ImageOps.exif_transpose(frame)
        if not turned.has_transparency_data:
            return turned.convert("RGB")
        seen = turned.convert("RGBA")
        white = Image.new("RGBA", seen.size, "white")
        return Image.alpha_composite(white, seen).convert("RGB")
    except (OSError, ValueError, SyntaxError) as error:
        raise InvalidDocument("this image cannot be decoded; it is damaged or cut short") from error
