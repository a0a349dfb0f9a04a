"""The one safe way to open an image: any common file in, plain uint8 pixels out, or an error that names the file.

What is done with each kind: 1-bit, palette and grey become grey or RGB; 16-bit and floating point are scaled, not
clipped; alpha goes over white (ink on paper stays ink); CMYK becomes RGB; EXIF rotation is carried out; of an animation
the first frame counts. Formats outside FORMATS are refused, and so is any image of more than PIXEL_CAP pixels, before
a pixel of it is decoded."""
import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from fastlab.errors import ImageError, OptionError

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
SUFFIXES = frozenset({".bmp", ".dib", ".gif", ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".pbm", ".pgm", ".ppm", ".pnm",
                      ".tif", ".tiff", ".webp"})
PIXEL_CAP = 50_000_000
_DECODER_ERRORS = (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError, KeyError, OverflowError,
                   AttributeError, struct.error, zlib.error, MemoryError)


def open_image(source, channels=1, size=None):
    """The pixels of one image: uint8 (H, W) for 1 channel, (H, W, 3) for 3, row 0 on top, 255 white.

    source: a path, the bytes of a file, a PIL image, an array ((H, W), (H, W, 1), (H, W, 3) or (H, W, 4)), or anything
    with `pixels`. size: None keeps the image's own; an int scales the short side to it and cuts size × size out of the
    centre. Raises ImageError with the file's name and the reason."""
    if channels not in (1, 3):
        raise OptionError(f"channels: {channels!r} is not allowed; an image has 1 (grey) or 3 (RGB).")
    try:
        image = _opened(source)
        if size is not None and image.format == "JPEG" and min(image.size) >= 2 * size:
            image.draft(None, (size, size))  # decodes JPEGs at a half, quarter or eighth, never below `size`
        return _pixels(_eight_bit(_upright(image)), channels, size)
    except ImageError:
        raise
    except _DECODER_ERRORS as error:
        raise ImageError(f"{_name(source)}: {reason_for(source, error)}.") from error


def why_unreadable(source, channels=1):
    "None when the image decodes fully; else the reason in a few words, without the file's name."
    try:
        open_image(source, channels)
    except ImageError as error:
        return str(error).removeprefix(f"{_name(source)}: ").rstrip(".")
    return None


def _opened(source):
    "A PIL image, its pixels not yet decoded, within the pixel cap."
    if hasattr(source, "pixels"):
        source = source.pixels
    if isinstance(source, np.ndarray):
        return Image.fromarray(_array_as_image(source))
    if not isinstance(source, Image.Image):
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        with warnings.catch_warnings():  # Pillow warns of bombs where we refuse them
            warnings.simplefilter("ignore")
            source = Image.open(file, formats=FORMATS)
    if source.width * source.height > PIXEL_CAP:
        raise ValueError(f"{source.width}×{source.height} pixels is more than the {PIXEL_CAP // 1_000_000} million "
                         "that are allowed")
    return source


def _array_as_image(array):
    "An array in a form that Pillow knows: uint8 or float32, two dimensions or with 3 or 4 channels at the end."
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or 0 in array.shape:
        raise ValueError(f"an array of shape {array.shape} is not an image: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)")
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * 255
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    return scaled_to_bytes(array)


def scaled_to_bytes(values):
    """Integers or floats of any range as uint8, scaled and never clipped: 16-bit by its full range, floats in 0…1 or
    0…255 by that range, anything else from its least to its greatest value. Raises ValueError for values not finite."""
    values = np.asarray(values)
    if values.dtype == np.uint16:
        return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("the image holds values that are not finite (nan or inf)")
    low, high = values.min(), values.max()
    if low < 0 or high > 65535 or (high > 255 and (values % 1).any()):
        values = (values - low) / max(high - low, 1e-300) * 255
    elif high > 255:
        values = values / 257
    elif high <= 1:
        values = values * 255
    return np.rint(values).astype(np.uint8)


def _upright(image):
    "The image turned as its EXIF orientation says."
    if image.format in (None, "BMP", "GIF", "PPM") and not image.info.get("exif"):
        return image
    return ImageOps.exif_transpose(image)


def _eight_bit(image):
    "The image in mode L, RGB or RGBA; every other mode is brought to one of them without losing range."
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I;16"):
        return Image.fromarray(scaled_to_bytes(np.asarray(image).astype(np.uint16)))
    if image.mode in ("I", "F"):
        return Image.fromarray(scaled_to_bytes(np.asarray(image)))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        return _over_white(image.convert("RGBA"))
    return image.convert("RGB")


def _over_white(image):
    "An RGBA image on white paper, as RGB."
    paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(paper, image).convert("RGB")


def _pixels(image, channels, size):
    "The decoded pixels with the channels and size that are asked for."
    mode = "L" if channels == 1 else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    if size is not None and image.size != (size, size):
        image = _short_side(image, size)
    pixels = np.array(image)
    if 0 in pixels.shape:
        raise ValueError("the image has no pixels")
    return pixels


def _short_side(image, size):
    "The image with its short side scaled to `size`, and size × size cut out of the centre, in one resampling."
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return image.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side),
                        reducing_gap=3.0)


def _name(source):
    "How an error names the source."
    if isinstance(source, str | Path):
        return str(source)
    return str(getattr(source, "name", "")) or {bytes: "image given as bytes"}.get(type(source), "image given as "
                                                                                  + type(source).__name__)


def reason_for(source, error):
    "What a decoder's exception means, in words for a person."
    path = Path(source) if isinstance(source, str | Path) else None
    if path is not None:
        if path.is_symlink() and not path.exists():
            return "a broken link: what it points to is not there"
        if not path.exists():
            return "no such file"
        if path.is_dir():
            return "a folder, not an image"
        if isinstance(error, PermissionError):
            return "permission denied"
    head = _head(source)
    if head == b"":
        return "the file is empty (0 bytes)"
    if isinstance(error, Image.DecompressionBombError):
        return f"more than the {PIXEL_CAP // 1_000_000} million pixels that are allowed"
    if isinstance(error, UnidentifiedImageError):
        return f"not an image that can be read{_looks_like(head)}; allowed are {', '.join(FORMATS)}"
    if "truncated" in str(error).lower() or isinstance(error, EOFError):
        return "the image is cut off (truncated)"
    if isinstance(error, ValueError) and ("pixels" in str(error) or "finite" in str(error) or "shape" in str(error)):
        return str(error)
    return f"the image is damaged ({str(error).strip() or type(error).__name__})"


def _head(source):
    "The first bytes of the source, or None where it has none."
    if isinstance(source, bytes):
        return source[:512]
    if not isinstance(source, str | Path):
        return None
    try:
        with open(source, "rb") as file:
            return file.read(512)
    except OSError:
        return None


def _looks_like(head):
    "What the first bytes say that the file is instead."
    if not head:
        return ""
    text = head.lstrip().lower()
    marks = ((b"<!doctype html", "HTML"), (b"<html", "HTML"), (b"<svg", "SVG"), (b"<?xml", "XML"), (b"%pdf", "PDF"),
             (b"pk\x03\x04", "a ZIP archive"), (b"\x1f\x8b", "a gzip archive"), (b"8bps", "a Photoshop file"))
    for mark, kind in marks:
        if text.startswith(mark):
            return f" (its content is {kind})"
    if head[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif"):
        return " (its content is HEIC or AVIF)"
    if set(head) == {0}:
        return " (its content is all zeros)"
    return " (its content is text)" if all(byte >= 9 for byte in head[:64]) and head.isascii() else ""
