"""Does the answer stay when the image moves, turns, grows or gets noisy?"""
import numpy as np

from fastlab.pictures.fonts import shown
from fastlab.pictures.style import BLUE, COLOURS, DASHES, GREY, ORANGE, blank, blanks, counted, percent, picture
from fastlab.training.figures import wilson

UNITS = {"shift": "shift (pixels)", "rotation": "rotation (degrees)", "scale": "scale (factor)",
         "noise": "noise (share of the images' span)"}
MARKERS = "osD^vP"


@picture
def answers(amounts, shares, n, ax=None, kind="shift", quantity="same answer (%)", title=None):
    """Share of images whose answer stays under each amount of a change: `amounts` (A,); `shares`, a dict from labels,
    such as 'with pooling', to (A,) fractions of `n` answers; bands: 95 % Wilson intervals."""
    amounts = np.asarray(amounts, float)
    ax = blank(ax, (5.6, 3.6))
    for place, (label, row) in enumerate(shares.items()):
        row = np.asarray(row, float)
        colour = COLOURS[place % len(COLOURS)]
        limits = np.array([wilson(share * n, n) for share in row])
        ax.fill_between(amounts, *limits.T, color=colour, alpha=0.15, linewidth=0)
        ax.plot(amounts, row, MARKERS[place % len(MARKERS)], linestyle=DASHES[place % len(DASHES)], color=colour,
                markersize=4, label=label)
    ax.set(title=counted(title or f"The answer under {kind}", n, "answers"), xlabel=UNITS.get(kind, kind),
           ylabel=quantity, ylim=(None, 1.01))
    if len(amounts) <= 13:
        ax.set_xticks(amounts)
    percent(ax.yaxis)
    if len(shares) > 1:
        ax.legend()
    return ax


@picture
def panels(kinds, n, figure=None):
    """`answers` of one network under several kinds of change, side by side: `kinds`, a dict from 'rotation', 'scale' …
    to (amounts (A,), shares (A,)), all of `n` answers. Returns an array of Axes."""
    axes = blanks(1, len(kinds), (3.4 * len(kinds), 3.1), figure, sharey=True)[0]
    for ax, (kind, (amounts, shares)) in zip(axes, kinds.items()):
        answers(amounts, {"_one": shares}, n, ax=ax, kind=kind, title=f"Under {kind}")
        ax.set_xticks(apart(list(amounts)))
    for ax in axes[1:]:
        ax.set_ylabel("")
    return axes


def apart(amounts, least=0.105):
    "Those of the amounts, beginning with the ends, that stand at least a share `least` of the span from each other."
    span, kept = amounts[-1] - amounts[0], []
    for amount in (amounts[0], amounts[-1], *sorted(amounts, key=lambda amount: -abs(amount))):
        if all(abs(amount - other) >= least * span for other in kept):
            kept.append(amount)
    return sorted(kept)


@picture
def steps(changes, names, n, pools=(), ax=None, title="Change of maps when the image moves by 1 pixel"):
    """How much each step's maps change when the image does: `changes` (L,) relative to how unlike images are, `names`
    (L,); steps in `pools` have a bar of their own colour, so that one sees what pooling does; nan is a dash. `n`
    images."""
    names = [str(name) for name in names]
    ax = blank(ax, (6.4, 0.24 * len(names) + 1.2), grid="x")
    colours = [ORANGE if name in pools else BLUE for name in names]
    ax.barh(range(len(names)), changes, color=colours, height=0.72)
    for place, change in enumerate(changes):
        known = np.isfinite(change)
        ax.text(change if known else 0, place, f" {change:.2f}" if known else " –", va="center", fontsize=7, color=GREY)
    labels = [f"{label} (pooling)" if name in pools else label for name, label in zip(names, shown(names))]
    ax.set_yticks(range(len(names)), labels)
    ax.set(title=counted(title, n), xlabel="change (1: as unlike as two images)", ylim=(len(names) - 0.4, -0.6))
    ax.margins(x=0.1)
    return ax
