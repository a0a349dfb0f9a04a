import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure

from fastlab.errors import OptionError
from fastlab.pictures import confusion

TRUTH = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 2])
SAID = np.array([0, 0, 2, 1, 1, 2, 2, 0, 0, 2])
NAMES = ["ant", "bee", "cat"]


def cells(ax):
    "{(true name, predicted name): text} of what is written in the cells."
    across, down = ([tick.get_text() for tick in labels] for labels in (ax.get_xticklabels(), ax.get_yticklabels()))
    return {(down[round(y)], across[round(x)]): text.get_text() for text in ax.texts for x, y in [text.get_position()]}


def test_counts_stand_in_their_cells_and_zeros_are_left_empty():
    ax = confusion.matrix(TRUTH, SAID, NAMES, order="given")
    assert cells(ax) == {("ant", "ant"): "2", ("ant", "cat"): "1", ("bee", "bee"): "2", ("cat", "cat"): "3",
                         ("cat", "ant"): "2"}
    assert [tick.get_text() for tick in ax.get_yticklabels()] == NAMES
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")


def test_reordering_moves_rows_and_columns_together():
    ax = confusion.matrix(TRUTH, SAID, NAMES)
    assert cells(ax) == cells(confusion.matrix(TRUTH, SAID, NAMES, order="given"))
    order = [tick.get_text() for tick in ax.get_yticklabels()]
    assert abs(order.index("ant") - order.index("cat")) == 1
    assert [tick.get_text() for tick in ax.get_xticklabels()] == order


def test_shares_are_of_the_true_class():
    assert cells(confusion.matrix(TRUTH, SAID, NAMES, shares=True))[("cat", "ant")] == "40"
    assert cells(confusion.matrix(TRUTH, SAID, NAMES, shares=True))[("bee", "bee")] == "100"


def test_the_title_gives_accuracy_and_n():
    assert confusion.matrix(TRUTH, SAID, NAMES).get_title(loc="left").endswith("accuracy 70.00 % (n = 10 images)")


def test_colour_marks_mistakes_and_nothing_else():
    ax = confusion.matrix(TRUTH, SAID, NAMES, order="given")
    painted = ax.images[-1].get_array()
    assert painted.mask.diagonal().all()
    assert painted[2, 0] == pytest.approx(40)


@pytest.mark.parametrize(("classes", "numbered"), [(2, True), (12, True), (30, True), (31, False), (100, False)])
def test_it_stays_legible_for_any_number_of_classes(classes, numbered):
    truth = np.repeat(np.arange(classes), 3)
    ax = confusion.matrix(truth, truth, [f"class {k}" for k in range(classes)])
    assert len(ax.texts) == (classes if numbered else 0)
    ax.figure.draw_without_rendering()
    boxes = [tick.get_window_extent() for tick in ax.get_yticklabels()]
    assert len(boxes) == classes
    assert all(upper.y0 >= lower.y1 - 0.5 for upper, lower in itertools.pairwise(boxes))
    boxes = [tick.get_window_extent() for tick in ax.get_xticklabels()]
    assert all(left.x1 <= right.x0 + 0.5 for left, right in itertools.pairwise(boxes))


@pytest.mark.parametrize(("names", "turned"), [
    (["cat", "dog", "bird"], 0), (["incorrect_mask", "with_mask", "without_mask"], 90), (list("abcdefghij"), 0)])
def test_names_longer_than_a_cell_stand_upright_and_cells_stay_large(names, turned):
    truth = np.arange(len(names))
    ax = confusion.matrix(truth, truth, names)
    assert {tick.get_rotation() for tick in ax.get_xticklabels()} == {turned}
    ax.figure.draw_without_rendering()
    boxes = [tick.get_window_extent() for tick in ax.get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
    assert ax.get_window_extent().width / ax.figure.dpi >= 0.9 * max(2.6, 0.36 * len(names))


def test_on_a_small_axes_names_stand_upright_sooner():
    ax = Figure(figsize=(2, 2)).subplots()
    confusion.matrix([0, 1, 2], [0, 1, 2], ["cat", "mushroom", "horse"], ax=ax)
    assert {tick.get_rotation() for tick in ax.get_xticklabels()} == {90}


def test_counts_equal_a_count_by_hand():
    rng = np.random.default_rng(0)
    truth, said = rng.integers(0, 7, 500), rng.integers(0, 7, 500)
    by_hand = np.zeros((7, 7), int)
    for a, b in zip(truth, said):
        by_hand[a, b] += 1
    np.testing.assert_array_equal(confusion.counts(truth, said, 7), by_hand)


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(OptionError, match="labels must lie from 0 to 2"):
        confusion.matrix([0, 3], [0, 1], NAMES)
    with pytest.raises(OptionError, match=r"both must be \(N,\)"):
        confusion.matrix([0, 1], [0], NAMES)
    with pytest.raises(OptionError, match="Did you mean 'cluster'"):
        confusion.matrix(TRUTH, SAID, NAMES, order="clusters")


def test_no_image_is_an_empty_matrix():
    empty = np.zeros(0, int)
    assert confusion.matrix(empty, empty, NAMES).get_title(loc="left").endswith("(n = 0 images)")
