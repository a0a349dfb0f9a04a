"""Crops are exact, and scaling agrees with bicubic interpolation in float64."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays
from PIL import Image

from fastlab.errors import OptionError
from fastlab.images.decode import open_image

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


@given(arrays.arrays(np.uint8, some.tuples(some.integers(1, 40), some.integers(1, 40))))
def test_a_crop_without_scaling_is_the_exact_middle(pixels):
    side = min(pixels.shape)
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    assert np.array_equal(open_image(pixels, 1, side), pixels[top:top + side, left:left + side])


@pytest.mark.parametrize(("height", "width"), [(28, 28), (56, 56), (90, 61), (33, 140), (12, 20)])
def test_scaling_agrees_with_bicubic_interpolation_in_float64(height, width):
    y, x = np.mgrid[:height, :width]
    pixels = np.rint(127 + 90 * np.sin(x / width * 5) * np.cos(y / height * 4)).astype(np.uint8)
    side = min(height, width)
    rows = resampled(pixels.astype(float), (height - side) // 2, side, 28)
    want = resampled(rows.T, (width - side) // 2, side, 28).T
    assert np.abs(open_image(pixels, 1, 28) - want).max() <= 1.01


def resampled(rows, first, side, size):
    """`side` rows from `first` on, scaled to `size` along the first axis by antialiased bicubic interpolation (Keys
    1981, a = −1/2) among all rows, as a matrix product."""
    scale = side / size
    gap = np.abs(np.arange(len(rows)) + 0.5 - first - (np.arange(size)[:, None] + 0.5) * scale) / max(scale, 1)
    near, far = 1.5 * gap ** 3 - 2.5 * gap ** 2 + 1, -0.5 * gap ** 3 + 2.5 * gap ** 2 - 4 * gap + 2
    weights = np.where(gap < 1, near, np.where(gap < 2, far, 0))
    return (weights / weights.sum(1, keepdims=True)) @ rows


def test_a_large_jpeg_opened_small_is_close_to_the_whole_one_scaled(saved):
    y, x = np.mgrid[:640, :480]
    pixels = np.rint(127 + 90 * np.sin(x / 60) * np.cos(y / 70)).astype(np.uint8)
    file = saved(Image.fromarray(pixels), "JPEG", quality=98)
    assert np.abs(open_image(file, 1, 64).astype(int) - open_image(pixels, 1, 64)).max() <= 3


@pytest.mark.parametrize("size", [0, -1, 2.5, "28", 10 ** 6, [28]])
def test_a_size_that_is_none_is_refused_by_name(size):
    with pytest.raises(OptionError, match="size"):
        open_image(RAMP, 1, size)


@pytest.mark.parametrize("channels", [0, 2, 4, None, "3"])
def test_channels_are_1_or_3(channels):
    with pytest.raises(OptionError, match=r"channels: .* 1 \(grey\) or 3 \(RGB\)"):
        open_image(RAMP, channels)
