"""What is transparent lies on white paper."""
import struct

import numpy as np
import pytest
from PIL import Image

from fastlab.images.decode import open_image


def over_white(values, alpha):
    "values · alpha + 255 · (1 − alpha), rounded half up, alpha from 0 to 255."
    values, alpha = values.astype(np.int64), alpha.astype(np.int64)
    return (2 * (values * alpha + 255 * (255 - alpha)) + 255) // 510


def test_alpha_goes_over_white_for_every_value_and_every_alpha():
    values, alpha = np.meshgrid(np.arange(256), np.arange(256))
    image = np.stack([values, values, values, alpha], -1).astype(np.uint8)
    assert np.array_equal(open_image(image), over_white(values, alpha))


def test_fault_3_a_transparent_png_keeps_its_ink(saved):
    ink = np.zeros((10, 10, 4), np.uint8)
    ink[3:6, 2:8, 3] = 255  # black strokes; all else is black too, and transparent
    pixels = open_image(saved(Image.fromarray(ink), "PNG"))
    assert (pixels[3:6, 2:8] == 0).all()
    assert (pixels == 0).sum() == 18
    assert (pixels == 255).sum() == 82


def test_grey_and_alpha_lies_on_white(png):
    file = png(3, 1, 8, 4, b"\0" + bytes([100, 0, 100, 255, 100, 51]))
    assert open_image(file).tolist() == [[255, 100, 224]]


def test_16_bit_colour_and_alpha_lies_on_white(png):
    file = png(2, 1, 16, 6, b"\0" + struct.pack(">8H", 0, 0, 0, 0, 25700, 0, 65535, 65535))
    assert open_image(file, 3).tolist() == [[[255, 255, 255], [100, 0, 255]]]


def test_the_transparent_grey_of_a_png_becomes_white(png):
    assert open_image(png(3, 1, 8, 0, b"\0\x07\x08\x09", (b"tRNS", b"\0\x08"))).tolist() == [[7, 255, 9]]


def test_the_transparent_black_of_a_one_bit_png_becomes_white(png):
    assert open_image(png(8, 1, 1, 0, b"\0\xa5", (b"tRNS", b"\0\0"))).tolist() == [[255] * 8]


def test_the_transparent_grey_of_a_16_bit_png_becomes_white(png):
    file = png(2, 1, 16, 0, b"\0" + struct.pack(">HH", 1000, 30000), (b"tRNS", struct.pack(">H", 1000)))
    assert open_image(file).tolist() == [[255, 117]]


def test_the_transparent_colour_of_a_png_becomes_white(png):
    file = png(2, 1, 8, 2, b"\0\1\2\3\4\5\6", (b"tRNS", struct.pack(">3H", 1, 2, 3)))
    assert open_image(file, 3).tolist() == [[[255, 255, 255], [4, 5, 6]]]


def test_the_transparent_pixels_of_a_gif_become_white(saved):
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8), "P")
    image.putpalette([0, 0, 0, 90, 90, 90])
    assert open_image(saved(image, "GIF", transparency=0)).tolist() == [[255, 90], [90, 255]]


@pytest.mark.parametrize("mode", ["LA", "La", "PA", "RGBA", "RGBa"])
def test_what_is_transparent_is_white_in_every_mode_that_can_be(mode):
    assert (open_image(Image.new(mode, (2, 1))) == 255).all()
