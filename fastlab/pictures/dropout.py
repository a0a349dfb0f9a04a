"""Dropout left on: how answers spread, and how large updates are with it and without."""
import numpy as np
from matplotlib.ticker import MaxNLocator

from fastlab.pictures.style import BLUE, GREY, INK, ORANGE, blank, counted, percent, picture

MOST = 80      # images that one picture can tell apart


@picture
def spread(still, mean, deviation, changed, draws, ax=None):
    """Probability of the answer, image by image, the least sure first: with dropout off (`still`, a dash) and over
    `draws` passes with it left on (`mean`, a point, ± one standard `deviation`, cut at 0 and 100 %), all (N,); orange
    where some pass gave another class (`changed`, share of passes, (N,)). Of more than MOST images, MOST are shown,
    evenly spaced."""
    still, mean, deviation, changed = (np.asarray(row, float) for row in (still, mean, deviation, changed))
    order = np.argsort(still, kind="stable")
    if len(order) > MOST:
        order = order[np.linspace(0, len(order) - 1, MOST).round().astype(int)]
    places = np.arange(len(order))
    ax = blank(ax, (7.2, 3.6))
    for some, colour, marker, label in ((changed[order] > 0, ORANGE, "D", "dropout on: class changes in some passes"),
                                        (changed[order] == 0, BLUE, "o", "dropout on: class stays")):
        middle, reach = mean[order][some], deviation[order][some]
        reach = [np.minimum(reach, middle), np.clip(1 - middle, 0, reach)]
        ax.errorbar(places[some], middle, reach, fmt=marker, color=colour, markersize=3, elinewidth=0.9, label=label)
    ax.plot(places, still[order], "_", color=INK, markersize=6, label="dropout off")
    ax.set(title=counted(f"Dropout left on: mean ± deviation of {draws} passes", len(still)),
           xlabel=f"image, least sure first ({len(order)} shown); "
                  f"{100 * changed.mean():.1f} % of all passes change class",
           ylabel="probability of the answer (%)", ylim=(-0.02, 1.05), xticks=[])
    percent(ax.yaxis)
    ax.legend(loc="lower right")
    return ax


@picture
def updates(sizes, ax=None, quantity="norm of the update", title="Size of updates with dropout on and off"):
    "Size of each update, step by step: `sizes`, a dict from labels to (S,), on the same batches from the same weights."
    ax = blank(ax, (5.6, 3.4))
    for (label, row), colour, dash in zip(sizes.items(), (ORANGE, BLUE, GREY), ("-", "--", ":")):
        ax.plot(np.arange(1, len(row) + 1), row, color=colour, linestyle=dash, marker="o", markersize=3,
                label=f"{label}: mean {np.mean(row):.3g}")
    steps = len(next(iter(sizes.values())))
    ax.set(title=counted(title, steps, "steps"), xlabel="time (steps)", ylabel=quantity)
    ax.set_ylim(0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.legend()
    return ax
