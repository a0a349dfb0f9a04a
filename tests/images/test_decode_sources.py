"""What an image may be given as, and how it is left."""
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays
from PIL import Image

from fastlab.errors import ImageError
from fastlab.images.decode import open_image, scaled_to_bytes

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOURS = np.random.default_rng(1).integers(0, 256, (9, 7, 3), dtype=np.uint8)


def test_path_text_bytes_pil_and_array_are_the_same_image(saved, tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(saved(Image.fromarray(COLOURS), "PNG"))
    content = path.read_bytes()
    with Image.open(path) as image:
        sources = (path, str(path), content, bytearray(content), memoryview(content), io.BytesIO(content), image,
                   COLOURS)
        opened = [open_image(source, 3) for source in sources]
    assert all(np.array_equal(pixels, COLOURS) for pixels in opened)


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 1)])
def test_a_grey_array_may_have_a_channel_or_not(shape):
    assert np.array_equal(open_image(np.arange(20, dtype=np.uint8).reshape(shape)), np.arange(20).reshape(5, 4))


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_16_bit_arrays_are_scaled_in_either_byte_order(order):
    assert open_image(np.array([[0, 257, 65535]], order)).tolist() == [[0, 1, 255]]


def test_true_and_false_are_white_and_black():
    assert open_image(np.array([[True, False]])).tolist() == [[255, 0]]


@pytest.mark.parametrize("array", [np.zeros((2, 2, 2)), np.zeros((0, 3)), np.zeros(3), np.zeros((2, 2, 3, 1)),
                                   np.array([[1 + 2j]]), np.array([["a"]]), np.array([[None]])])
def test_an_array_that_is_no_image_is_refused_with_its_shape_or_type(array):
    with pytest.raises(ImageError, match=r"an array of (shape|type) .* is not an image"):
        open_image(array)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(value):
    with pytest.raises(ImageError, match="not finite"):
        open_image(np.array([[0.0, value]]))


@pytest.mark.parametrize("source", [None, 3, object(), [1, 2]])
def test_what_is_no_source_is_refused(source):
    with pytest.raises(ImageError, match="neither a path"):
        open_image(source)


def test_a_callers_image_is_left_as_it_was(saved):
    with Image.open(io.BytesIO(saved(Image.fromarray(np.zeros((256, 256), np.uint8)), "JPEG"))) as image:
        open_image(image, 1, 32)
        assert image.size == (256, 256)
        assert np.array_equal(np.asarray(image), np.zeros((256, 256)))


def test_pixels_returned_may_be_written_and_leave_the_source_alone():
    source = RAMP.copy()
    pixels = open_image(source)
    pixels[:] = 0
    assert np.array_equal(source, RAMP)


@given(arrays.arrays(np.float64, (2, 3), elements=some.floats(-1e6, 1e6, allow_nan=False)))
def test_scaling_keeps_the_order_of_values_and_stays_in_range(values):
    scaled = scaled_to_bytes(values)
    order = np.argsort(values, axis=None, kind="stable")
    assert scaled.dtype == np.uint8
    assert (np.diff(scaled.ravel()[order].astype(int)) >= 0).all()
