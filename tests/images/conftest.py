"""Image files made byte by byte, so that nothing under test makes them; and `passes`, which stands beside this file."""
import io
import struct
import sys
import zlib
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def _chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_bytes(width, height, depth, colour, rows=b"", *chunks):
    """A PNG file. depth: bits a channel; colour: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA; rows: each with
    its filter byte; chunks: (kind, content) that come before the pixels."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    middle = b"".join(_chunk(kind, content) for kind, content in chunks)
    return (b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + middle + _chunk(b"IDAT", zlib.compress(rows))
            + _chunk(b"IEND", b""))


def saved_bytes(image, form, **options):
    "A PIL image as the bytes of a file."
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@pytest.fixture(scope="session")
def png():
    "The function png_bytes(width, height, depth, colour, rows=b'', *chunks) -> bytes."
    return png_bytes


@pytest.fixture(scope="session")
def saved():
    "The function saved_bytes(image, form, **options) -> bytes."
    return saved_bytes
