import numpy as np
import pytest
from scipy import stats

from fastlab.errors import OptionError
from fastlab.pictures import curves

RUNS = np.array([[0.5, 0.8, 0.9], [0.6, 0.7, 0.95], [0.4, 0.9, 0.97], [0.5, 0.85, 0.91]])


def means(ax):
    return [line for line in ax.lines if not line.get_label().startswith("_")]


def test_one_run_is_its_own_line_and_claims_no_mean():
    ax = curves.accuracy([0.5, 0.75, 1.0])
    line, = ax.lines
    assert list(line.get_xdata()) == [1, 2, 3]
    assert list(line.get_ydata()) == [0.5, 0.75, 1.0]
    assert ax.get_title(loc="left") == "Accuracy"
    assert ax.get_ylabel() == "accuracy (%)"
    assert not ax.collections
    assert ax.get_legend() is None


def test_several_runs_show_mean_band_and_every_seed():
    ax = curves.accuracy(RUNS)
    assert sum(line.get_label() == curves.SEED for line in ax.lines) == 4
    mean = ax.lines[-1]
    np.testing.assert_allclose(mean.get_ydata(), RUNS.mean(axis=0))
    corners = ax.collections[0].get_paths()[0].vertices
    for epoch in range(3):
        low, high = stats.t.interval(0.95, 3, RUNS[:, epoch].mean(), stats.sem(RUNS[:, epoch]))
        heights = corners[corners[:, 0] == epoch + 1, 1]
        assert (heights.min(), heights.max()) == pytest.approx((low, high))
    assert ax.get_title(loc="left").endswith("(n = 4 seeds)")


def test_a_dict_draws_labelled_curves_in_colours_and_dashes_of_their_own():
    ax = curves.accuracy({"plain": RUNS, "BatchNorm": RUNS[:2]})
    assert [line.get_label() for line in means(ax)] == ["plain", "BatchNorm"]
    assert len({line.get_color() for line in means(ax)}) == len({str(line.get_linestyle()) for line in means(ax)}) == 2
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["plain", "BatchNorm"]
    assert "(n = 2–4 seeds)" in ax.get_title(loc="left")


def test_called_again_it_adds_a_curve_and_counts_both():
    ax = curves.accuracy(RUNS, label="a")
    curves.accuracy(RUNS[:3], ax=ax, label="b")
    assert [line.get_label() for line in means(ax)] == ["a", "b"]
    assert "(n = 3–4 seeds)" in ax.get_title(loc="left")


def test_uneven_runs_have_a_mean_only_where_all_have_values():
    ax = curves.loss([[2.0, 1.0, 0.5], [1.0, 0.0]])
    assert list(ax.lines[-1].get_ydata()[:2]) == [1.5, 0.5]
    assert np.isnan(ax.lines[-1].get_ydata()[2])


def test_accuracy_never_reaches_far_past_all():
    assert curves.accuracy([[0.2, 1.0], [1.0, 1.0]]).get_ylim()[1] <= 1.005


def test_error_is_one_minus_accuracy_on_a_logarithmic_axis():
    ax = curves.error([0.9, 0.99, 1.0])
    line, = ax.lines
    assert line.get_ydata()[:2] == pytest.approx([0.1, 0.01])
    assert np.isnan(line.get_ydata()[2])
    assert ax.get_yscale() == "log"


def test_training_shows_losses_beside_accuracies():
    axes = curves.training({"train": [2, 1], "develop": [2.1, 1.2]}, {"develop": [0.4, 0.6]})
    assert [line.get_label() for line in axes[0].lines] == ["train", "develop"]
    assert list(axes[1].lines[0].get_ydata()) == [0.4, 0.6]
    assert axes[1].lines[0].get_color() == axes[0].lines[1].get_color() != axes[0].lines[0].get_color()
    assert [text.get_text() for text in axes[1].get_legend().get_texts()] == ["develop"]


def test_something_that_is_no_curve_is_refused():
    with pytest.raises(OptionError, match=r"runs: 0\.9 is no curve"):
        curves.accuracy(0.9)


def test_the_finder_marks_each_suggestion_on_the_curve():
    rates = np.logspace(-6, 0, 61)
    losses = 3 - np.log10(rates) / 6
    ax = curves.rate_finder(rates, losses, {"valley": 1e-3, "steep": 1e-4})
    curve, valley, steep = ax.lines
    assert list(curve.get_ydata()) == list(losses)
    assert ax.get_xscale() == "log"
    assert (valley.get_xdata()[0], valley.get_ydata()[0]) == pytest.approx((1e-3, 3.5))
    assert (steep.get_xdata()[0], steep.get_ydata()[0]) == pytest.approx((1e-4, 3 + 4 / 6))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["valley  0.001", "steep  0.0001"]


def test_a_loss_that_runs_away_does_not_flatten_the_rest():
    ax = curves.rate_finder(np.logspace(-6, 0, 5), [2.5, 2.0, 0.5, 1e6, np.nan])
    low, high = ax.get_ylim()
    assert low < 0.5
    assert 2.5 < high < 5


def test_the_schedule_counts_epochs_when_it_can():
    ax = curves.schedule([0.1, 0.2, 0.3, 0.4], momenta=[0.9, 0.8, 0.8, 0.9], steps_per_epoch=2)
    assert list(ax.lines[0].get_xdata()) == [0, 0.5, 1, 1.5]
    assert ax.get_xlabel() == "time (epochs)"
    other = next(found for found in ax.figure.axes if found is not ax)
    assert list(other.lines[0].get_ydata()) == [0.9, 0.8, 0.8, 0.9]
    assert curves.schedule([0.1, 0.2]).get_xlabel() == "time (steps)"
