import numpy as np
import pytest
from matplotlib.figure import Figure

from fastlab.errors import OptionError
from fastlab.pictures import heat

IMAGES = np.full((2, 4, 4), 255, np.uint8)


def test_every_image_stands_beside_its_maps():
    maps = {"Grad-CAM": np.ones((2, 4, 4)) * [[[1.0]], [[0.0]]], "occlusion": np.full((2, 4, 4), -0.25)}
    axes = heat.attention(IMAGES, maps, ["cat  0.98", "dog  0.40"])
    assert axes.shape == (2, 3)
    assert [ax.get_title(loc="left") for ax in axes[0]] == ["cat  0.98", "Grad-CAM (full colour 1)",
                                                           "occlusion (full colour 0.25)"]
    assert axes[1, 1].get_title(loc="left") == "Grad-CAM: nothing"
    np.testing.assert_allclose(axes[0, 2].images[1].get_array(), -0.25)


def test_nothing_is_clear_and_for_and_against_differ():
    image = heat.over(Figure().subplots(), IMAGES[0], np.diag([2.0, -2, 0, 0]))
    assert image.get_clim() == (-2, 2)
    clear, support, against = (image.cmap(image.norm(value)) for value in (0, 2, -2))
    assert clear[3] < 0.02
    assert support[0] > support[2]
    assert against[2] > against[0]


def test_a_map_of_another_size_is_refused():
    with pytest.raises(OptionError, match=r"heat: shape \(3, 3\) does not fit"):
        heat.over(Figure().subplots(), IMAGES[0], np.zeros((3, 3)))
    with pytest.raises(OptionError, match="one for each of the 2 images"):
        heat.attention(IMAGES, {"Grad-CAM": np.zeros((1, 4, 4))}, ["a", "b"])


def test_a_long_caption_breaks_its_line_and_keeps_its_probability():
    caption = "mask_worn_incorrectly_xy taken for mask_worn_incorrectly_xz  > 0.99"
    ax = heat.attention(IMAGES[:1], {"Grad-CAM": np.zeros((1, 4, 4))}, [caption])[0, 0]
    lines = ax.get_title(loc="left").split("\n")
    assert " ".join(lines).split() == caption.split()
    assert max(map(len, lines)) <= heat.ACROSS
    assert lines[-1].endswith(">\N{NO-BREAK SPACE}0.99")


def test_the_image_below_is_pale_so_that_colours_show():
    assert heat.pale(np.array([[0, 255]], np.uint8)).tolist() == [[0.45, 1.0]]
    assert heat.pale(np.zeros((2, 2, 3), np.uint8)).shape == (2, 2)
