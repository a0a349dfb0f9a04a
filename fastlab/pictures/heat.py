"""Heat maps over images: where the network looks (Grad-CAM, occlusion)."""
from textwrap import fill

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from fastlab.errors import OptionError
from fastlab.pictures.fonts import shown
from fastlab.pictures.style import GREY, blanks, picture
from fastlab.pictures.tiles import TILE, bare, fitting, plain, show

# Clear where there is nothing to say, so that the image shows through; blue speaks against the class.
ACROSS = 32     # characters of a caption in one line
SIGNED = LinearSegmentedColormap.from_list("for and against", [
    (0.0, (0.0, 0.27, 0.45, 0.9)), (0.25, (0.0, 0.45, 0.70, 0.6)), (0.5, (1, 1, 1, 0)),
    (0.75, (0.84, 0.37, 0.0, 0.6)), (1.0, (0.55, 0.17, 0.0, 0.9))])


def pale(image):
    "The image, greyed and lightened, so that colours laid over it are not mistaken for its own."
    image = plain(image)
    grey = image.mean(axis=-1) if image.ndim == 3 else image
    return 0.45 + 0.55 * grey / (1.0 if image.dtype.kind == "f" else 255)


def over(ax, image, heat, reach=None):
    "Lays `heat` (H, W) over an image on an Axes; full colour at ±`reach`, the map's greatest magnitude when None."
    image, heat = plain(image), np.asarray(heat, float)
    if heat.shape != image.shape[:2]:
        raise OptionError(f"heat: shape {heat.shape} does not fit the image's {image.shape[:2]}.")
    reach = reach or float(np.abs(heat).max()) or 1.0
    ax.imshow(pale(image), cmap="gray", vmin=0, vmax=1)
    drawn = ax.imshow(heat, cmap=SIGNED, vmin=-reach, vmax=reach)
    bare(ax)
    return drawn


@picture
def attention(images, maps, captions, figure=None, title="Where the network looks"):
    """A row for each image: the image, then every kind of heat map laid over it.

    `images` (N, H, W[, C]); `maps`: dict from a kind's name, such as 'Grad-CAM', to (N, H, W); orange speaks for the
    class, blue against it, each map on its own scale, whose end stands above it; `captions` (N,), such as the class
    that is explained and its probability. Returns Axes (N, 1 + K)."""
    images = np.asarray(images)
    if any(len(part) != len(images) for part in maps.values()) or len(captions) != len(images):
        raise OptionError(f"maps, captions: give one for each of the {len(images)} images.")
    columns = 1 + len(maps)
    tile = 1.4 * TILE
    captions = [fill(caption.replace("> ", ">\N{NO-BREAK SPACE}"), ACROSS) for caption in shown(captions, longest=80)]
    lines = 1 + max(caption.count("\n") for caption in captions)
    height = tile + 0.12 + 0.13 * lines
    axes = blanks(len(images), columns, (columns * tile + 0.2, len(images) * height + 0.5), figure)
    size = fitting("\n".join(captions), tile, size=8)
    for row, (cells, caption) in enumerate(zip(axes, captions)):
        show(cells[0], images[row])
        cells[0].set_title(caption, fontsize=size, pad=3)
        for ax, (kind, part) in zip(cells[1:], maps.items()):
            over(ax, images[row], part[row])
            reach = np.abs(part[row]).max()
            text = f"{kind} (full colour {reach:.2g})" if reach else f"{kind}: nothing"
            ax.set_title(text, fontsize=fitting(text, tile, size=8), pad=3, color=GREY)
    axes[0, 0].figure.suptitle(f"{title}: orange speaks for the class, blue against\n"
                               "(left: class and its probability; full colour: occlusion's is the fall of it)",
                               x=0.01, ha="left", fontsize=10)
    return axes
