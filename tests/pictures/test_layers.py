import numpy as np
import pytest

from fastlab.pictures import layers


def test_exact_zeros_are_shares_from_zero_on():
    ax = layers.zeros({"loss": [0, 0, 0], "proximal": [0, 0.5, 0.85]})
    assert [list(line.get_ydata()) for line in ax.lines] == [[0, 0, 0], [0, 0.5, 0.85]]
    assert ax.get_ylim()[0] < 0 < ax.get_ylim()[1]
    assert ax.yaxis.get_major_formatter()(0.85, None) == "85"


def test_dead_units_are_told_with_the_images_behind_them():
    ax = layers.dead({"relu1": [0, 0.1]}, n=500)
    assert ax.get_title(loc="left").endswith("(n = 500 images)")
    assert list(ax.lines[0].get_ydata()) == [0, 0.1]


def test_sizes_take_a_logarithmic_axis_when_asked():
    assert layers.sizes({"conv1": [1, 10]}, log=True).get_yscale() == "log"
    assert layers.sizes({"conv1": [1, 10]}).get_yscale() == "linear"


def test_a_histogram_is_in_shares_of_its_epoch_and_leaves_empty_bins_white():
    ax = layers.histogram([[1, 3, 0], [5, 0, 5]], [0, 1, 2, 3])
    shares = ax.collections[0].get_array()
    np.testing.assert_allclose(shares.filled(-1), [[25, 50], [75, -1], [-1, 50]])
    assert ax.get_ylim() == (0, 3)
    assert next(cax for cax in ax.figure.axes if cax is not ax).get_ylabel() == "share of values (%)"


def test_figures_stand_where_they_were_taken():
    line, = layers.dead({"relu1": [0, 0.1, 0.2]}, n=64, unit="steps", times=[0, 10, 30]).lines
    assert list(line.get_xdata()) == [0, 10, 30]
    ax = layers.histogram([[1, 3], [5, 0], [1, 1]], [0, 1, 2], unit="steps", times=[0, 10, 30], n=64)
    corners = ax.collections[0].get_coordinates()[0, :, 0]
    assert list(corners) == [-5, 5, 20, 40]
    assert ax.get_xlabel() == "time (steps)"
    assert ax.get_title(loc="left") == "Activations over time (n = 64 images)"


def test_a_histogram_of_nothing_is_empty():
    assert layers.histogram(np.zeros((2, 3)), [0, 1, 2, 3]).collections[0].get_array().mask.all()


def test_labels_of_layers_stand_in_the_legend():
    legend = layers.sizes({"conv1": [1, 2], "conv2": [2, 3]}).get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["conv1", "conv2"]
    assert layers.zeros([0.1, 0.2], label="all").get_legend().get_texts()[0].get_text() == "all"
    assert layers.zeros([0.1, 0.2]).lines[0].get_ydata() == pytest.approx([0.1, 0.2])
