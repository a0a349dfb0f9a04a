"""One look at one file: decoded fully, as training decodes it, and what a person should know about it.

Pixels do not stay in memory: a look keeps a digest of all of them, a thumbnail and a few figures."""
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from fastlab.check.findings import printable
from fastlab.errors import ImageError
from fastlab.images.decode import DECODER_ERRORS, TURNS, open_image, opened, orientation

BY_SUFFIX = {".bmp": "BMP", ".dib": "BMP", ".gif": "GIF", ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG",
             ".jfif": "JPEG", ".png": "PNG", ".pbm": "PPM", ".pgm": "PPM", ".ppm": "PPM", ".pnm": "PPM",
             ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP"}
FAR = 32                        # grey values; a pixel further from the ground than this shows something
JPEG_SCAN, JPEG_END = 0xDA, b"\xff\xd9"
# (reason, what fastlab does with it)
SIXTEEN = ("16 bits a channel", "scaled to 8 bits, not clipped")
LONG = ("32-bit whole numbers in place of grey values", "scaled to 8 bits")
FLOATING = ("floating-point values in place of grey values", "scaled to 8 bits")
TURNED = ("EXIF says that the camera was turned", "turned upright")
ALPHA = ("an alpha channel (transparency)", "laid over white")
CMYK = ("CMYK colours, for print", "converted to RGB")
SPACE = ("colours that are not RGB", "converted to RGB")
PALETTE = ("a palette in place of colours", "converted to grey or RGB")
ANIMATED = ("several pictures in one file", "the first is used, the others are not")
NO_END = ("its end is missing, though it can be decoded: probably cut off", "used as it is")


@dataclass(frozen=True)
class Look:
    """What one look saw. reason: why it cannot be read, or None; facts: (reason, action) pairs of its format; width,
    height; digest: 16 bytes that stand for all pixels; thumb: uint8 (side, side), grey; low, high: least and greatest
    grey value; ground: median of the border; shows: share of the pixels that differ from it."""
    reason: str | None = None
    facts: tuple = ()
    width: int = 0
    height: int = 0
    digest: bytes = bytes(16)
    thumb: np.ndarray | None = field(default=None, repr=False)
    low: int = 0
    high: int = 0
    ground: int = 0
    shows: float = 0.0


def look_at(path, side):
    "The Look at a file; `side`: the thumbnail's, in pixels."
    try:
        facts, mode = _facts(Path(path))
        pixels = open_image(path, 1 if mode in ("1", "L", "I", "F", "I;16", "I;16B", "I;16L") else 3)
    except ImageError as error:
        return Look(str(error).removeprefix(f"{path}: ").rstrip("."))
    if pixels.ndim == 3 and (pixels == pixels[:, :, :1]).all():
        pixels = np.ascontiguousarray(pixels[:, :, 0])
    grey = pixels if pixels.ndim == 2 else np.asarray(Image.fromarray(pixels).convert("L"))
    border = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    ground = int(np.sort(border)[len(border) // 2])
    low, high = int(grey.min()), int(grey.max())
    shows = float(((grey > ground + FAR) | (grey < ground - FAR)).mean()) if high - low > FAR else 0.0
    return Look(None, facts, pixels.shape[1], pixels.shape[0], digest_of(pixels), thumbnail(grey, side), low, high,
                ground, shows)


def digest_of(pixels):
    "16 bytes that two images share when all their pixels are equal; grey (H, W) or RGB (H, W, 3)."
    told = hashlib.blake2b(np.ascontiguousarray(pixels), digest_size=16, key=repr(pixels.shape).encode())
    return told.digest()


def thumbnail(grey, side):
    "A grey image (H, W) as uint8 (side, side), its shape not kept; one of that size stays as it is."
    if grey.shape == (side, side):
        return grey
    return np.asarray(Image.fromarray(grey).resize((side, side), Image.Resampling.BICUBIC, reducing_gap=3.0))


def _facts(path):
    "((reason, action) pairs, mode) from the file's head; (), None where even that cannot be read."
    try:
        with opened(path) as image:
            return tuple(_told(image, path)), image.mode
    except DECODER_ERRORS:
        return (), None         # decoding it will tell the reason


def _told(image, path):
    "The facts that a picture's head shows."
    if ";16" in str(image.tile) or image.mode.startswith("I;16"):
        yield SIXTEEN
    by_mode = {"I": LONG, "F": FLOATING, "CMYK": CMYK, "P": PALETTE, "PA": PALETTE, "LAB": SPACE, "HSV": SPACE,
               "YCbCr": SPACE}
    if image.mode in by_mode and image.format != "GIF":        # a GIF cannot be without a palette
        yield by_mode[image.mode]
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        yield ALPHA
    if orientation(image) in TURNS:
        yield TURNED
    if image.format in ("GIF", "PNG", "TIFF", "WEBP", "MPO") and getattr(image, "n_frames", 1) > 1:
        yield ANIMATED
    yield from _told_by_name(image, path)
    if image.format in ("JPEG", "MPO") and not _ends(path):
        yield NO_END


def _told_by_name(image, path):
    content = {"MPO": "JPEG"}.get(image.format, image.format)
    named = BY_SUFFIX.get(path.suffix.lower())
    if named is None:
        yield (f"its name does not say that it is an image ({printable(path.suffix) or 'no suffix'}); its content is "
               f"{content}",
               "read by its content")
    elif named != content:
        yield f"its name says {named}, its content is {content}", "read by its content"


def _ends(path):
    """Whether a JPEG has an end mark after its pixels have begun: one of a thumbnail within the head does not count,
    and what cameras write behind the end does no harm."""
    content, place = path.read_bytes(), 2
    while content[place:place + 1] == b"\xff" and content[place + 1] != JPEG_SCAN:
        place += 2 + int.from_bytes(content[place + 2:place + 4], "big")
    return JPEG_END in content[place:]
