import numpy as np
import pytest

from fastlab.pictures import dropout

STILL = np.array([0.9, 0.5, 0.99])
MEAN = np.array([0.85, 0.45, 0.98])
DEVIATION = np.array([0.1, 0.2, 0.01])


def test_images_stand_least_sure_first_and_changed_ones_apart():
    ax = dropout.spread(STILL, MEAN, DEVIATION, np.array([0, 0.4, 0]), draws=20)
    lines = {tuple(line.get_xdata()): list(line.get_ydata()) for line in ax.lines if len(line.get_xdata())}
    assert lines[0, 1, 2] == [0.5, 0.9, 0.99]           # dropout off
    assert lines[(0,)] == [0.45]                        # changed class
    assert lines[1, 2] == [0.85, 0.98]                  # kept it
    bars = [segment[:, 1] for part in ax.collections for segment in part.get_segments()]
    assert bars[0] == pytest.approx([0.25, 0.65])
    assert bars[1:] == [pytest.approx([0.75, 0.95]), pytest.approx([0.97, 0.99])]
    assert ax.get_title(loc="left") == "Dropout left on: mean ± deviation of 20 passes (n = 3 images)"
    assert "13.3 % of all passes" in ax.get_xlabel()


def test_bars_are_cut_where_no_probability_is():
    ax = dropout.spread([0.9, 0.05], [0.95, 0.02], [0.2, 0.1], [0, 0], draws=20)
    bars = [segment[:, 1] for part in ax.collections for segment in part.get_segments()]
    assert bars == [pytest.approx([0, 0.12]), pytest.approx([0.75, 1])]


def test_of_many_images_some_are_shown_from_least_to_most_sure():
    still = np.linspace(0.2, 1, 1000)[::-1]
    ax = dropout.spread(still, still, np.zeros(1000), np.zeros(1000), draws=5)
    shown = next(line for line in ax.lines if line.get_marker() == "_").get_ydata()
    assert len(shown) == dropout.MOST
    assert (shown[0], shown[-1]) == (0.2, 1)
    assert (np.diff(shown) > 0).all()


def test_updates_are_drawn_step_by_step_with_their_mean():
    ax = dropout.updates({"dropout on": [0.2, 0.1], "dropout off": [0.3, 0.2]})
    assert [list(line.get_ydata()) for line in ax.lines] == [[0.2, 0.1], [0.3, 0.2]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["dropout on: mean 0.15",
                                                                         "dropout off: mean 0.25"]
    assert ax.get_title(loc="left").endswith("(n = 2 steps)")
    assert ax.get_ylim()[0] == 0
