import numpy as np
import pytest

from fastlab.errors import OptionError
from fastlab.pictures import results
from fastlab.pictures.style import ORANGE

NAMES = ["ant", "bee", "cat"]
IMAGES = np.arange(6, dtype=np.uint8)[:, None, None] * np.ones((6, 4, 4), np.uint8)
TRUTH = np.array([0, 1, 2, 0, 1, 2])
#                 right               wrong            right            wrong, worst      right            wrong
SHARES = np.array([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8], [0.004, 0.996, 0], [0, 1, 0], [0.2, 0.5, 0.3]])


def number(ax):
    "Which of IMAGES an Axes shows."
    return int(ax.images[0].get_array()[0, 0])


def heading(axes):
    return np.ravel(axes)[0].figure.get_suptitle()


def test_mistakes_stand_worst_first_with_both_classes_and_both_probabilities():
    axes = results.mistakes(IMAGES, TRUTH, SHARES, NAMES)
    assert [number(ax) for ax in axes] == [3, 1, 5]
    assert [ax.get_title(loc="left") for ax in axes] == ["true ant  < 0.01\npredicted bee  > 0.99",
                                                         "true bee  0.30\npredicted ant  0.60",
                                                         "true cat  0.30\npredicted bee  0.50"]
    assert heading(axes) == "Worst 3 of 3 mistakes (n = 6 images), with probabilities"


def test_only_as_many_mistakes_as_asked_for_and_the_count_of_all():
    axes = results.mistakes(IMAGES, TRUTH, SHARES, NAMES, count=1, files=list("abcdef"))
    assert len(axes) == 1
    assert axes[0].get_xlabel() == "d"
    assert heading(axes).startswith("Worst 1 of 3 mistakes")


def test_of_a_long_file_name_the_end_is_shown_and_the_cut_is_seen():
    files = [f"test/ant/{number:032d}.jpg" for number in range(6)]
    axes = results.mistakes(IMAGES, TRUTH, SHARES, NAMES, count=1, files=files)
    assert axes[0].get_xlabel() == "…" + "0" * 20 + "3.jpg"


def test_the_worst_are_those_that_think_the_truth_least_likely():
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.ones(5), 300)
    truth = rng.integers(0, 5, 300)
    wrong = [k for k in range(300) if max(range(5), key=lambda c: shares[k, c]) != truth[k]]
    by_hand = sorted(wrong, key=lambda k: shares[k, truth[k]])[:20]
    assert list(results.worst(truth, shares, 20)) == by_hand


def test_without_a_mistake_the_picture_says_so():
    axes = results.mistakes(IMAGES[:1], TRUTH[:1], SHARES[:1], NAMES)
    assert axes[0].texts[0].get_text() == "no mistake"
    assert heading(axes) == "Mistakes (n = 1 image)"


def test_results_mark_right_and_wrong_by_sign_frame_and_colour():
    axes = results.results(IMAGES, TRUTH, SHARES, NAMES)
    assert [ax.get_title() for ax in axes[:4]] == ["✓ ant  0.80", "✗ bee → ant  0.60", "✓ cat  0.80",
                                                   "✗ ant → bee  > 0.99"]
    assert [ax.title.get_color() == ORANGE for ax in axes] == [False, True, False, True, False, True]
    assert axes[1].spines["left"].get_linewidth() > axes[0].spines["left"].get_linewidth()
    assert heading(axes) == "Results: 6 images; accuracy 50.00 % of all (n = 6 images)"


def test_long_names_break_their_line_and_are_told_whole():
    names = ["mask_worn_incorrectly_xy", "without_mask", "automobile"]
    axes = results.results(IMAGES, TRUTH, SHARES, names)
    assert axes[1].get_title() == "✗ without_mask\n→ mask_worn_incorrectly_xy  0.60"
    assert axes[0].get_title() == "✓ mask_worn_incorrectly_xy  0.80"
    assert axes[0].title.get_fontsize() >= 6


def test_a_pairs_heading_stays_within_the_figure():
    names = ["mask_worn_incorrectly_xy", "mask_worn_incorrectly_xz", "cat"]
    axes = results.pairs(IMAGES, TRUTH, SHARES, names, count=1, examples=3)
    axes[0, 0].figure.draw_without_rendering()
    heading, = axes[0, 0].texts
    assert heading.get_text().startswith("mask_worn_incorrectly_xy taken for mask_worn_incorrectly_xz: 1 of 2")
    assert heading.get_window_extent().x1 <= axes[0, 0].figure.bbox.x1


def test_accuracy_in_the_heading_is_over_all_images_not_those_shown():
    axes = results.results(IMAGES, TRUTH, SHARES, NAMES, count=1)
    assert len(axes) == 1
    assert "accuracy 50.00 % of all (n = 6 images)" in heading(axes)


def test_chosen_images_are_shown_and_all_are_counted():
    axes = results.results(IMAGES, TRUTH, SHARES, NAMES, rows=[5, 0])
    assert [(number(ax), ax.get_title()) for ax in axes] == [(5, "✗ cat → bee  0.50"), (0, "✓ ant  0.80")]
    assert heading(axes) == "Results: 2 images; accuracy 50.00 % of all (n = 6 images)"
    axes = results.batch(IMAGES, TRUTH, NAMES, rows=[4, 2])
    assert [(number(ax), ax.get_title()) for ax in axes] == [(4, "bee"), (2, "cat")]
    assert heading(axes) == "A batch (2 of 6 images)"


@pytest.mark.parametrize(("share", "digits", "told"), [
    (0.97, 2, "0.97"), (0.996, 2, "> 0.99"), (1.0, 2, "1.00"), (0.004, 2, "< 0.01"), (0.9996, 3, "> 0.999"),
    (0.0004, 3, "< 0.001"), (0.996, 3, "0.996")])
def test_a_probability_never_rounds_to_a_certainty(share, digits, told):
    assert results.chance(share, digits) == told


def test_a_batch_stands_under_its_names():
    axes = results.batch(IMAGES, TRUTH, NAMES, count=4)
    assert [(number(ax), ax.get_title()) for ax in axes] == [(0, "ant"), (1, "bee"), (2, "cat"), (3, "ant")]
    assert heading(axes) == "A batch (4 of 6 images)"


def test_pairs_count_and_show_the_surest_first():
    truth = np.array([0, 0, 0, 1, 1, 2])
    shares = np.array([[0.3, 0.7, 0], [0.1, 0.9, 0], [0.9, 0.1, 0], [0, 1, 0], [0.2, 0.3, 0.5], [0, 0, 1]])
    axes = results.pairs(IMAGES, truth, shares, NAMES, examples=3)
    assert axes.shape == (2, 3)
    assert [row[0].texts[0].get_text() for row in axes] == ["ant taken for bee: 2 of 3 (66.7 %)",
                                                            "bee taken for cat: 1 of 2 (50.0 %)"]
    assert [number(ax) for ax in axes[0, :2]] == [1, 0]
    assert not axes[0, 2].axison
    assert results.pairs(IMAGES, truth, shares, NAMES).shape == (2, 3)     # room for no more than there are, or three


def test_names_no_font_has_give_way_to_folders(only_dejavu):
    axes = results.mistakes(IMAGES, TRUTH, SHARES, ["博", "学", "笃"], classes=["1", "2", "3"], count=1)
    assert axes[0].get_title(loc="left") == "true 1  < 0.01\npredicted 2  > 0.99"


def test_arrays_that_do_not_fit_together_are_refused():
    with pytest.raises(OptionError, match="6 images, 6 labels and probabilities of shape"):
        results.mistakes(IMAGES, TRUTH, SHARES[:, :2], NAMES)
    with pytest.raises(OptionError, match="5 images"):
        results.results(IMAGES[:5], TRUTH, SHARES, NAMES)


def test_it_draws_on_a_given_figure():
    from matplotlib.figure import Figure
    figure = Figure()
    part = figure.subfigures(1, 2)[1]
    assert results.batch(IMAGES, TRUTH, NAMES, figure=part)[0].figure is part
