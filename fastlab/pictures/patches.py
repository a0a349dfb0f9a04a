"""The patches of images that each unit of a layer answers to most."""
import numpy as np

from fastlab.pictures.style import blanks, counted, picture
from fastlab.pictures.tiles import bare, montage

CELL = 0.42      # inches of a patch: a column of nine fits half a page
GAP = (0xB8 / 255, 0xC4 / 255, 0xCE / 255)      # between patches, so that white ones end somewhere


def laid(patches):
    "Patches (U, K, h, w) or (U, K, h, w, 3) as one array: a unit a row, its best patch first."
    patches = np.asarray(patches, float)
    units, count = patches.shape[:2]
    colours = patches[..., None] if patches.ndim == 4 else patches
    flat = colours.reshape(units * count, *colours.shape[2:])
    if patches.ndim == 4:
        return montage(flat[..., 0], count, fill=np.nan)[0]
    return np.stack([montage(flat[..., channel], count, fill=GAP[channel])[0] for channel in range(3)], axis=-1)


@picture
def best(patches, layer, n=None, units=None, figure=None, rows=16, most=32, seen=None):
    """For every unit a row of the patches that it answers to most, best first, cut at its receptive field.

    `patches` (U, K, h, w) or (U, K, h, w, 3), values from 0 to 1; `layer`: its name; `n`: images looked through;
    `units`: the units' numbers, 0 … U − 1 when None. `rows` units stand in a column; the first `most`
    are shown; `seen`: what a patch shows, in words, where it is drawn in fewer pixels than it was cut in. Returns an
    array of Axes, a column each."""
    patches = np.clip(np.asarray(patches, float), 0, 1)
    units = np.arange(len(patches)) if units is None else np.asarray(units)
    count, (height, width), all_units = patches.shape[1], patches.shape[2:4], len(patches)
    patches = patches[:most]
    starts = range(0, len(patches), rows)
    size = (len(starts) * (count * CELL * width / height + 0.5) + 0.1, min(rows, len(patches)) * CELL + 0.5)
    axes = blanks(1, len(starts), size, figure)[0]
    for ax, start in zip(axes, starts):
        part = patches[start:start + rows]
        image = laid(part)
        ax.imshow(image, **({"cmap": "gray", "vmin": 0, "vmax": 1} if image.ndim == 2 else {}))
        bare(ax).spines[:].set_visible(False)
        ax.set_anchor("N")
        ax.set_yticks(np.arange(len(part)) * (height + 1) + (height - 1) / 2, units[start:start + rows], fontsize=7)
        ax.tick_params(length=0)
        ax.set_facecolor(GAP)
    axes[0].set_ylabel("unit")
    some = f"{len(patches)} of {all_units} units" if len(patches) < all_units else "each unit"
    title = f"{layer}: what {some} answer{'s' * (some == 'each unit')} to most,"
    title += f"{' ' if len(starts) > 1 else chr(10)}{seen or f'{height}×{width} pixels'}"
    axes[0].figure.suptitle(counted(title, n) if n else title, x=0.01, ha="left", fontsize=10)
    return axes
