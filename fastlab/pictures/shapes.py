"""The shape at every step of a network, as blocks from the image to the scores."""
import math

import numpy as np
from matplotlib.patches import Rectangle

from fastlab.errors import OptionError
from fastlab.pictures.fonts import shown
from fastlab.pictures.style import BLUE, GREY, INK, ORANGE, PALE, blank, picture

ACROSS = 14        # steps in one row: more go on in the next
TALLEST = 1.0      # height of the largest map, in units of the axis


def block(shape, side):
    "(width, height) of a step's block: as high as its maps' side, of vectors as their length's logarithm; as wide as "
    "the logarithm of the number of maps."
    if len(shape) == 1:
        return 0.12, TALLEST * min(1.0, 0.12 + math.log2(max(1, shape[0])) / 14)
    return 0.12 + 0.065 * math.log2(max(1, shape[0])), max(0.03, TALLEST * max(shape[1:]) / side)


@picture
def flow(names, shapes, learned=None, ax=None, title="The shape at every step"):
    """Every step as a block, in order: `names` (L,), `shapes` (L,) of each step's output, (maps, H, W) or (units,); the
    first is the image. Height: the maps' side; width: how many maps, logarithmic. `learned` (L,): parameters of each
    step; steps that learn are in colour. The shape stands above each block, the name below."""
    if len(names) != len(shapes) or not len(names):
        raise OptionError(f"names, shapes: {len(names)} names and {len(shapes)} shapes; give one each.")
    learned = np.zeros(len(names)) if learned is None else np.asarray(learned)
    side = max(max(shape[1:]) for shape in shapes if len(shape) > 1)
    rows = math.ceil(len(names) / ACROSS)
    across = math.ceil(len(names) / rows)
    ax = blank(ax, (max(4.0, 0.8 * across + 0.2), 1.75 * rows + 0.35), grid=None)
    for place, (name, shape, count) in enumerate(zip(shown(names, longest=12), shapes, learned)):
        width, height = block(shape, side)
        x, floor = place % across, -1.9 * (place // across)
        colour = BLUE if count else ORANGE if place == 0 else PALE
        ax.add_patch(Rectangle((x - width / 2, floor), width, height, facecolor=colour, edgecolor=GREY, linewidth=0.6))
        ax.text(x, floor + height + 0.04, wording(shape), ha="center", va="bottom", fontsize=7, color=INK)
        ax.text(x, floor - 0.06, name, ha="center", va="top", fontsize=7, color=INK if count else GREY)
    ax.set(xlim=(-0.6, across - 0.4), ylim=(-1.9 * (rows - 1) - 0.3, TALLEST + 0.3), title=title)
    ax.set_axis_off()
    return ax


def wording(shape):
    "'16@28×28' for maps, '12' for units."
    return f"{shape[0]:,}" if len(shape) == 1 else f"{shape[0]}@{'×'.join(map(str, shape[1:]))}"
