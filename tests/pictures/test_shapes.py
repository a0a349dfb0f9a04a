"""Golden data of the picture of shapes."""
import pytest

from fastlab.errors import OptionError
from fastlab.pictures.shapes import flow, wording
from fastlab.pictures.style import BLUE, ORANGE, PALE

NAMES = ["image", "conv1", "pool1", "flatten", "linear"]
SHAPES = [(1, 28, 28), (16, 28, 28), (16, 14, 14), (3136,), (12,)]


def test_blocks_are_as_high_as_the_maps_and_the_shapes_stand_above_them():
    from matplotlib.colors import to_hex
    ax = flow(NAMES, SHAPES, [0, 416, 0, 0, 37_644])
    heights = [block.get_height() for block in ax.patches]
    assert heights[:3] == [1, 1, 0.5]
    assert heights[3] > heights[4]
    widths = [block.get_width() for block in ax.patches]
    assert widths[0] < widths[1] == widths[2]
    texts = [text.get_text() for text in ax.texts]
    assert texts[::2] == ["1@28×28", "16@28×28", "16@14×14", "3,136", "12"]
    assert texts[1::2] == NAMES
    colours = [to_hex(block.get_facecolor()).upper() for block in ax.patches]
    assert colours == [ORANGE, BLUE, PALE, PALE, BLUE]


def test_many_steps_go_on_in_a_second_row():
    ax = flow([f"step {k}" for k in range(30)], [(8, 9, 9)] * 30)
    floors = sorted({block.get_y() for block in ax.patches}, reverse=True)
    assert len(floors) == 3
    assert [sum(block.get_y() == floor for block in ax.patches) for floor in floors] == [10, 10, 10]


def test_names_and_shapes_go_together():
    with pytest.raises(OptionError, match="2 names and 1 shapes"):
        flow(["a", "b"], [(1, 2, 2)])
    assert wording((3, 4, 5)) == "3@4×5"
