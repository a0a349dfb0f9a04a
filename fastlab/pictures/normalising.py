"""What normalisation does, layer by layer: BatchNorm's means, variances and gradients; LRN's neighbouring channels."""
import numpy as np

from fastlab.pictures.fonts import shown
from fastlab.pictures.style import BLUE, COLOURS, GREY, ORANGE, blank, blanks, counted, percent, picture, plain_log

MARKERS = "osD^vP"
PITCH = 0.14        # inches between the names of layers, at least: of many, some are named


@picture
def profile(values, names, ax=None, quantity="mean", title=None, log=False):
    """One figure of every layer, first to last, of one network or several: `values` is a dict from labels to (L,),
    `names` (L,) the layers. Layers that a network lacks are nan and passed over."""
    ax = blank(ax, (max(4, 0.5 * len(names) + 1.5), 3.6))
    log = log and any((np.asarray(row, float) > 0).any() for row in values.values())     # zeros have no logarithm
    for place, (label, row) in enumerate(values.items()):
        row = np.asarray(row, float)
        some = np.flatnonzero(np.isfinite(row))
        ax.plot(some, row[some], MARKERS[place % len(MARKERS)] + "-",
                color=COLOURS[place % len(COLOURS)], linewidth=1, label=label)
    every = -(-len(names) // int(max(1, ax.bbox.width / ax.figure.dpi / PITCH)))
    places, names = range(0, len(names), every), shown(names)[::every]
    level = max(map(len, names)) * len(names) < 50
    ax.set_xticks(places, names, rotation=0 if level else 60, ha="center" if level else "right",
                  rotation_mode="anchor")
    ax.set(title=title or quantity.capitalize(), ylabel=quantity, yscale="log" if log else "linear",
           xlabel="layer, first to last")
    if log:
        plain_log(ax.yaxis)
    ax.margins(x=0.04)
    if len(values) > 1:
        ax.legend()
    return ax


@picture
def normalised(means, variances, gradients, names, n=None, figure=None):
    """What BatchNorm does: mean and variance of each layer's inputs, and the norm of its gradient, with and without it.
    Each argument: dict from a network's label to (L,); `n` images, one count or three. Returns three Axes."""
    titles = [name if n is None else counted(name, count) for name, count in
              zip(("Mean", "Variance", "Gradient"), np.broadcast_to(0 if n is None else n, 3))]
    axes = blanks(1, 3, (11, 3.6), figure)[0]
    profile(means, names, ax=axes[0], quantity="mean", title=titles[0])
    axes[0].axhline(0, color="#999999", linewidth=0.8, zorder=0)
    profile(variances, names, ax=axes[1], quantity="variance (logarithmic)", title=titles[1],
            log=True)
    axes[1].axhline(1, color="#999999", linewidth=0.8, zorder=0)
    profile(gradients, names, ax=axes[2], quantity="gradient norm (logarithmic)", title=titles[2],
            log=True)
    for ax in axes[1:]:
        if ax.get_legend():     # the first panel's says it for all
            ax.get_legend().remove()
    return axes


@picture
def contrast(before, after, labels, n=None, ax=None):
    """LRN: contrast between neighbouring channels, |a − b| / (|a| + |b|), `before` (L,) and `after` it (L,), a row for
    each of `labels`, such as a layer with the paper's constants; `n` images. 0: neighbours alike; 1: one alone."""
    before, after = np.asarray(before, float), np.asarray(after, float)
    places = np.arange(len(labels))
    ax = blank(ax, (6.4, 0.4 * len(labels) + 1.4), grid="x")
    ax.hlines(places, before, after, color=GREY, linewidth=1.2)
    ax.plot(before, places, "o", color="white", markeredgecolor=BLUE, markersize=7, label="before")
    ax.plot(after, places, "D", color=ORANGE, markersize=4.5, label="after")
    for place, low, high in zip(places, before, after):
        moved = f"{high - low:+.4f}".replace("-", "−")
        ax.text(1.01, place, moved if moved.strip("+−0.") else "0.0000", transform=ax.get_yaxis_transform(),
                va="center", fontsize=7.5)
    ax.annotate("change", (1.01, 0), (0, -11), ax.transAxes, textcoords="offset points", fontsize=7.5, color=GREY)
    ax.set_yticks(places, shown(labels, longest=40))
    title = "LRN: contrast between neighbouring channels"
    ax.set(title=counted(title, n) if n else title, xlabel="mean contrast (0 alike, 1 one alone)",
           ylim=(len(labels) - 0.5, -0.5))
    ax.margins(x=0.08)
    ax.legend(loc="best")
    return ax


@picture
def lrn(effects, labels, n=None, figure=None):
    """What LRN does, in per cent on logarithmic axes, a panel for each of `effects`: dict from a quantity, such as
    'damping' or 'unlike', to fractions (L,), a row for each of `labels`; `n` images. Returns an array of Axes."""
    places = np.arange(len(labels))
    axes = blanks(1, len(effects), (1.6 + 2.3 * len(effects), 0.34 * len(labels) + 1.2), figure, sharey=True)[0]
    for ax, (quantity, values) in zip(axes, effects.items()):
        values = np.asarray(values, float)
        blank(ax, grid="x")
        ax.plot(values, places, "o", color=BLUE)
        for place, value in zip(places, values):
            ax.annotate(f"{100 * value:.2g}", (value, place), (5, 4), textcoords="offset points", fontsize=7,
                        color=GREY)
        middle, reach = np.sqrt(values.min() * values.max()), (values.max() / values.min()) ** 0.8
        ax.set(xscale="log", xlabel=f"{quantity} (%)", xlim=(middle / max(reach, 4), middle * max(reach, 4)))
        percent(ax.xaxis)
    axes[0].set_yticks(places, shown(labels, longest=40))
    axes[0].set_ylim(len(labels) - 0.5, -0.6)
    title = "What LRN does to the maps, logarithmic"
    axes[0].figure.suptitle(counted(title, n) if n else title, x=0.01, ha="left", fontsize=10)
    return axes
