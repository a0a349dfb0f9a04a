"""What is asked, checked: JSON and image files, good and bad."""
import io
import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from fastlab.errors import FastlabError, ImageError, OptionError
from fastlab.images.decode import open_image
from fastlab.page.drawing import drawn
from fastlab.page.paper import Paper
from fastlab.page.question import MOST_PIXELS, from_image, from_json

PAPER = Paper(28, 1, 28)


def told(make, **more):
    return json.dumps({"strokes": make.cross, **more}).encode()


def bomb(width, height):
    "A PNG of a few bytes whose header tells of a very large image."
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(b"\0" * 1000)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_strokes_become_the_image_that_the_network_is_given(make):
    question = from_json(told(make, pen=2, fit=False))
    expected = drawn([np.array(stroke, float) for stroke in make.cross], PAPER, 2.0, fit=False)
    assert np.array_equal(question.pixels(PAPER), expected)


ONE = '{"strokes": [[[0, 0]]], '
NO_DRAWINGS = ["", "{", "[]", "3", "null", "[" * 100_000, '{"strokes": []}', "{}", '{"strokes": [[[NaN, 0]]]}',
               '{"strokes": [[[' + "9" * 9000 + ", 0]]]}", ONE + '"pen": 1e999}', ONE + '"fit": 1}',
               ONE + '"looked": "yes"}', ONE + '"layers": "each"}', ONE + '"layers": ["all"]}',
               ONE + '"layers": "\\ud800"}']


@pytest.mark.parametrize("body", [b"\xff\xfe", *map(str.encode, NO_DRAWINGS)], ids=lambda body: ascii(body[-24:]))
def test_what_is_no_drawing_is_refused(body):
    with pytest.raises(OptionError):
        from_json(body)


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "L"), ("BMP", "1"), ("JPEG", "RGB"), ("GIF", "P"), ("PNG", "RGBA"),
                                            ("WEBP", "RGB"), ("TIFF", "L")])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_file_is_opened_as_everywhere_in_fastlab(kind, mode, channels):
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (40, 61, 4), np.uint8)
    Image.fromarray(noise, "RGBA").convert(mode).save(file, kind)
    pixels = from_image(file.getvalue(), {}).pixels(Paper(28, channels, 28))
    expected = open_image(file.getvalue(), channels, 28).reshape(28, 28, channels)
    assert np.array_equal(pixels, expected)


def test_a_file_of_the_networks_own_size_is_taken_as_it_is(make):
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    assert np.array_equal(from_image(make.png(noise), {}).pixels(PAPER)[:, :, 0], noise)


@pytest.mark.parametrize(("width", "height"), [(5000, 5000), (MOST_PIXELS + 1, 1), (60_000,) * 2, (2 ** 31 - 1,) * 2])
def test_images_beyond_the_pixel_cap_are_refused_before_they_are_decoded(width, height):
    with pytest.raises(ImageError, match="16 million"):
        from_image(bomb(width, height), {}).pixels(PAPER)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("body", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>",
                                  b"GIF89a\xff\xff\xff\xff", b"BM" + b"\xff" * 60, bomb(28, 28)[:50], b"\0" * 1000,
                                  b"II*\0" + b"\xff" * 200], ids=lambda body: ascii(body[:12]))
def test_what_is_no_image_is_refused_with_the_reason(body):
    with pytest.raises(ImageError):
        from_image(body, {}).pixels(PAPER)


@pytest.mark.parametrize("wanted", [{"layers": "each"}, {"looked": "1"}, {"layers": "博"}, {"looked": "\ud800"}])
def test_unknown_wishes_are_refused(make, wanted):
    with pytest.raises(FastlabError):
        from_image(make.png(np.zeros((4, 4))), wanted)
