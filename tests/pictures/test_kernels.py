import numpy as np
import pytest

from fastlab.errors import OptionError
from fastlab.pictures.kernels import first_layer


def test_grey_kernels_share_one_scale_around_zero():
    weights = np.random.default_rng(0).normal(size=(16, 1, 5, 5))
    ax = first_layer(weights)
    image = ax.images[0]
    reach = np.abs(weights).max()
    assert image.get_clim() == pytest.approx((-reach, reach))
    np.testing.assert_allclose(image.get_array()[:5, :5], weights[0, 0])
    np.testing.assert_allclose(image.get_array()[6:11, 42:47], weights[15, 0])
    assert ax.get_title(loc="left") == "16 kernels of the first layer, 5×5"


def test_colour_kernels_are_stretched_each_by_itself():
    weights = np.random.default_rng(0).normal(size=(4, 3, 3, 3)) * np.array([1, 10, 100, 0])[:, None, None, None]
    shown = first_layer(weights, columns=4).images[0].get_array()
    for k in range(3):
        tile = shown[:, 4 * k:4 * k + 3]
        span = weights[k].max() - weights[k].min()
        np.testing.assert_allclose(tile, (weights[k].transpose(1, 2, 0) - weights[k].min()) / span)
    assert (shown[:, 3] == 1).all()
    assert np.isfinite(shown).all()


def test_all_zero_kernels_are_drawn():
    assert first_layer(np.zeros((2, 1, 3, 3))).images[0].get_clim() == (-1, 1)


def test_deeper_kernels_are_refused():
    with pytest.raises(OptionError, match=r"weights: shape \(4, 16, 3, 3\)"):
        first_layer(np.zeros((4, 16, 3, 3)))
