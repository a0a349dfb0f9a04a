"""From strokes to the network's image: brute-force distances are the oracle of the pen."""
import math
from itertools import pairwise

import numpy as np
import pytest

from fastlab.errors import OptionError
from fastlab.page.drawing import (
    LONG_SIDE,
    MOST_POINTS,
    MOST_STROKES,
    coverage,
    drawn,
    fitted,
    read_pen,
    read_strokes,
    thin,
)
from fastlab.page.paper import Paper

CROSS = [np.array([[0.1, 0.5], [0.9, 0.5]]), np.array([[0.5, 0.1], [0.5, 0.9]])]


def distances(strokes, size, finer):
    "From every point of a fine grid to the nearest segment, in pixels: float (size * finer, size * finer)."
    ys, xs = (np.mgrid[:size * finer, :size * finer] + 0.5) / finer
    nearest = np.full(xs.shape, np.inf)
    for stroke in strokes:
        for (x, y), (u, v) in pairwise(stroke):
            length = (u - x) ** 2 + (v - y) ** 2
            along = np.clip(((xs - x) * (u - x) + (ys - y) * (v - y)) / length, 0, 1)
            nearest = np.minimum(nearest, np.hypot(xs - x - along * (u - x), ys - y - along * (v - y)))
    return nearest


@pytest.mark.parametrize("pen", [1.15, 2.6, 5.0])
def test_ink_lies_within_half_a_pen_of_the_strokes(pen):
    strokes = [np.array([[4.0, 5.0], [20.3, 9.1], [11.0, 22.4]]), np.array([[22.0, 3.0], [24.5, 24.0]])]
    finer = 16
    expected = (distances(strokes, 28, finer) <= pen / 2).reshape(28, finer, 28, finer).mean((1, 3))
    found = coverage(strokes, 28, pen)
    assert np.abs(found - expected).mean() < 0.012
    assert found.sum() == pytest.approx(expected.sum(), rel=0.08)


@pytest.mark.parametrize("size", [28, 64, 224])
def test_what_is_drawn_fills_the_frame_as_characters_do(size):
    strokes = [np.array([[0.31, 0.4], [0.35, 0.62]]), np.array([[0.3, 0.45], [0.42, 0.44]])]
    points = np.concatenate(fitted(strokes, size))
    low, high = points.min(0), points.max(0)
    assert (high - low).max() == pytest.approx(LONG_SIDE * size)
    assert (low + high) / 2 == pytest.approx([size / 2, size / 2])


def test_where_and_how_large_one_draws_makes_no_difference():
    paper = Paper(28, 1, 28)
    smaller = [stroke * 0.4 + [0.5, 0.1] for stroke in CROSS]
    assert np.array_equal(drawn(CROSS, paper), drawn(smaller, paper))


def test_without_fitting_it_stays_where_it_was_drawn():
    corner = [np.array([[0.0, 0.0], [0.25, 0.25]])]
    ink = drawn(corner, Paper(28, 1, 28), fit=False)[:, :, 0] < 255
    assert ink[:7, :7].any()
    assert not ink[9:].any()
    assert not ink[:, 9:].any()


def test_a_lone_dot_stays_a_dot_in_the_middle():
    ink = drawn([np.array([[0.2, 0.8]])], Paper(28, 1, 28, hard=True))[:, :, 0] == 0
    rows, columns = np.where(ink)
    assert 1 <= ink.sum() <= 4
    assert abs(rows.mean() - 13.5) <= 1
    assert abs(columns.mean() - 13.5) <= 1


@pytest.mark.parametrize(("light", "ground", "mark"), [(True, 255, 0), (False, 0, 255)])
def test_ink_on_paper_is_the_right_way_round(light, ground, mark):
    pixels = drawn(CROSS, Paper(28, 1, 28, light=light, hard=True))[:, :, 0]
    assert pixels[0, 0] == ground
    assert pixels[14, 14] == mark


def test_a_hard_pen_knows_only_ink_and_paper_and_a_soft_one_more():
    slanted = [np.array([[0.1, 0.2], [0.9, 0.65]])]
    assert set(np.unique(drawn(slanted, Paper(28, 1, 28, hard=True)))) == {0, 255}
    assert len(np.unique(drawn(slanted, Paper(28, 1, 28, hard=False)))) > 4


def test_a_thin_line_is_one_pixel_wide_and_unbroken():
    slanted = [np.array([[2.2, 3.7], [25.1, 12.9]])]
    ink = thin(slanted, 28) == 1
    assert (ink[:, 3:25].sum(0) == 1).all()
    steps = np.abs(np.diff(ink[:, 3:25].argmax(0)))
    assert steps.max() == 1


def test_colour_networks_see_the_drawing_in_grey():
    pixels = drawn(CROSS, Paper(64, 3, 64))
    assert pixels.shape == (64, 64, 3)
    assert (pixels == pixels[:, :, :1]).all()


@pytest.mark.parametrize("hard", [True, False])
def test_a_broader_pen_leaves_more_ink(hard):
    inks = [int((drawn(CROSS, Paper(28, 1, 28, hard=hard), pen) < 128).sum()) for pen in (1, 2, 4)]
    assert inks[0] < inks[1] < inks[2]


def test_strokes_come_through_as_they_were_sent():
    strokes = read_strokes([[[0, 0.5], [1, 0.25]], [[0.125, -0.5]]])
    assert [stroke.tolist() for stroke in strokes] == [[[0, 0.5], [1, 0.25]], [[0.125, -0.5]]]


@pytest.mark.parametrize("data", [
    None, [], {}, "strokes", 3, [[]], [None], [[1, 2]], [[[1]]], [[[1, 2, 3]]], [[["a", 1]]], [[[True, 1]]],
    [[[math.nan, 1]]], [[[math.inf, 1]]], [[[10 ** 400, 1]]], [[[3.01, 0]]], [[[0, -2.01]]], [[[None, 0]]],
    [[[0, 0]]] * (MOST_STROKES + 1), [[[0, 0]] * (MOST_POINTS + 1)]], ids=lambda data: str(data)[:24])
def test_anything_but_strokes_is_refused_with_the_rule(data):
    with pytest.raises(OptionError, match="strokes:"):
        read_strokes(data)


def test_as_many_points_as_are_allowed_are_taken():
    strokes = [[[0.5, 0.5]] * (MOST_POINTS // MOST_STROKES)] * MOST_STROKES
    assert len(read_strokes(strokes)) == MOST_STROKES


@pytest.mark.parametrize("pen", [0, -1, 5, math.nan, "2", True, [1]])
def test_a_pen_out_of_bounds_is_refused(pen):
    with pytest.raises(OptionError, match="pen:"):
        read_pen(pen)
