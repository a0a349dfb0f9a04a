"""Layers over time: exact zeros, dead units, sizes of weights, and how activations are spread."""
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator

from fastlab.pictures.curves import several
from fastlab.pictures.style import blank, counted, percent, picture


@picture
def zeros(shares, ax=None, label=None, unit="epochs", title="Weights that are exactly 0"):
    "Share of weights that are exactly 0 by epoch; `shares`: fractions, laid out as in `curves.accuracy`."
    ax = several(shares, ax, label, unit, title, "share of weights (%)")
    percent(ax.yaxis)
    _from_zero(ax)
    return ax


def _from_zero(ax):
    "The axis from a little below 0, so that a line at 0 is seen."
    top = max(ax.get_ylim()[1], 0.01)
    ax.set_ylim(-0.02 * top, top)


@picture
def dead(shares, ax=None, n=None, unit="epochs", title="Dead ReLUs: units that answer 0 to every image"):
    "Share of units that are 0 for all of `n` images, by epoch; `shares`: dict from layers to (E,) or (R, E) fractions."
    ax = several(shares, ax, None, unit, counted(title, n) if n else title, "share of units (%)")
    percent(ax.yaxis)
    _from_zero(ax)
    return ax


@picture
def sizes(values, ax=None, quantity="norm of the weights", unit="epochs", title="Weights over time", log=False):
    "One figure of each layer by epoch, such as its weights' norm; `values`: dict from layers to (E,) or (R, E)."
    ax = several(values, ax, None, unit, title, quantity)
    ax.set_yscale("log" if log else "linear")
    return ax


@picture
def histogram(counts, edges, ax=None, unit="epochs", quantity="activation", title="Activations over time"):
    """How values are spread, epoch by epoch: `counts` (E, B) in bins with `edges` (B + 1,), as the share of the epoch's
    values, dark where they are many. White: no value there at all."""
    counts = np.asarray(counts, float)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax = blank(ax, grid=None)
    least = shares[shares > 0].min() if shares.any() else 0.1
    image = ax.pcolormesh(np.arange(len(counts) + 1) + 0.5, edges, np.ma.masked_equal(shares.T, 0), cmap="Blues",
                          norm=LogNorm(max(least / 3, 1e-4), max(shares.max(), least)))
    ax.figure.colorbar(image, ax=ax, label="share of values (%)", pad=0.02)
    ax.set(title=title, xlabel=f"time ({unit})", ylabel=quantity)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return ax
