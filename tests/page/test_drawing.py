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
    PENS,
    drawn,
    framed,
    read_pen,
    read_strokes,
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
    finer, soft = 16, Paper(28, 1, 28, hard=False, pen=pen)
    expected = (distances(strokes, 28, finer) <= pen / 2).reshape(28, finer, 28, finer).mean((1, 3))
    found = 1 - drawn([stroke / 28 for stroke in strokes], soft, fit=False)[:, :, 0] / 255
    assert np.abs(found - expected).mean() < 0.02
    assert found.sum() == pytest.approx(expected.sum(), rel=0.1)


def test_what_is_drawn_fills_the_frame_as_characters_do():
    strokes = [np.array([[0.31, 0.4], [0.35, 0.62]]), np.array([[0.3, 0.45], [0.42, 0.44]])]
    points = np.concatenate(framed(strokes))
    low, high = points.min(0), points.max(0)
    assert (high - low).max() == pytest.approx(LONG_SIDE)
    assert (low + high) / 2 == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("size", [28, 64, 224])
def test_ink_fills_frames_of_any_size_alike(size):
    ink = drawn(CROSS, Paper(size, 1, size, hard=True))[:, :, 0] == 0
    across = np.ptp(np.flatnonzero(ink.any(0))) + 1
    assert across / size == pytest.approx(LONG_SIDE + 1.15 / 28, abs=1.5 / size + 0.01)


def test_where_and_how_large_one_draws_makes_no_difference():
    smaller = [stroke * 0.4 + [0.5, 0.1] for stroke in CROSS]
    for one, other in zip(framed(CROSS), framed(smaller)):
        assert one == pytest.approx(other)


def test_without_fitting_it_stays_where_it_was_drawn():
    corner = [np.array([[0.0, 0.0], [0.25, 0.25]])]
    ink = drawn(corner, Paper(28, 1, 28), fit=False)[:, :, 0] < 255
    assert ink[:7, :7].any()
    assert not ink[9:].any()
    assert not ink[:, 9:].any()


@pytest.mark.parametrize("x", [0.5, 0.51, 0.52, 0.53])
@pytest.mark.parametrize("y", [0.5, 0.51, 0.52, 0.53])
def test_a_tap_leaves_a_dot_wherever_it_falls(x, y):
    ink = drawn([np.array([[x, y]])], Paper(28, 1, 28, hard=True), fit=False)[:, :, 0] < 128
    rows, columns = np.where(ink)
    assert 1 <= ink.sum() <= 6
    assert rows.mean() + 0.5 == pytest.approx(28 * y, abs=1)
    assert columns.mean() + 0.5 == pytest.approx(28 * x, abs=1)


def test_a_lone_dot_is_not_blown_up():
    ink = drawn([np.array([[0.2, 0.8]])], Paper(28, 1, 28, hard=True))[:, :, 0] < 128
    assert ink[12:16, 11:17].any()
    assert ink.sum() <= 6


@pytest.mark.parametrize(("light", "ground", "mark"), [(True, 255, 0), (False, 0, 255)])
def test_ink_on_paper_is_the_right_way_round(light, ground, mark):
    pixels = drawn(CROSS, Paper(28, 1, 28, light=light, hard=True))[:, :, 0]
    assert pixels[0, 0] == ground
    assert pixels[14, 14] == mark


def test_a_hard_pen_knows_only_ink_and_paper_and_a_soft_one_more():
    slanted = [np.array([[0.1, 0.2], [0.9, 0.65]])]
    hard, soft = (drawn(slanted, Paper(28, 1, 28, hard=hard)) for hard in (True, False))
    assert ((hard > 0) & (hard < 255)).sum() <= 3
    assert ((soft > 0) & (soft < 255)).sum() > 30


def test_colour_networks_see_the_drawing_in_grey():
    pixels = drawn(CROSS, Paper(64, 3, 64))
    assert pixels.shape == (64, 64, 3)
    assert (pixels == pixels[:, :, :1]).all()


@pytest.mark.parametrize("pen", PENS)
@pytest.mark.parametrize("end", [0.2, 0.217, 0.3, 0.43, 0.65, 0.9])
def test_every_pen_that_is_allowed_leaves_ink_along_the_whole_stroke(pen, end):
    slanted = [np.array([[0.1, 0.2], [0.9, end]])]
    ink = drawn(slanted, Paper(28, 1, 28, hard=True), pen, fit=False)[:, :, 0] < 200
    assert ink[:, 4:24].any(0).all()


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


@pytest.mark.parametrize("pen", [0, -1, 0.6, 5, math.nan, "2", True, [1]])
def test_a_pen_out_of_bounds_is_refused(pen):
    with pytest.raises(OptionError, match="pen:"):
        read_pen(pen)
