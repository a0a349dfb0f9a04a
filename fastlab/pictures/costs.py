"""What each layer costs, and what it would cost if it were fully connected."""
import numpy as np

from fastlab.pictures.fonts import shown
from fastlab.pictures.style import BLUE, GREY, INK, ORANGE, blank, blanks, picture


def amount(value):
    "A large number in few characters: 950, 12.3 k, 4.56 M, 1.2 G."
    for limit, mark in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{mark}"
    return f"{value:.3g}"


@picture
def layers(names, quantities, spans=None, figure=None, title="Cost of each layer, one image"):
    """Bars of every layer, a panel for each quantity: `names` (L,); `quantities`, a dict from a name with its unit, as
    'time (ms)', to (L,); `spans`, a dict from some of these to the quartiles (low, high), each (L,), drawn as
    lines. The share of the total stands at bars of 5 % or more. Returns an array of Axes."""
    height = 0.22 * len(names) + 1.1
    axes = blanks(1, len(quantities), (1.3 + 2.5 * len(quantities), height), figure, sharey=True)[0]
    places = np.arange(len(names))
    for ax, (quantity, values) in zip(axes, quantities.items()):
        values = np.asarray(values, float)
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(True, axis="x")
        ax.barh(places, values, color=BLUE, height=0.7)
        low, high = (spans or {}).get(quantity, (values, values))
        ends = np.maximum(values, high)
        if quantity in (spans or {}):
            ax.hlines(places, low, high, color=INK, linewidth=1)
        shares = 100 * values / (values.sum() or 1)
        for place in np.flatnonzero(shares >= 5):
            ax.text(ends[place], place, f" {shares[place]:.0f} %", va="center", fontsize=7, color=GREY)
        ax.xaxis.set_major_formatter(lambda value, _: amount(value))
        ax.locator_params(axis="x", nbins=4)
        ax.margins(x=0.16)
        ax.set_xlim(left=0)
        quartiles = "; lines: quartiles" if quantity in (spans or {}) else ""
        ax.set(xlabel=f"{quantity}\ntotal {amount(values.sum())}{quartiles}")
    axes[0].set_yticks(places, shown(names))
    axes[0].set_ylim(len(names) - 0.4, -0.6)
    axes[0].figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return axes


@picture
def prior(names, shared, unshared, dense, ax=None):
    """Parameters of each layer with weights, (L,) each: `shared`, as convolution has them; `unshared`, if every place
    had its own kernel; `dense`, if it were fully connected. What lies between is the prior that convolution puts on a
    fully connected network."""
    places = np.arange(len(names))
    ax = blank(ax, (6.4, 0.34 * len(names) + 1.4), grid="x")
    ax.hlines(places, shared, dense, color=GREY, linewidth=1)
    for values, marker, colour, label in ((shared, "o", BLUE, "shared: convolution"),
                                          (unshared, "D", GREY, "a kernel for every place"),
                                          (dense, "s", ORANGE, "fully connected")):
        ax.plot(values, places, marker, color=colour, markersize=6, label=label)
    for place, few, many in zip(places, shared, dense):
        saved = f"÷ {many / few:,.0f}" if few else "–"
        ax.text(1.01, place, saved, transform=ax.get_yaxis_transform(), va="center", fontsize=8)
    ax.set_yticks(places, shown(names))
    ax.set(title="Parameters that sparse and shared connections save", xlabel="parameters (logarithmic)", xscale="log",
           ylim=(len(names) - 0.4, -0.6))
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1.0), ncols=3, columnspacing=1, handletextpad=0.3)
    ax.set_title(ax.get_title(loc="left"), pad=24)
    return ax
