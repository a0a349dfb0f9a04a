import numpy as np
import pytest

from fastlab.pictures import normalising

NAMES = ["conv1", "conv2", "linear"]


def test_a_profile_has_a_point_a_layer_and_passes_over_those_a_network_lacks():
    ax = normalising.profile({"with": [1, 2, 3], "without": [1, np.nan, 5]}, NAMES)
    assert [list(line.get_xdata()) for line in ax.lines] == [[0, 1, 2], [0, 2]]
    assert [list(line.get_ydata()) for line in ax.lines] == [[1, 2, 3], [1, 5]]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == NAMES
    assert len({line.get_marker() for line in ax.lines}) == 2


def test_of_many_layers_some_are_named_so_that_names_stand_apart():
    names = [f"layer{k}.conv" for k in range(54)]
    ax = normalising.normalised(*[{"a": np.arange(1, 55)}] * 3, names)[0]
    ax.figure.draw_without_rendering()
    ticks = ax.get_xticklabels()
    assert [tick.get_text() for tick in ticks] == names[::4]
    places = [tick.get_window_extent().x1 for tick in ticks]
    assert np.diff(places).min() / ax.figure.dpi > 0.14
    assert len(ax.lines[0].get_xdata()) == 54


def test_normalised_shows_mean_variance_and_gradient():
    rows = {"with": [0.1, 0.2, 0.3]}, {"with": [1, 1, 2]}, {"with": [1e-3, 1e-2, 1e-1]}
    axes = normalising.normalised(*rows, NAMES, n=(300, 300, 64))
    assert [ax.get_title(loc="left") for ax in axes] == ["Mean (n = 300 images)", "Variance (n = 300 images)",
                                                         "Gradient (n = 64 images)"]
    assert [ax.get_yscale() for ax in axes] == ["linear", "log", "log"]
    for ax, row in zip(axes, rows):
        assert list(ax.lines[0].get_ydata()) == row["with"]
    assert normalising.normalised(*rows, NAMES)[0].get_title(loc="left") == "Mean"


def test_contrast_shows_before_after_and_the_change():
    ax = normalising.contrast([0.6, 0.5], [0.65, 0.49], ["relu1, paper", "relu1, torch"], n=64)
    before, after = ax.lines
    assert (list(before.get_xdata()), list(after.get_xdata())) == ([0.6, 0.5], [0.65, 0.49])
    assert [text.get_text() for text in ax.texts] == ["+0.0500", "−0.0100", "change"]
    assert "(n = 64 images)" in ax.get_title(loc="left")


def test_effects_stand_in_per_cent_on_logarithmic_axes():
    axes = normalising.lrn({"damping": [0.41, 0.00012], "unlike": [0.0003, 0.0001]}, ["paper", "torch"], 64)
    assert list(axes[0].lines[0].get_xdata()) == pytest.approx([0.41, 0.00012])
    assert [text.get_text() for text in axes[0].texts] == ["41", "0.012"]
    assert [ax.get_xlabel() for ax in axes] == ["damping (%)", "unlike (%)"]
    assert {ax.get_xscale() for ax in axes} == {"log"}
