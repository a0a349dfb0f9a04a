"""The one safe way to open an image: any common file in, plain uint8 pixels out, or an error that names the file.

What is done with each kind: 1-bit, palette and grey become grey or RGB; 16-bit and floating point are scaled, not
clipped; alpha goes over white (ink on paper stays ink); CMYK becomes RGB; EXIF rotation is carried out; of an animation
the first frame counts. Formats outside FORMATS are refused, and so is any image of more than PIXEL_CAP pixels, before
a pixel of it is decoded."""
import os
import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import Image

from fastlab.errors import ImageError, OptionError
from fastlab.images.reasons import UnusableImageError, name_of, reason_for

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
SUFFIXES = frozenset({".bmp", ".dib", ".gif", ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".pbm", ".pgm", ".ppm", ".pnm",
                      ".tif", ".tiff", ".webp"})
PIXEL_CAP = 50_000_000
ORIENTATION = 0x0112            # the EXIF tag
EXIF_PLACES = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")
TURNS = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
         5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
         8: Image.Transpose.ROTATE_90}
DECODER_ERRORS = (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError, KeyError, OverflowError,
                  AttributeError, struct.error, zlib.error, MemoryError, Image.DecompressionBombError)
_filters = Lock()               # the filters of warnings belong to the process: one thread at a time changes them


def open_image(source, channels=1, size=None):
    """The pixels of one image: uint8 (H, W) for 1 channel, (H, W, 3) for 3, row 0 on top, 255 white.

    source: a path, the bytes of a file, a PIL image, an array ((H, W), (H, W, 1), (H, W, 3) or (H, W, 4)), or anything
    with `pixels`. size: None keeps the image's own; an int scales the short side to it and cuts size × size out of the
    centre. Raises ImageError with the file's name and the reason."""
    check_form(channels, size)
    try:
        if isinstance(source, Image.Image):
            return _pixels(source, channels, size)
        with opened(source) as image:
            if size is not None and image.format == "JPEG" and min(image.size) >= 2 * size:
                image.draft(None, (size, size))  # decodes JPEGs at a half, quarter or eighth, never below `size`
            return _pixels(image, channels, size)
    except DECODER_ERRORS as error:
        raise _image_error(source, error) from error


def image_size(source):
    "(height, width) that an image has once it stands upright; its pixels are not decoded. Raises ImageError."
    try:
        with opened(source) as image:
            _refuse_more_than_cap(image)
            width, height = image.size  # Pillow turns TIFF by itself, and says so beforehand
            lies = image.format != "TIFF" and orientation(image) >= 5
            return (width, height) if lies else (height, width)
    except DECODER_ERRORS as error:
        raise _image_error(source, error) from error


def _image_error(source, error):
    return ImageError(f"{name_of(source)}: {reason_for(source, error, FORMATS, PIXEL_CAP)}.")


def check_form(channels, size):
    "Raises OptionError unless channels is 1 or 3 and size None or a side of at least 1 within the pixel cap."
    if channels not in (1, 3):
        raise OptionError(f"channels: {channels!r} is not allowed; an image has 1 (grey) or 3 (RGB).")
    if size is not None and not (isinstance(size, int | np.integer) and size >= 1 and size * size <= PIXEL_CAP):
        raise OptionError(f"size: {size!r} is not allowed; it is the side in pixels, a whole number from 1 to "
                          f"{int(PIXEL_CAP ** 0.5)}.")


def opened(source):
    "A PIL image, to be closed, whose pixels are not yet decoded."
    if hasattr(source, "pixels"):
        source = source.pixels
    if isinstance(source, np.ndarray):
        return Image.fromarray(_array_as_image(source))
    if isinstance(source, bytes | bytearray | memoryview):
        source = BytesIO(source)
    elif isinstance(source, str | Path):
        if os.path.exists(source) and not os.path.isfile(source):
            raise UnusableImageError("not an ordinary file")  # opening a pipe would wait forever
    elif not hasattr(source, "read"):
        raise UnusableImageError("neither a path, the bytes of a file, a PIL image nor an array")
    with _filters, warnings.catch_warnings():  # Pillow warns of bombs and of cut headers where we refuse them
        warnings.simplefilter("ignore")
        return Image.open(source, formats=FORMATS)


def _array_as_image(array):
    "An array in a form that Pillow knows: uint8, two dimensions or with 3 or 4 channels at the end."
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or 0 in array.shape:
        raise UnusableImageError(f"an array of shape {array.shape} is not an image: (H, W), (H, W, 1), (H, W, 3) or "
                                 "(H, W, 4)")
    if array.dtype.kind not in "buif":
        raise UnusableImageError(f"an array of type {array.dtype} is not an image: integers, floats or true and false")
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * 255
    return np.ascontiguousarray(array) if array.dtype == np.uint8 else scaled_to_bytes(array)


def scaled_to_bytes(values):
    """Integers or floats of any range as uint8, scaled and never clipped: unsigned 16-bit by its full range, floats in
    0…1 or 0…255 and integers in 0…255 or 0…65535 by that range, anything else from its least to its greatest value.
    Raises UnusableImageError for values that are not finite."""
    values = np.asarray(values)
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise UnusableImageError("the image holds values that are not finite (nan or inf)")
    low, high = values.min(), values.max()
    if low < 0 or high > 65535 or (high > 255 and (values % 1).any()):
        values = (values - low) / max(high - low, np.finfo(np.float64).tiny) * 255
    elif high > 255:
        values = values / 257
    elif high <= 1:
        values = values * 255
    return np.rint(values).astype(np.uint8)


def _pixels(image, channels, size):
    "The decoded pixels of a PIL image with the channels and size that are asked for."
    _refuse_more_than_cap(image)
    image.load()
    turn = TURNS.get(orientation(image))
    image = _eight_bit(image if turn is None else image.transpose(turn))
    mode = "L" if channels == 1 else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    if size is not None and image.size != (size, size):
        image = _centre_of_short_side(image, size)
    return np.array(image)


def _refuse_more_than_cap(image):
    if image.width * image.height > PIXEL_CAP:
        raise UnusableImageError(f"{image.width}×{image.height} pixels is more than the {PIXEL_CAP // 1_000_000} "
                                 "million that are allowed")
    if 0 in image.size:
        raise UnusableImageError("the image has no pixels")


def orientation(image):
    "How the EXIF data say that the image is turned, 1 to 8; 1 where they say nothing or nothing that can be read."
    if image.format != "TIFF" and not any(place in image.info for place in EXIF_PLACES):
        return 1
    try:
        with _filters, warnings.catch_warnings():  # of damaged EXIF data: the pixels are what counts
            warnings.simplefilter("ignore")
            turned = image.getexif().get(ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, struct.error):
        return 1
    return turned if isinstance(turned, int) else 1


def _eight_bit(image):
    "The image in mode L or RGB; every other mode is brought to one of them without losing range."
    see_through = image.info.get("transparency")
    if image.mode in ("L", "RGB") and see_through is None:
        return image
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PPM", "PNG")):
        values = np.asarray(image).astype(np.uint16)
        pixels = scaled_to_bytes(values)
        if isinstance(see_through, int):
            pixels[values == see_through] = 255
        return Image.fromarray(pixels)
    if image.mode in ("I", "F"):
        return Image.fromarray(scaled_to_bytes(np.asarray(image)))
    if image.mode == "La":
        image = image.convert("LA")
    if see_through is not None or image.mode in ("LA", "PA", "RGBA", "RGBa"):
        return _over_white(image.convert("RGBA"))
    return image.convert("L" if image.mode == "1" else "RGB")


def _over_white(image):
    "An RGBA image on white paper, as RGB."
    paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(paper, image).convert("RGB")


def _centre_of_short_side(image, size):
    "The image with its short side scaled to `size`, and size × size cut out of the centre, in one resampling."
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side),
                        reducing_gap=3.0)
