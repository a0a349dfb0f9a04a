"""What a look at each file by itself, against the others' usual, says: unreadable, format, size, empty."""
import numpy as np

from fastlab.check.findings import Finding
from fastlab.check.listing import BAD_FILE
from fastlab.check.looking import FAR

FLAT_RANGE = 8              # grey values; an image whose range is smaller shows nothing
ALMOST_EMPTY = 0.004        # share of pixels that show something: 3 of 28 × 28
TINY = 8                    # pixels; no network can make anything of a shorter side
LONG_SHAPE = 4.0            # long side over short side
LARGE = 16.0                # times more or fewer pixels than the folder's median image
USUAL_SIZE = 0.9            # share of images of one size, from which another size is told
DARK, LIGHT = 96, 160       # a ground below or above this is dark or light
USUAL_GROUND = 0.9          # share of grounds that are alike, from which another one is called inverted
SCALED = "scaled and cut to the size of the others"
USED = "used as it is; look at it"


def single_findings(scan):
    "Findings on files by themselves, in the files' order."
    return [*_unreadable(scan), *_formats(scan), *_sizes(scan), *_empty(scan), *_inverted(scan)]


def _names(scan, rows):
    return tuple(scan.listing.files[row] for row in rows)


def _unreadable(scan):
    for row, reason in sorted(scan.reasons.items()):
        yield Finding("unreadable", _names(scan, [row]), reason, BAD_FILE)


def _formats(scan):
    for (reason, action), rows in scan.facts.items():
        rows = [row for row in rows if row not in scan.reasons]
        if rows:
            yield Finding("format", _names(scan, rows), reason, action)


def _sizes(scan):
    "Extreme sizes one by one; those that merely differ from the usual size together."
    rows = scan.readable
    if not len(rows):
        return
    width, height = scan.figures["width"][rows].astype(np.int64), scan.figures["height"][rows].astype(np.int64)
    short, pixels = np.minimum(width, height), width * height
    shape, usual = np.maximum(width, height) / short, float(np.median(pixels))
    tests = ((short < TINY, f"its short side has fewer than {TINY} pixels"),
             (shape > LONG_SHAPE * max(1.0, float(np.median(shape))), "a very long shape"),
             (pixels > LARGE * usual, f"over {LARGE:.0f} times as many pixels as the median image"),
             (pixels * LARGE < usual, f"less than a {LARGE:.0f}th of the median image's pixels"))
    told = np.zeros(len(rows), bool)
    for extreme, reason in tests:
        for place in np.flatnonzero(extreme & ~told):
            yield Finding("size", _names(scan, rows[[place]]), f"{width[place]}×{height[place]} pixels: {reason}",
                          SCALED)
        told |= extreme
    yield from _unusual_size(scan, rows[~told], width[~told], height[~told])


def _unusual_size(scan, rows, width, height):
    sizes, of, counts = np.unique(np.stack([width, height]), axis=1, return_inverse=True, return_counts=True)
    if len(rows) < 10 or counts.max() < USUAL_SIZE * len(rows):
        return
    odd = np.flatnonzero(of.reshape(-1) != counts.argmax())
    if len(odd):
        usual = "×".join(map(str, sizes[:, counts.argmax()]))
        shown = ", ".join(dict.fromkeys(f"{width[place]}×{height[place]}" for place in odd[:6]))
        yield Finding("size", _names(scan, rows[odd]), f"{shown} pixels where the others have {usual}", SCALED)


def _empty(scan):
    rows, figures = scan.readable, scan.figures
    spread = figures["high"][rows].astype(int) - figures["low"][rows]
    for row in rows[spread < FLAT_RANGE]:
        grey = (int(figures["low"][row]) + int(figures["high"][row])) // 2
        yield Finding("empty", _names(scan, [row]), f"one flat grey of {grey}: nothing is on it", USED)
    faint = (spread >= FLAT_RANGE) & (figures["shows"][rows] < ALMOST_EMPTY)
    for row in rows[faint]:
        share = figures["shows"][row] * 100
        yield Finding("empty", _names(scan, [row]), f"almost empty: {share:.2f} % of its pixels stand out from the "
                      f"ground by more than {FAR} grey values", USED)


def _inverted(scan):
    "Images whose plain ground is dark where nearly all others' is light, or the other way round."
    rows, figures = scan.readable, scan.figures
    rows = rows[_plain(scan, rows) & (figures["high"][rows].astype(int) - figures["low"][rows] >= FLAT_RANGE)]
    ground = figures["ground"][rows]
    dark, light = rows[ground < DARK], rows[ground > LIGHT]
    if len(rows) < max(10, 0.5 * len(scan.readable)):
        return
    for odd, usual, what, other in ((dark, light, "dark", "light"), (light, dark, "light", "dark")):
        if len(usual) >= USUAL_GROUND * len(rows):
            for row in odd:
                yield Finding("empty", _names(scan, [row]), f"inverted: its ground is {what} "
                              f"({figures['ground'][row]}) where the others' is {other}", USED)


def _plain(scan, rows):
    "Which rows have a plain ground, a chunk at a time."
    from fastlab.check.frames import flat_border
    parts = [flat_border(scan.thumbs.read(rows[start:start + 4096])) for start in range(0, len(rows), 4096)]
    return np.concatenate(parts) if parts else np.zeros(0, bool)
