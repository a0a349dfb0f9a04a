import numpy as np

from fastlab.pictures import patches

RNG = np.random.default_rng(0)


def test_a_unit_is_a_row_and_its_best_patch_comes_first():
    values = RNG.random((3, 2, 4, 5))
    ax, = patches.best(values, "pool2", n=100)
    shown = ax.images[0].get_array()
    for unit in range(3):
        for place in range(2):
            top, left = unit * 5, place * 6
            np.testing.assert_allclose(shown[top:top + 4, left:left + 5], values[unit, place])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["0", "1", "2"]
    assert ax.figure.get_suptitle() == "pool2: what each unit answers to most,\n4×5 pixels (n = 100 images)"


def test_units_go_on_in_the_next_column():
    axes = patches.best(RNG.random((5, 2, 3, 3)), "conv1", rows=2, units=[7, 8, 9, 10, 11])
    assert [[tick.get_text() for tick in ax.get_yticklabels()] for ax in axes] == [["7", "8"], ["9", "10"], ["11"]]


def test_many_units_are_cut_and_it_is_said():
    axes = patches.best(np.zeros((96, 1, 2, 2)), "conv1", most=32)
    assert len(axes) == 2
    assert axes[0].figure.get_suptitle().startswith("conv1: what 32 of 96 units answer to most")


def test_colours_stay_colours():
    values = RNG.random((2, 2, 3, 3, 3))
    ax, = patches.best(values, "conv1")
    np.testing.assert_allclose(ax.images[0].get_array()[:3, :3], values[0, 0])
    np.testing.assert_allclose(ax.images[0].get_array()[3, 0], patches.GAP)     # white patches do not flow together


def test_a_patch_that_is_drawn_smaller_is_told_in_its_own_size():
    ax, = patches.best(np.zeros((2, 1, 4, 4)), "relu3", n=9, seen="99×99 pixels")
    assert ax.figure.get_suptitle().endswith("\n99×99 pixels (n = 9 images)")
