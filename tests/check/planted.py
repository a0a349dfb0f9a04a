"""A made-up folder in which every kind of bad or unusual file lies once, each with what is to be said of it."""
import io
import json
import os
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

SIDE = 64
CLASSES = ("ant", "bee", "cat")
SPLITS = {"train": 14, "test": 8}


@dataclass(frozen=True)
class Planted:
    "make(path) puts it there; kind, and words that the finding's reason and action must have."
    make: object
    kind: str
    reason: str
    action: str
    place: str = "train/bee"        # the folder it lies in


def drawing(rng, side=SIDE, curves=3):
    "A drawing that resembles no other: a few thick arcs, black on white, uint8 (side, side)."
    fine = Image.new("L", (4 * side, 4 * side), 255)
    pen = ImageDraw.Draw(fine)
    for _ in range(curves):
        x, y = rng.uniform(0.3, 0.7, 2) * 4 * side
        r, start = rng.uniform(0.12, 0.25) * 4 * side, rng.uniform(0, 360)
        pen.arc((x - r, y - r, x + r, y + r), start, start + rng.uniform(120, 300), 0, int(0.25 * side))
    return np.asarray(fine.resize((side, side), Image.Resampling.BOX))


def photograph(rng, side=SIDE):
    "A picture with something everywhere: coloured noise with the falling spectrum of natural images, RGB."
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None]) + 1 / side
    spectrum = np.fft.fft2(rng.normal(size=(3, side, side)), axes=(1, 2)) / frequency**1.3
    values = np.fft.ifft2(spectrum, axes=(1, 2)).real
    values += values.mean(axis=0)               # the colours of natural images go together
    values = (values - values.min()) / np.ptp(values)
    return (values.transpose(1, 2, 0) * 255).round().astype(np.uint8)


def encoded(pixels, form="PNG", **options):
    file = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(file, form, **options)
    return file.getvalue()


def png_head(width, height):
    "A PNG that promises width × height pixels and holds none."
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def garbled(content):
    "The bytes with a stretch in the middle turned over."
    start, end = len(content) * 2 // 5, len(content) * 3 // 5
    return content[:start] + bytes(byte ^ 0xA5 for byte in content[start:end]) + content[end:]


def _write(make_bytes):
    return lambda path: path.write_bytes(make_bytes(np.random.default_rng(sum(path.name.encode()))))


def _save(make_image, form, **options):
    return _write(lambda rng: encoded(make_image(rng), form, **options))


def _exif(turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    return exif


def _deep(rng):
    return Image.fromarray(drawing(rng).astype(np.uint16) * 257)


def _float(rng, hole=False):
    values = drawing(rng).astype(np.float32) / 255
    values[3, 3] = np.nan if hole else values[3, 3]
    return Image.fromarray(values)


def _transparent(rng, mode="RGBA"):
    image = Image.fromarray(drawing(rng)).convert(mode)
    image.putalpha(Image.fromarray(255 - drawing(rng)))
    return image


def _frames(rng):
    return {"save_all": True, "append_images": [Image.fromarray(drawing(rng)) for _ in range(2)]}


def _several(form):
    return _write(lambda rng: encoded(Image.fromarray(drawing(rng)), form, **_frames(rng)))


def _size(width, height):
    def shaped(rng):
        return Image.fromarray(drawing(rng)).resize((width, height), Image.Resampling.BICUBIC)
    return _save(shaped, "PNG")


def _flat(grey):
    return _save(lambda rng: np.full((SIDE, SIDE), grey, np.uint8), "PNG")


def _speck(rng):
    pixels = np.full((SIDE, SIDE), 255, np.uint8)
    pixels[40:42, 30:34] = 0
    return pixels


def _palette(rng):
    return Image.fromarray(photograph(rng)).quantize(32)


def _gif_with_transparency(rng):
    image = Image.fromarray(drawing(rng)).convert("P")
    image.info["transparency"] = 0
    return encoded(image, "GIF", transparency=0)


def _filled_up(rng):
    "A JPEG of which only the beginning arrived; the rest of the file's length is zeros. Its head has a thumbnail."
    content = encoded(photograph(rng), "JPEG", quality=90)
    thumbnail = encoded(drawing(rng, 16), "JPEG")
    told = b"\xff\xe5" + struct.pack(">H", 2 + len(thumbnail)) + thumbnail
    return content[:2] + told + content[2:1500] + bytes(len(content) - 1500)


STOP, HEIC = "training stops at it", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)
PLANTED = {
    # cannot be read
    "zero.png": Planted(_write(lambda rng: b""), "unreadable", "0 bytes", STOP),
    "zeros.png": Planted(_write(lambda rng: bytes(4096)), "unreadable", "all zeros", STOP),
    "page.jpg": Planted(_write(lambda rng: b"<!DOCTYPE html><html>404</html>"), "unreadable", "HTML", STOP),
    "vector.png": Planted(_write(lambda rng: b"<svg xmlns='x'/>"), "unreadable", "SVG", STOP),
    "paper.jpg": Planted(_write(lambda rng: b"%PDF-1.7\n"), "unreadable", "PDF", STOP),
    "archive.png": Planted(_write(lambda rng: b"PK\x03\x04" + bytes(40)), "unreadable", "ZIP", STOP),
    "notes.txt": Planted(_write(lambda rng: b"to do: label these"), "unreadable", "text", STOP),
    "pointer.png": Planted(_write(lambda rng: b"version https://git-lfs.github.com/spec/v1\n"), "unreadable",
                           "Git LFS pointer", STOP),
    "phone.jpg": Planted(_write(lambda rng: HEIC), "unreadable", "HEIC", STOP),
    "layers.png": Planted(_write(lambda rng: b"8BPS\0\x01" + bytes(60)), "unreadable", "Photoshop", STOP),
    "icon.png": Planted(_save(drawing, "ICO"), "unreadable", "not an image that can be read", STOP),
    "cut.png": Planted(_write(lambda rng: encoded(drawing(rng))[:-200]), "unreadable", "cut off", STOP),
    "cut.jpg": Planted(_write(lambda rng: encoded(photograph(rng), "JPEG")[:1500]), "unreadable", "cut off", STOP),
    "cut.gif": Planted(_write(lambda rng: encoded(drawing(rng), "GIF")[:-300]), "unreadable", "cut off", STOP),
    "cut.tif": Planted(_write(lambda rng: encoded(drawing(rng), "TIFF")[:-900]), "unreadable", "cut off", STOP),
    "cut.bmp": Planted(_write(lambda rng: encoded(drawing(rng), "BMP")[:-900]), "unreadable", "cut off", STOP),
    "cut.webp": Planted(_write(lambda rng: encoded(photograph(rng), "WEBP")[:-300]), "unreadable", "cut off", STOP),
    "head.png": Planted(_write(lambda rng: encoded(drawing(rng))[:12]), "unreadable", "beginning", STOP),
    "garbled.png": Planted(_write(lambda rng: garbled(encoded(photograph(rng)))), "unreadable", "damaged", STOP),
    "bomb.png": Planted(_write(lambda rng: png_head(20_000, 20_000)), "unreadable", "million", STOP),
    "large bomb.png": Planted(_write(lambda rng: png_head(10_000, 9_000)), "unreadable", "million", STOP),
    "hole.tif": Planted(_save(lambda rng: _float(rng, True), "TIFF"), "unreadable", "not finite", STOP),
    "gone.png": Planted(lambda path: path.symlink_to("nowhere.png"), "unreadable", "broken link", STOP),
    "loop.png": Planted(lambda path: path.symlink_to(path.name), "unreadable", "", STOP),
    "pipe.png": Planted(os.mkfifo if hasattr(os, "mkfifo") else None, "unreadable", "pipe", STOP),
    "folder.png": Planted(lambda path: path.mkdir(), "unreadable", "a folder", "refuses"),
    # read, but changed
    "deep.png": Planted(_save(_deep, "PNG"), "format", "16 bits", "scaled to 8 bits"),
    "deep.tif": Planted(_save(_deep, "TIFF"), "format", "16 bits", "scaled to 8 bits"),
    "whole.tif": Planted(_save(lambda rng: Image.fromarray(drawing(rng).astype(np.int32) * 100), "TIFF"), "format",
                         "32-bit", "scaled to 8 bits"),
    "float.tif": Planted(_save(_float, "TIFF"), "format", "floating-point", "scaled to 8 bits"),
    "turned.jpg": Planted(_save(drawing, "JPEG", exif=_exif(6)), "format", "turned", "upright"),
    "turned.png": Planted(_save(drawing, "PNG", exif=_exif(3)), "format", "turned", "upright"),
    "glass.png": Planted(_save(_transparent, "PNG"), "format", "transparency", "white"),
    "grey glass.png": Planted(_save(lambda rng: _transparent(rng, "L"), "PNG"), "format", "transparency", "white"),
    "holes.gif": Planted(_write(_gif_with_transparency), "format", "transparency", "white"),
    "print.jpg": Planted(_save(lambda rng: Image.fromarray(photograph(rng)).convert("CMYK"), "JPEG"), "format", "CMYK",
                         "RGB"),
    "lab.tif": Planted(_save(lambda rng: Image.merge("LAB", Image.fromarray(photograph(rng)).split()), "TIFF"),
                       "format", "not RGB", "RGB"),
    "moving.gif": Planted(_several("GIF"), "format", "several pictures", "first"),
    "moving.webp": Planted(_several("WEBP"), "format", "several pictures", "first"),
    "moving.png": Planted(_several("PNG"), "format", "several pictures", "first"),
    "pages.tif": Planted(_several("TIFF"), "format", "several pictures", "first"),
    "palette.png": Planted(_save(_palette, "PNG"), "format", "palette", "converted"),
    "really jpeg.png": Planted(_save(drawing, "JPEG"), "format", "its content is JPEG", "by its content"),
    "really png.jpg": Planted(_save(drawing, "PNG"), "format", "its content is PNG", "by its content"),
    "no suffix": Planted(_save(drawing, "PNG"), "format", "no suffix", "by its content"),
    "filled up.jpg": Planted(_write(_filled_up), "format", "its end is missing", "used as it is"),
    # not images of a class
    ".hidden.png": Planted(_save(drawing, "PNG"), "format", "hidden", "not read"),
    "Thumbs.db": Planted(_write(lambda rng: b"\xd0\xcf\x11\xe0"), "format", "system", "not read"),
    "nested": Planted(lambda path: (path / "deeper").mkdir(parents=True), "split", "inside a class", "refuses"),
    "loose.png": Planted(_save(drawing, "PNG"), "split", "beside the class folders", "refuses", "."),
    "lost.png": Planted(_save(drawing, "PNG"), "split", "beside the class folders", "refuses", "test"),
    "extra": Planted(lambda path: path.mkdir(), "split", "beside the splits", "refuses", "."),
    # sizes and shapes
    "tiny.png": Planted(_size(6, 40), "size", "fewer than 8 pixels", "scaled"),
    "long.png": Planted(_size(300, 20), "size", "very long", "scaled"),
    "large.png": Planted(_size(400, 400), "size", "over 16 times", "scaled"),
    "small.png": Planted(_size(12, 14), "size", "16th", "scaled"),
    "odd.png": Planted(_size(60, SIDE), "size", "60×64 pixels where the others have 64×64", "scaled"),
    # nothing to see, or the wrong way round
    "white.png": Planted(_flat(255), "empty", "nothing is on it", "used as it is"),
    "black.png": Planted(_flat(0), "empty", "nothing is on it", "used as it is"),
    "grey.png": Planted(_flat(130), "empty", "flat grey of 130", "used as it is"),
    "speck.png": Planted(_save(_speck, "PNG"), "empty", "almost empty: 0.20 %", "used as it is"),
    "inverted.png": Planted(_save(lambda rng: 255 - drawing(rng), "PNG"), "empty", "inverted", "used as it is"),
}


def write_good(root, splits=SPLITS, classes=CLASSES, seed=0):
    "`<split>/<class>/<image>` of drawings of which no two are alike; split None: `<class>/<image>`."
    rng = np.random.default_rng(seed)
    for split, count in splits.items():
        for name in classes:
            folder = root / (split or "") / name
            folder.mkdir(parents=True)
            for number in range(1, count + 1):
                Image.fromarray(drawing(rng)).save(folder / f"{number}.png")
    return root


def write_bad(root):
    "The good folder with everything of PLANTED in it; returns {name: file, relative to root}."
    write_good(root)
    (root / "classes.json").write_text(json.dumps({"ant": "蚂蚁"}))
    files = {}
    for name, planted in PLANTED.items():
        place = root / planted.place / name
        planted.make(place)
        files[name] = os.path.normpath(os.path.join(planted.place, name))
    return files
