"""Paper, ink and pen, told by a normalisation: checked on images whose make is known."""
import numpy as np
import pytest

from fastlab.page.paper import paper_of
from fastlab.strokes.dataset import draw_split


def told_by(images):
    "The Paper that the mean and deviation of images (0 … 1) tell of."
    return paper_of(28, 1, [images.mean()], [images.std()])


@pytest.fixture
def bitmaps():
    "1-bit images with a tenth of ink: 0 is ink, 1 is paper."
    return (np.random.default_rng(0).random((50, 28, 28)) > 0.1).astype(float)


def test_bitmaps_of_dark_ink_ask_for_a_hard_dark_pen(bitmaps):
    paper = told_by(bitmaps)
    assert paper.light
    assert paper.hard


def test_white_ink_on_black_is_drawn_white_on_black(bitmaps):
    paper = told_by(1 - bitmaps)
    assert not paper.light
    assert paper.hard


def test_smoothed_strokes_ask_for_a_soft_pen():
    paper = paper_of(28, 1, [0.1307], [0.3081])     # MNIST
    assert not paper.light
    assert not paper.hard


def test_photographs_say_nothing_of_paper_so_ink_is_dark():
    paper = paper_of(256, 3, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], crop=224)     # ImageNet
    assert paper.light
    assert not paper.hard
    assert (paper.size, paper.crop, paper.channels) == (256, 224, 3)


@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_images_of_one_colour_have_a_paper_too(mean):
    assert paper_of(28, 1, [mean], [0.001]).light



def test_the_default_data_set_is_read_from_dark_hard_ink():
    paper = told_by(draw_split("train", 40) / 255)
    assert paper.light
    assert paper.hard
