"""Images as tiles: the ground of every picture that shows images in rows and columns."""
import math
from unicodedata import east_asian_width

import numpy as np

from fastlab.errors import OptionError
from fastlab.pictures.style import GREY, blanks

TILE = 1.15      # inches: a 28-pixel image stays crisp, and six fit across a printed page
LEGIBLE = 6      # points


def plain(image):
    "An image as matplotlib takes it: (H, W) or (H, W, 1) grey and (H, W, 3) colour, uint8 or floats from 0 to 1."
    image = np.asarray(image)
    image = image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image
    if image.ndim != 2 and not (image.ndim == 3 and image.shape[-1] == 3):
        raise OptionError(f"image: shape {image.shape} is no image. Give (H, W), (H, W, 1) or (H, W, 3).")
    return image


def bare(ax, frame=GREY, width=0.5):
    "Takes ticks and grid from an Axes that shows an image and leaves a thin frame in the colour `frame`."
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set(visible=True, color=frame, linewidth=width)
    return ax


def show(ax, image, frame=GREY, width=0.5, **options):
    "Shows one image on an Axes: grey from 0 (black) to 255 (white), or from 0 to 1 for floats; pixels stay square."
    image = plain(image)
    top = 1.0 if image.dtype.kind == "f" else 255
    scale = {} if image.ndim == 3 else {"cmap": "gray", "vmin": 0, "vmax": top}
    ax.imshow(image, **{**scale, "interpolation": "nearest", **options})
    return bare(ax, frame, width)


def width(text, size):
    "About how many inches the longest line of `text` takes at a font size: wide characters count two, capitals 1.2."
    widths = [sum(2 if east_asian_width(sign) in "WF" else 1.2 if sign.isupper() else 1 for sign in line)
              for line in text.split("\n")]
    return 0.6 * size * max(1, *widths) / 72


def fitting(text, inches=TILE, size=7.5, least=5):
    "The font size, at most `size`, at which the longest line of `text` fits in `inches`."
    return max(least, min(size, inches / width(text, 1)))


def roomy(texts, columns):
    """(columns, inches of a tile, font size) at which none of the `texts` runs into the tile beside it: a font smaller
    than LEGIBLE is not taken, but larger tiles, and so fewer in a row."""
    text = "\n".join(texts)
    tile = max(TILE, width(text, LEGIBLE))
    return max(1, int(columns * TILE / tile)), tile, fitting(text, tile)


def sheet(count, columns=6, lines=1, figure=None, tile=TILE, head=0.35):
    "`count` Axes, row by row, each with room for `lines` of text above it; the rest of the grid is switched off."
    columns = max(1, min(columns, count))
    rows = max(1, math.ceil(count / columns))
    size = (columns * tile * 1.12 + 0.1, rows * (tile + 0.17 * lines) + head)
    axes = blanks(rows, columns, size, figure).ravel()
    for ax in axes[count:]:
        ax.set_axis_off()
    return axes[:count]


def montage(maps, columns=None, gap=1, fill=np.nan):
    """Maps (K, H, W) side by side in one array, `gap` pixels of `fill` between them, for one imshow instead of K.
    Returns the array and the (row, column) of each map's upper left pixel, shape (K, 2)."""
    maps = np.asarray(maps, float)
    count, height, width = maps.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    corners = np.array([(k // columns * (height + gap), k % columns * (width + gap)) for k in range(count)])
    whole = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), float(fill))
    for (row, column), image in zip(corners, maps):
        whole[row:row + height, column:column + width] = image
    return whole, corners
