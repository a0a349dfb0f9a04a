import numpy as np
import pytest
import torch
from scipy import ndimage

from fastlab.inside.warping import background, noisy, rotated, scaled, shifted


def blob(size=21):
    "A smooth, lopsided spot on a ground of 1."
    rows, columns = np.mgrid[:size, :size] - size // 2
    return 1 - np.exp(-((rows + 2) ** 2 / 12 + (columns - 1) ** 2 / 5))


def as_batch(array):
    return torch.tensor(array, dtype=torch.float64)[None, None]


@pytest.mark.parametrize(("down", "right"), [(0, 0), (3, 0), (-2, 5), (0, -6), (30, 0)])
def test_shifts_are_exact_and_filled_with_the_ground(down, right):
    image = np.random.default_rng(1).random((2, 3, 9, 9))
    image[:, :, [0, -1]] = image[:, :, :, [0, -1]] = 0.75
    moved = shifted(torch.tensor(image), down, right).numpy()
    for expected, got in zip(image.reshape(-1, 9, 9), moved.reshape(-1, 9, 9)):
        np.testing.assert_array_equal(got, ndimage.shift(expected, (down, right), order=0, cval=0.75))


def test_rotation_is_scipys():
    image = blob()
    for degrees in (-30, 10, 90):
        expected = ndimage.rotate(image, degrees, reshape=False, order=1, cval=1.0)
        np.testing.assert_allclose(rotated(as_batch(image), degrees)[0, 0].numpy()[3:-3, 3:-3], expected[3:-3, 3:-3],
                                   atol=1e-3)


def test_a_quarter_turn_goes_counter_clockwise():
    image = torch.ones(1, 1, 5, 5)
    image[0, 0, 1, 3] = 0
    turned = rotated(image, 90)
    assert turned[0, 0].argmin().item() == 1 * 5 + 1
    oblong = torch.rand(1, 1, 6, 10)
    torch.testing.assert_close(rotated(oblong, 180), oblong.flip(2, 3))


def test_scaling_is_scipys():
    image, middle = blob(), 10
    for factor in (0.7, 1.3):
        offset = middle - middle / factor
        expected = ndimage.affine_transform(image, [1 / factor] * 2, offset, order=1, mode="grid-constant", cval=1.0)
        np.testing.assert_allclose(scaled(as_batch(image), factor)[0, 0].numpy(), expected, atol=1e-3)


def test_noise_has_the_deviation_that_is_asked_for():
    images = torch.linspace(-1, 3, 40000).reshape(4, 1, 100, 100)
    noise = noisy(images, 0.1, torch.Generator().manual_seed(0)) - images
    assert noise.std().item() == pytest.approx(0.4, rel=0.02)
    assert torch.equal(noisy(images, 0.0, torch.Generator()), images)


def test_the_ground_is_each_images_own():
    images = torch.zeros(2, 2, 6, 6)
    images[0, 0], images[0, 1], images[1, 0], images[1, 1] = 1, 2, 3, 4
    images[:, :, 2:4, 2:4] = 9
    assert background(images).flatten().tolist() == [1, 2, 3, 4]
