import numpy as np
import pytest
from matplotlib.figure import Figure

from fastlab.errors import OptionError
from fastlab.pictures import tiles


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3)])
def test_images_of_every_layout_are_shown_as_they_are(shape):
    image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    ax = tiles.show(Figure().subplots(), image)
    np.testing.assert_array_equal(ax.images[0].get_array(), image[..., 0] if shape[-1] == 1 else image)
    assert len(ax.get_xticks()) == 0


def test_grey_has_one_scale_for_all_images():
    "A pale image stays pale: it is not stretched to black."
    assert tiles.show(Figure().subplots(), np.full((3, 3), 200, np.uint8)).images[0].get_clim() == (0, 255)
    assert tiles.show(Figure().subplots(), np.full((3, 3), 0.2)).images[0].get_clim() == (0, 1)


def test_what_is_no_image_is_refused():
    with pytest.raises(OptionError, match=r"shape \(2, 3, 4\) is no image"):
        tiles.plain(np.zeros((2, 3, 4)))


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 6, 1), (6, 6, 1), (7, 6, 2), (12, 6, 2)])
def test_a_sheet_has_as_many_places_as_images(count, columns, rows):
    axes = tiles.sheet(count, columns)
    assert len(axes) == count
    every = axes[0].figure.axes
    assert len(every) == rows * min(columns, count)
    assert sum(ax.axison for ax in every) == count


def test_a_montage_holds_every_map_at_its_corner():
    maps = np.arange(5 * 2 * 3).reshape(5, 2, 3)
    whole, corners = tiles.montage(maps, columns=3)
    assert whole.shape == (2 * 3 - 1, 3 * 4 - 1)
    for image, (row, column) in zip(maps, corners):
        np.testing.assert_array_equal(whole[row:row + 2, column:column + 3], image)
    assert np.isnan(whole).sum() == whole.size - maps.size


def test_a_text_shrinks_until_it_fits_and_wide_characters_count_two():
    assert tiles.fitting("ab", inches=2) == 7.5
    assert tiles.fitting("a" * 30, inches=1.5) == pytest.approx(1.5 * 72 / (0.6 * 30))
    assert tiles.fitting("学" * 15, inches=1.5) == tiles.fitting("a" * 30, inches=1.5)
    assert tiles.fitting("a" * 300, inches=1.5) == 5
    assert tiles.fitting("A" * 30, inches=1.5) < tiles.fitting("a" * 30, inches=1.5)


def test_for_long_texts_tiles_grow_and_fewer_stand_in_a_row():
    assert tiles.roomy(["ant", "bee"], 8) == (8, tiles.TILE, 7.5)
    columns, tile, size = tiles.roomy(["a" * 46, "b"], 8)
    assert tile == pytest.approx(2 * tiles.TILE)
    assert (columns, size) == (4, pytest.approx(tiles.LEGIBLE))
    assert tiles.roomy(["a" * 999], 8)[0] == 1
