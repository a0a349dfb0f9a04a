"""Every format and mode against pixels worked out by hand or in numpy."""
import struct

import numpy as np
import pytest
from PIL import Image

from fastlab.images.decode import open_image

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
RNG = np.random.default_rng(0)
COLOURS = np.random.default_rng(1).integers(0, 256, (9, 7, 3), dtype=np.uint8)
EXACT_FORMATS = ("BMP", "GIF", "PNG", "PPM", "TIFF")


def luma(colours):
    "ITU-R BT.601 grey of RGB pixels, by the formula, in float64."
    return colours.astype(np.float64) @ (0.299, 0.587, 0.114)


def over_white(values, alpha):
    "values · alpha + 255 · (1 − alpha), rounded half up, alpha from 0 to 255."
    values, alpha = values.astype(np.int64), alpha.astype(np.int64)
    return (2 * (values * alpha + 255 * (255 - alpha)) + 255) // 510


@pytest.mark.parametrize("form", EXACT_FORMATS)
def test_grey_pixels_come_out_of_every_lossless_format_as_they_went_in(saved, form):
    assert np.array_equal(open_image(saved(Image.fromarray(RAMP), form)), RAMP)


@pytest.mark.parametrize("form", ["BMP", "PNG", "PPM", "TIFF"])
def test_coloured_pixels_come_out_of_every_lossless_format_as_they_went_in(saved, form):
    assert np.array_equal(open_image(saved(Image.fromarray(COLOURS), form), 3), COLOURS)


def test_webp_without_loss_is_exact(saved):
    assert np.array_equal(open_image(saved(Image.fromarray(COLOURS), "WEBP", lossless=True), 3), COLOURS)


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_lossy_formats_stay_near_a_smooth_image(saved, form):
    smooth = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    assert np.abs(open_image(saved(Image.fromarray(smooth), form, quality=95)).astype(int) - smooth).max() <= 6


def test_grey_asked_in_colour_has_three_equal_channels(saved):
    pixels = open_image(saved(Image.fromarray(RAMP), "PNG"), 3)
    assert pixels.shape == (16, 16, 3)
    assert (pixels == RAMP[..., None]).all()


def test_colour_asked_in_grey_is_its_luma():
    assert np.abs(open_image(COLOURS, 1) - luma(COLOURS)).max() <= 0.51


def test_one_bit_png_is_black_and_white(png):
    assert open_image(png(8, 1, 1, 0, b"\0\xa5")).tolist() == [[255, 0, 255, 0, 0, 255, 0, 255]]


def test_one_bit_bitmap_is_black_and_white():
    assert open_image(b"P4\n8 1\n\xa5").tolist() == [[0, 255, 0, 255, 255, 0, 255, 0]]


def test_four_bit_grey_is_spread_over_the_whole_range(png):
    assert open_image(png(4, 1, 4, 0, b"\0\x05\xaf")).tolist() == [[0, 85, 170, 255]]


def test_palette_png_shows_the_palettes_colours(png):
    palette = (b"PLTE", bytes([255, 0, 0, 0, 255, 0, 1, 2, 3]))
    file = png(3, 1, 8, 3, b"\0\2\0\1", palette)
    assert open_image(file, 3).tolist() == [[[1, 2, 3], [255, 0, 0], [0, 255, 0]]]


def test_palette_png_with_transparency_lies_on_white(png):
    chunks = (b"PLTE", bytes([0, 0, 0, 0, 0, 0, 200, 100, 0])), (b"tRNS", bytes([0, 255, 128]))
    want = over_white(np.array([[[0, 0, 0], [0, 0, 0], [200, 100, 0]]]), np.array([0, 255, 128])[:, None])
    assert np.array_equal(open_image(png(3, 1, 8, 3, b"\0\0\1\2", *chunks), 3), want)


def test_16_bit_grey_is_scaled_not_clipped(png):
    values = np.array([0, 128, 129, 255, 256, 30000, 32896, 65407, 65535], np.uint16)
    file = png(9, 1, 16, 0, b"\0" + values.astype(">u2").tobytes())
    assert np.array_equal(open_image(file)[0], np.floor(values / 257 + 0.5))


def test_48_bit_colour_keeps_its_brightness(png):
    values = RNG.integers(0, 65536, (1, 5, 3))
    file = png(5, 1, 16, 2, b"\0" + values.astype(">u2").tobytes())
    assert np.abs(open_image(file, 3) - values / 257).max() <= 1


def test_16_bit_graymap_that_is_dark_stays_dark():
    assert open_image(b"P5\n2 1\n65535\n" + struct.pack(">HH", 100, 200)).tolist() == [[0, 1]]


def test_12_bit_graymap_is_scaled_by_its_own_maximum():
    file = b"P5\n3 1\n4095\n" + struct.pack(">HHH", 0, 2048, 4095)
    assert open_image(file).tolist() == [[0, 128, 255]]


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I;16L"])
def test_every_byte_order_of_16_bits_is_the_same_image(mode):
    values = np.array([[0, 257, 25700, 65535]], np.uint16)
    order = ">u2" if mode == "I;16B" else "<u2"
    image = Image.frombytes(mode, (4, 1), values.astype(order).tobytes())
    assert open_image(image).tolist() == [[0, 1, 100, 255]]


def test_float_tiff_from_0_to_1_is_scaled(saved):
    values = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    assert np.array_equal(open_image(saved(Image.fromarray(values), "TIFF")), np.rint(values * 255.0))


def test_float_tiff_of_any_range_is_stretched_from_least_to_greatest(saved):
    values = np.array([[-3.0, 1.0, 5.0]], np.float32)
    assert open_image(saved(Image.fromarray(values), "TIFF")).tolist() == [[0, 128, 255]]


def test_32_bit_integers_are_scaled_not_clipped(saved):
    image = Image.fromarray(np.array([[0, 25700, 65535]], np.int32))
    assert open_image(saved(image, "TIFF")).tolist() == [[0, 100, 255]]


def test_cmyk_becomes_the_colours_that_it_prints(saved):
    inks = RNG.integers(0, 256, (6, 5, 4), dtype=np.uint8)
    file = saved(Image.fromarray(inks, "CMYK"), "TIFF")
    want = (255 - inks[..., :3].astype(float)) * (255 - inks[..., 3:].astype(float)) / 255
    assert np.abs(open_image(file, 3) - want).max() <= 1


def test_cmyk_jpeg_is_not_inverted(saved):
    white, black = np.zeros((16, 16, 4), np.uint8), np.full((16, 16, 4), 255, np.uint8)
    assert open_image(saved(Image.fromarray(white, "CMYK"), "JPEG")).min() >= 253
    assert open_image(saved(Image.fromarray(black, "CMYK"), "JPEG")).max() <= 2


def test_animation_shows_its_first_frame(saved):
    frames = [Image.fromarray(np.full((5, 4), shade, np.uint8)) for shade in (10, 200, 90)]
    file = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (open_image(file) == 10).all()


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_other_files_with_many_frames_show_the_first(saved, form):
    frames = [Image.fromarray(np.full((8, 8, 3), shade, np.uint8)) for shade in (10, 200)]
    file = saved(frames[0], form, save_all=True, append_images=frames[1:])
    assert np.abs(open_image(file).astype(int) - 10).max() <= 2
