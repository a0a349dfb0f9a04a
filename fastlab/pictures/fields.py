"""Receptive fields drawn on an image: what a unit could see, and where it really looks."""
import numpy as np
from matplotlib.patches import Rectangle

from fastlab.pictures.fonts import shown
from fastlab.pictures.heat import over, pale
from fastlab.pictures.style import COLOURS, DASHES, GREY, INK, blank, blanks, counted, picture
from fastlab.pictures.tiles import TILE, bare


def frame(ax, box, **look):
    "Draws the border of `box` (top, left, bottom, right; bottom and right outside) around its pixels."
    top, left, bottom, right = box
    ax.add_patch(Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, fill=False, **look))


@picture
def theoretical(image, boxes, names, ax=None, title="Receptive field of the middle unit of each layer"):
    """The receptive field of one unit of every layer as nested frames on an image: `boxes` (L, 4) as top, left, bottom,
    right in pixels (bottom and right outside; they may reach past the image), `names` (L,). Layers that see the same
    are named together."""
    boxes, image = np.asarray(boxes, float), np.asarray(image)
    together = {}
    for box, name in zip(boxes, shown(names, longest=40)):
        together.setdefault(tuple(box), []).append(name)
    legend = max(len(f"{box[2] - box[0]:g}×{box[3] - box[1]:g}  {', '.join(who)}") for box, who in together.items())
    ax = blank(ax, (4.8 + 0.075 * legend, 4.2), grid=None)
    ax.imshow(pale(image), cmap="gray", vmin=0, vmax=1)
    bare(ax)
    frame(ax, (0, 0, *image.shape[:2]), edgecolor=GREY, linewidth=0.6, label="_image")
    for place, (box, who) in enumerate(together.items()):
        height, width = box[2] - box[0], box[3] - box[1]
        dash = DASHES[(place + place // len(COLOURS)) % len(DASHES)]    # a colour that returns has another dash
        frame(ax, box, edgecolor=COLOURS[place % len(COLOURS)], linewidth=2, linestyle=dash,
              label=f"{height:g}×{width:g}  {', '.join(who)}")
    pad = 0.02 * max(image.shape[:2])
    top, left = np.minimum(boxes[:, :2].min(axis=0), 0) - 0.5 - pad
    bottom, right = np.maximum(boxes[:, 2:].max(axis=0), image.shape[:2]) - 0.5 + pad
    ax.set(xlim=(left, right), ylim=(bottom, top), title=title)
    ax.spines[:].set_visible(False)
    ax.set_anchor("W")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), handlelength=3)
    return ax


@picture
def effective(image, maps, boxes, sizes, n=None, figure=None):
    """For each layer, where its middle unit really looks, over the image: `maps` is a dict from names to (H, W) root
    mean square gradients, 1 at their greatest; the frame is the receptive field in theory, `boxes` a dict from names to
    (top, left, bottom, right); `sizes`, a dict from names to the effective side in pixels. Returns an array of Axes."""
    columns = min(6, len(maps))
    rows = -(-len(maps) // columns)
    axes = blanks(rows, columns, (columns * 1.25 * TILE + 0.1, rows * (1.25 * TILE + 0.36) + 0.4), figure).ravel()
    height, width = np.shape(image)[:2]
    for ax, (name, heat) in zip(axes, maps.items()):
        over(ax, image, heat, reach=1.0)
        top, left, bottom, right = boxes[name]
        frame(ax, (max(top, 0), max(left, 0), min(bottom, height), min(right, width)), edgecolor=INK, linewidth=1.2,
              linestyle="--", clip_on=False)
        ax.set_title(f"{shown([name])[0]}\n{bottom - top:g}×{right - left:g}, effective {sizes[name]:.1f}", fontsize=7,
                     pad=3)
    for ax in axes[len(maps):]:
        ax.set_axis_off()
    title = "Where the middle unit looks (colour)\nwithin its receptive field (frame), in pixels"
    axes[0].figure.suptitle(counted(title, n) if n else title, x=0.01, ha="left", fontsize=10)
    return axes[:len(maps)]
