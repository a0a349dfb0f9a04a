"""The maps of one image through all layers: what each step of the network makes of it."""
import math

import numpy as np

from fastlab.pictures.fonts import shown
from fastlab.pictures.kernels import SIGNED
from fastlab.pictures.style import GREY, blanks, picture
from fastlab.pictures.tiles import bare, montage, show, width

ACROSS = 16        # maps in one row
WIDE = 7.4         # inches that a row takes
INK = "gray_r"     # 0 is white paper, the strongest answer is black


def _scaled(values):
    "The options of imshow for one layer: 0 white to black, or blue, white, red where there are values below zero."
    reach = float(np.nanmax(np.abs(values))) or 1.0
    return {"cmap": SIGNED, "vmin": -reach, "vmax": reach} if np.nanmin(values) < 0 else \
        {"cmap": INK, "vmin": 0, "vmax": reach}


def strip(values, most=2 * ACROSS):
    "A layer's maps (M, H, W) as one array, at most `most` of them, ACROSS a row; units (U,) as one row of cells."
    values = np.asarray(values, float)
    if values.ndim == 3:
        return montage(values[:most], min(ACROSS, len(values)))[0]
    across = len(values) if len(values) <= 128 else 128
    rows = math.ceil(len(values) / across)
    return np.pad(values, (0, rows * across - len(values)), constant_values=np.nan).reshape(rows, across)


@picture
def through(image, maps, names=None, figure=None, most=2 * ACROSS, title="One image through all layers"):
    """The image and, below it, a strip of maps for every step: `maps` is a dict from step names to (M, H, W), or
    (U,) after flattening, in the network's order; at most `most` maps of a step are shown. Every step has a scale of
    its own: white is 0, black the strongest answer; where there are values below 0, red is above and blue below.

    `names`: class names, where the last step holds one score a class. Returns an array of Axes, the image's first."""
    strips = [strip(values, most) for values in maps.values()]
    heights = [0.8, *(WIDE * part.shape[0] / part.shape[1] if np.ndim(values) == 3 else 0.16 + 0.06 * len(part)
                      for values, part in zip(maps.values(), strips))]
    labels = shown(names) if names is not None and len(names) == strips[-1].shape[1] else []
    size = 7 if len(labels) <= 30 else 4
    room = width("\n".join(labels), size)
    upright = bool(labels) and room > 0.95 * WIDE / len(labels)
    axes = blanks(len(heights), 1, (WIDE + 1.1, sum(heights) + 0.06 * len(heights) + 0.4 + upright * room), figure,
                  height_ratios=heights)[:, 0]
    show(axes[0], image)
    axes[0].set_anchor("W")
    _said(axes[0], "image\n" + "×".join(map(str, np.shape(image)[:2])))
    for ax, (step, values), part in zip(axes[1:], maps.items(), strips):
        ax.imshow(part, aspect="equal" if np.ndim(values) == 3 else "auto", **_scaled(part))
        ax.set_anchor("W")
        bare(ax).spines[:].set_visible(np.ndim(values) == 1)
        kept = f"\n{most} shown" if np.ndim(values) == 3 and len(values) > most else ""
        _said(ax, f"{step}\n{'×'.join(map(str, np.shape(values)))}{kept}")
    if labels:
        axes[-1].set_xticks(range(len(labels)), labels, fontsize=size, rotation=90 if upright else 0)
    axes[0].set_title(f"{title} (red above 0, blue below; grey where none is below)")
    return axes


def _said(ax, text):
    "A step's name and shape, to the left of its strip."
    ax.set_ylabel(text, rotation=0, ha="right", va="center", fontsize=7, color=GREY, labelpad=6)
