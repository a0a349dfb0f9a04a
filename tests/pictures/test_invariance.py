import numpy as np
import pytest
from scipy import stats

from fastlab.pictures import invariance
from fastlab.pictures.style import BLUE, ORANGE


def test_curves_are_shares_with_wilson_bands():
    amounts, shares = np.arange(-6, 7), np.linspace(0.2, 1, 13)
    ax = invariance.answers(amounts, {"with pooling": shares, "without": shares / 2}, 600)
    assert list(ax.lines[0].get_xdata()) == list(amounts)
    assert list(ax.lines[0].get_ydata()) == pytest.approx(list(shares))
    corners = ax.collections[0].get_paths()[0].vertices
    at_zero = corners[corners[:, 0] == 0, 1]
    low, high = stats.binomtest(round(shares[6] * 600), 600).proportion_ci(method="wilson")
    assert (at_zero.min(), at_zero.max()) == pytest.approx((low, high), abs=1e-3)
    assert ax.get_xlabel() == "shift (pixels)"
    assert ax.get_title(loc="left") == "The answer under shift (n = 600 answers)"
    assert list(ax.get_xticks()) == list(amounts)


@pytest.mark.parametrize(("kind", "unit"), [("rotation", "degrees"), ("scale", "factor"), ("noise", "span")])
def test_every_kind_names_its_unit(kind, unit):
    assert unit in invariance.answers([0, 1], {"a": [1, 0.5]}, 10, kind=kind).get_xlabel()


def test_pooling_steps_stand_out():
    ax = invariance.steps([1.1, 0.8, 0.7], ["conv1", "pool1", "conv2"], 100, pools=("pool1",))
    assert [bar.get_width() for bar in ax.patches] == [1.1, 0.8, 0.7]
    from matplotlib.colors import to_rgba
    assert [bar.get_facecolor() for bar in ax.patches] == [to_rgba(BLUE), to_rgba(ORANGE), to_rgba(BLUE)]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["conv1", "pool1 (pooling)", "conv2"]
    assert [text.get_text().strip() for text in ax.texts] == ["1.10", "0.80", "0.70"]


def test_a_step_without_a_change_has_a_dash():
    ax = invariance.steps([1.1, np.nan], ["conv1", "relu1"], 100)
    assert [text.get_text().strip() for text in ax.texts] == ["1.10", "–"]
    ax.figure.draw_without_rendering()
