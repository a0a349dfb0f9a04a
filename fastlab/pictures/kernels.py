"""Kernels of a convolution, side by side."""
import numpy as np

from fastlab.errors import OptionError
from fastlab.pictures.style import blank, picture
from fastlab.pictures.tiles import bare, montage

SIGNED = "RdBu_r"      # blue below zero, red above, white at zero; told apart by all common kinds of colour blindness


@picture
def first_layer(weights, ax=None, title=None, columns=None):
    """The kernels of a first convolution: `weights` (K, C, h, w). One input channel: red above zero, blue below, all
    on one scale, so that strong kernels look strong. Three: as colours, each kernel stretched to its own range."""
    weights = np.asarray(weights, float)
    if weights.ndim != 4 or weights.shape[1] not in (1, 3):
        raise OptionError(f"weights: shape {weights.shape}; give (kernels, 1 or 3 input channels, height, width).")
    count, channels, height, width = weights.shape
    columns = columns or min(count, 16 if count > 32 else 8)
    rows = -(-count // columns)
    ax = blank(ax, (max(3, columns * 0.55 + (1.2 if channels == 1 else 0.1)), max(1.2, rows * 0.55 + 0.35)), grid=None)
    if channels == 3:
        parts = [montage(_stretched(weights)[:, channel], columns, fill=1)[0] for channel in range(3)]
        ax.imshow(np.stack(parts, axis=-1))
    else:
        reach = np.abs(weights).max() or 1
        image = ax.imshow(montage(weights[:, 0], columns)[0], cmap=SIGNED, vmin=-reach, vmax=reach)
        ax.figure.colorbar(image, ax=ax, fraction=0.05, aspect=9 * rows, pad=0.02, label="weight")
    bare(ax)
    ax.spines[:].set_visible(False)
    ax.set_title(title or f"{count} kernel{'s' * (count != 1)} of the first layer, {height}×{width}")
    return ax


def _stretched(weights):
    "Each kernel (C, h, w) stretched so that it runs from 0 to 1 over all its colours."
    low = weights.min(axis=(1, 2, 3), keepdims=True)
    span = weights.max(axis=(1, 2, 3), keepdims=True) - low
    return (weights - low) / np.where(span > 0, span, 1)
