"""Frames, neighbours and the laying of one picture over another, against numpy and scipy."""
import numpy as np
import pytest
from planted import drawing, photograph
from scipy.fft import dctn
from scipy.ndimage import map_coordinates, shift, zoom

from fastlab.check.align import differences
from fastlab.check.frames import Frames, content_frames, flat_border, ink, middle_frames, offsets, sample
from fastlab.check.neighbours import GRID, cosine_basis, descriptors, nearest

SIDE = 32


def drawings(count, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([drawing(rng, SIDE) for _ in range(count)])


def greys(count, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([photograph(rng, SIDE).mean(axis=2).astype(np.uint8) for _ in range(count)])


def test_sampling_is_scipys_linear_interpolation_with_the_edge_going_on():
    rng = np.random.default_rng(1)
    planes = rng.normal(size=(5, SIDE, SIDE)).astype(np.float32)
    frames = Frames(*(rng.uniform(low, high, 5).astype(np.float32) for low, high in ((5, 25), (5, 25), (4, 30))))
    for number, seen in enumerate(sample(planes, frames, 9)):
        u = offsets(9)
        rows, columns = np.meshgrid(frames.y[number] + frames.half[number] * u,
                                    frames.x[number] + frames.half[number] * u, indexing="ij")
        expected = map_coordinates(planes[number], [rows.ravel(), columns.ravel()], order=1, mode="nearest")
        assert seen == pytest.approx(expected, abs=1e-4)


def test_content_frames_are_the_moments_of_the_ink():
    marks = ink(drawings(6))
    found = content_frames(marks)
    for number in range(6):
        weight = np.maximum(np.abs(marks[number].astype(np.float64)) - 0.15, 0)
        rows, columns = np.mgrid[:SIDE, :SIDE]
        x, y = np.average(columns, weights=weight), np.average(rows, weights=weight)
        spread = np.average((columns - x) ** 2 + (rows - y) ** 2, weights=weight)
        assert (found.x[number], found.y[number], found.half[number]) == pytest.approx(
            (x, y, 1.75 * np.sqrt(spread)), abs=1e-3)


def test_a_content_frame_follows_what_is_drawn():
    one = drawings(1)[0].astype(np.float32)
    moved = shift(one, (3, -2), order=1, cval=255).astype(np.uint8)
    before, after = content_frames(ink(one[None])), content_frames(ink(moved[None]))
    assert after.x - before.x == pytest.approx(-2, abs=0.05)
    assert after.y - before.y == pytest.approx(3, abs=0.05)
    assert after.half == pytest.approx(before.half, rel=0.01)


def test_ink_is_the_same_for_a_drawing_and_its_negative_but_for_the_sign():
    some = drawings(4)
    assert ink(255 - some) == pytest.approx(-ink(some), abs=1e-6)
    assert np.abs(ink(some)).max() == pytest.approx(1)


def test_drawings_have_a_plain_border_and_photographs_have_not():
    assert flat_border(drawings(30)).all()
    assert not flat_border(greys(30)).any()


def test_descriptors_are_scipys_cosine_transform():
    planes = ink(greys(7))
    frames = middle_frames(planes)
    seen = sample(planes, frames, GRID).reshape(-1, GRID, GRID)
    order = np.add.outer(np.arange(GRID), np.arange(GRID))
    expected = np.stack([dctn(plane, norm="ortho")[(order > 0) & (order < 9)] for plane in seen])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = descriptors(planes, frames)
    assert found.shape[1] == 44
    assert found == pytest.approx(expected, abs=1e-4)
    basis = cosine_basis(GRID)
    assert basis @ basis.T == pytest.approx(np.eye(GRID), abs=1e-5)


@pytest.mark.parametrize("count", [3, 40, 700, 9001])
def test_nearest_is_what_sorting_all_similarities_gives(count):
    rng = np.random.default_rng(count)
    index = rng.normal(size=(count, 12)).astype(np.float32)
    index /= np.linalg.norm(index, axis=1, keepdims=True)
    rows, similar = nearest(index[:1500], index, 6)
    all_of_them = index[:1500] @ index.T
    all_of_them[np.arange(len(all_of_them)), np.arange(len(all_of_them))] = -2
    order = np.argsort(-all_of_them, axis=1)[:, :6]
    expected = np.take_along_axis(all_of_them, order, 1)
    known = min(6, count - 1)
    assert similar[:, :known] == pytest.approx(expected[:, :known], abs=1e-6)
    assert (rows[:, known:] == -1).all()
    assert (rows[:, :known] == order[:, :known]).mean() > 0.999


def left_over(first, second, framed=middle_frames, steps=6):
    one, other = ink(first), ink(second)
    return differences(one, other, framed(one), framed(other), steps)


def test_a_picture_laid_over_itself_leaves_nothing_whatever_its_brightness():
    some = greys(8)
    assert left_over(some, some) == pytest.approx(0, abs=1e-5)
    assert left_over(some, (some // 2 + 60).astype(np.uint8)).max() < 1e-3


def test_a_shift_and_a_scale_are_found_and_other_pictures_stay_different():
    some = greys(8)
    moved = np.stack([shift(one.astype(np.float32), (1.5, -1), order=1, mode="nearest") for one in some])
    larger = np.stack([zoom(one.astype(np.float32), 1.1, order=1)[1:33, 1:33] for one in some])
    assert left_over(some, moved.clip(0, 255).astype(np.uint8)).max() < 0.015
    assert left_over(some, larger.clip(0, 255).astype(np.uint8)).max() < 0.015
    assert left_over(some, np.roll(some, 1, axis=0)).min() > 0.1
