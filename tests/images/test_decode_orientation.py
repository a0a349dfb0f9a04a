"""Images stand upright, as their EXIF data say."""
import io

import numpy as np
import pytest
from PIL import Image

from fastlab.images.decode import image_size, open_image

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


UPRIGHT = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: np.transpose,
           6: lambda a: np.rot90(a, -1), 7: lambda a: np.rot90(a, 2).T, 8: np.rot90}


def turned_file(saved, form, orientation):
    shades = np.kron(np.arange(0, 240, 40, dtype=np.uint8).reshape(2, 3), np.ones((16, 16), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    return shades, saved(Image.fromarray(shades), form, exif=exif, **({"quality": 100} if form != "TIFF" else {}))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_fault_4_every_exif_orientation_is_turned_upright(saved, form, orientation):
    shades, file = turned_file(saved, form, orientation)
    want = UPRIGHT[orientation](shades)
    pixels = open_image(file)
    assert pixels.shape == want.shape
    assert np.abs(pixels.astype(int) - want).max() <= 12  # lossy formats ring a little at the edges
    assert image_size(io.BytesIO(file)) == want.shape


def test_a_turned_jpeg_is_turned_when_scaled_too(saved):
    y, x = np.mgrid[:192, :128]
    shades = np.rint(127 + 60 * np.sin(x / 30) + 50 * np.cos(y / 40)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = open_image(saved(Image.fromarray(shades), "JPEG", quality=100, exif=exif), 1, 16)
    assert np.abs(pixels.astype(int) - np.rot90(open_image(shades, 1, 16), -1)).max() <= 3


@pytest.mark.parametrize("value", [0, 9, 77, 65535])
def test_an_orientation_that_does_not_exist_changes_nothing(saved, value):
    exif = Image.Exif()
    exif[0x0112] = value
    assert np.array_equal(open_image(saved(Image.fromarray(RAMP), "PNG", exif=exif)), RAMP)


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff",
                                  b"Exif\0\0MM\0*\0\0\0\x08\0\x09"])
def test_damaged_exif_data_leave_the_pixels_alone(saved, exif, recwarn):
    assert np.array_equal(open_image(saved(Image.fromarray(RAMP), "PNG", exif=exif)), RAMP)
    assert not list(recwarn)
