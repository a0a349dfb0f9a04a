"""Layers over time: exact zeros, dead units, sizes of weights, and how activations are spread.

`times` (E,) says when each figure was taken, in `unit`; None: after each epoch."""
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator

from fastlab.pictures.curves import several
from fastlab.pictures.style import blank, counted, percent, picture, plain_log


@picture
def zeros(shares, ax=None, label=None, unit="epochs", title="Weights that are exactly 0", times=None):
    "Share of weights that are exactly 0 by epoch; `shares`: fractions, laid out as in `curves.accuracy`."
    ax = several(shares, ax, label, unit, title, "share of weights (%)", times=times)
    percent(ax.yaxis)
    _from_zero(ax)
    return ax


def _from_zero(ax):
    "The axis from a little below 0, so that a line at 0 is seen."
    top = max(ax.get_ylim()[1], 0.01)
    ax.set_ylim(-0.02 * top, top)


@picture
def dead(shares, ax=None, n=None, unit="epochs", title="Dead ReLUs: units that answer 0 to every image", times=None):
    "Share of units that are 0 for all of `n` images, by epoch; `shares`: dict from layers to (E,) or (R, E) fractions."
    ax = several(shares, ax, None, unit, counted(title, n) if n else title, "share of units (%)", times=times)
    percent(ax.yaxis)
    _from_zero(ax)
    return ax


@picture
def sizes(values, ax=None, quantity="norm of the weights", unit="epochs", title="Weights over time", log=False,
          times=None):
    "One figure of each layer by epoch, such as its weights' norm; `values`: dict from layers to (E,) or (R, E)."
    ax = several(values, ax, None, unit, title, quantity, times=times)
    ax.set_yscale("log" if log else "linear")
    if log:
        plain_log(ax.yaxis)
        ax.set_ylabel(f"{quantity} (logarithmic)")
    return ax


@picture
def histogram(counts, edges, ax=None, unit="epochs", quantity="activation", title="Activations over time", n=None,
              times=None):
    """How values are spread, epoch by epoch: `counts` (E, B) in bins with `edges` (B + 1,), as the share of the epoch's
    values, dark where they are many. White: no value there at all. `n`: images that they are of."""
    counts = np.asarray(counts, float)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax = blank(ax, grid=None)
    least = shares[shares > 0].min() if shares.any() else 0.1
    columns = borders(np.arange(1, len(counts) + 1) if times is None else times)
    image = ax.pcolormesh(columns, edges, np.ma.masked_equal(shares.T, 0), cmap="Blues",
                          norm=LogNorm(max(least / 3, 1e-4), max(shares.max(), least)))
    bar = ax.figure.colorbar(image, ax=ax, label="share of values (%)", pad=0.02)
    plain_log(bar.ax.yaxis)
    ax.set(title=counted(title, n) if n else title, xlabel=f"time ({unit})", ylabel=quantity)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return ax


def borders(times):
    "Where the columns of marks at `times` (E,) begin and end (E + 1,): in the middle between neighbours."
    times = np.asarray(times, float)
    gaps = np.diff(times) / 2 if len(times) > 1 else np.array([0.5])
    return np.concatenate([[times[0] - gaps[0]], times[:-1] + np.diff(times) / 2, [times[-1] + gaps[-1]]])
