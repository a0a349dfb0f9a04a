import numpy as np
import pytest

from fastlab.errors import OptionError
from fastlab.pictures import comparisons

LABELS = ["L1 against none", "dropout against none"]


def parts(ax, label):
    return [line for line in ax.lines if line.get_label() == label]


def test_the_forest_shows_means_intervals_figures_and_verdicts():
    ax = comparisons.forest(LABELS, [-0.9, 0.004], [-1.2, -0.4], [-0.6, 0.41], 10, ["holds", "undecided"])
    assert [line.get_xdata()[0] for line in parts(ax, "_mean")] == [-0.9, 0.004]
    assert [list(line.get_xdata()) for line in parts(ax, "_interval")] == [[-1.2, -0.6], [-0.4, 0.41]]
    assert [text.get_text() for text in ax.texts] == ["−0.90  [−1.20, −0.60]   holds",
                                                      "+0.00  [−0.40, +0.41]   undecided"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == LABELS
    assert ax.get_title(loc="left") == "Mean paired difference, 95 % intervals (n = 10 seeds)"
    assert "points" in ax.get_xlabel()
    assert "±0.5" in ax.get_xlabel()


def test_verdicts_differ_by_mark_not_only_by_colour():
    assert len({marker for marker, _ in comparisons.VERDICTS.values()}) == len(comparisons.VERDICTS)
    ax = comparisons.forest(LABELS, [1, 1], [0, 0], [2, 2], 10, ["holds", "contradicted"])
    assert len({line.get_marker() for line in parts(ax, "_mean")}) == 2


def test_a_tiny_loss_is_not_minus_zero():
    ax = comparisons.forest(["a"], [-0.001], [-1], [1], 3)
    assert ax.texts[0].get_text().startswith("+0.00")


def test_a_row_without_figures_is_a_gap():
    ax = comparisons.forest(["a", "", "b"], [1, np.nan, 2], [0, np.nan, 1], [2, np.nan, 3], [10, 5, 10])
    assert len(ax.texts) == 2
    assert ax.get_title(loc="left").endswith("(n = 5–10 seeds)")


def test_rows_that_do_not_fit_are_refused():
    with pytest.raises(OptionError, match="lows: shape"):
        comparisons.forest(LABELS, [1, 2], [1], [1, 2], 10)


def test_pairs_show_every_seed_their_mean_and_interval():
    differences = {"a": np.array([0.1, 0.3, 0.2]), "b": np.array([-1.0, -2.0])}
    ax = comparisons.pairs(differences, {"a": (0.05, 0.35)})
    seeds = parts(ax, "_seed")
    assert [sorted(line.get_xdata()) for line in seeds] == [[0.1, 0.2, 0.3], [-2.0, -1.0]]
    assert [line.get_xdata()[0] for line in parts(ax, "_mean")] == pytest.approx([0.2, -1.5])
    assert list(parts(ax, "_interval")[0].get_xdata()) == [0.05, 0.35]
    assert np.isnan(parts(ax, "_interval")[1].get_xdata()).all()
    assert ax.get_title(loc="left").endswith("(n = 2–3 seeds)")


def test_the_band_spans_the_region_and_can_be_left_out():
    band = comparisons.forest(LABELS, [1, 2], [0, 1], [2, 3], 10, region=0.25).patches[0]
    assert (band.get_x(), band.get_width()) == (-0.25, 0.5)
    without = comparisons.forest(LABELS, [1, 2], [0, 1], [2, 3], 10, region=0)
    assert not without.patches
    assert without.get_xlabel() == "difference in accuracy (points)"


def test_power_is_shown_in_per_cent():
    ax = comparisons.powers([0, 1], {"10 seeds": [0.05, 0.9]}, 10)
    assert list(ax.lines[0].get_ydata()) == pytest.approx([5, 90])
