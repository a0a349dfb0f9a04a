"""Characters that the page can draw by itself: by an imagined hand that is new each time and that no training saw, and
as plain signs for names, so that a machine without a Chinese font shows no boxes."""
import secrets

from fastlab.strokes.dataset import pen_paths
from fastlab.strokes.table import NAMES, strokes_of


def examples(names):
    "Those of `names` whose strokes are known."
    return [name for name in names if name in NAMES]


def glyphs(names):
    "{character: its strokes as usually written, lists of [x, y] in a square of side 100}, of those in `names`."
    return {sign: [[list(point) for point in stroke.points] for stroke in strokes_of(sign)]
            for sign in NAMES if any(sign in name for name in names)}


def example_of(name, seed=None):
    "The strokes of a character as lists of [x, y] on a sheet 0 … 1; None where its strokes are not known."
    if name not in NAMES:
        return None
    paths = pen_paths(name, seed=secrets.randbits(31) if seed is None else seed)
    return [path.round(4).tolist() for path in paths]
