"""From the strokes that a page sends to the image that a network is given: checked, fitted into the frame, inked."""
import numpy as np

from fastlab.errors import OptionError
from fastlab.page.paper import LONG_SIDE
from fastlab.strokes.ink import render

MOST_STROKES, MOST_POINTS = 400, 6000
REACH = 2.0             # coordinates lie in -REACH … 1 + REACH; the sheet itself is 0 … 1
LEAST_BOX = 0.2         # of the sheet: a lone dot is not blown up to fill the frame
PENS = (1.0, 4.0)       # how much broader than the network's own pen; a thinner one would leave gaps
DOT = np.array([[-0.5, 0], [0.5, 0]]) / 28      # what a mere tap becomes, so that it leaves ink wherever it falls
HARD_INK, SOFT_INK = 40.0, 1.0  # `hard` of strokes.ink.render


def read_strokes(data):
    """Strokes as a list of float arrays (points, 2), x to the right and y down, the sheet being 0 … 1.

    data: what the page sent, a list of strokes, each a list of [x, y]. Raises OptionError for anything else, for more
    than MOST_STROKES strokes or MOST_POINTS points, and for coordinates far outside the sheet."""
    if not isinstance(data, list) or not data:
        raise OptionError("strokes: a drawing is a list of strokes, with at least one.")
    if len(data) > MOST_STROKES:
        raise OptionError(f"strokes: {len(data)} strokes; at most {MOST_STROKES} are allowed. Clear the sheet.")
    if sum(len(stroke) if isinstance(stroke, list) else 1 for stroke in data) > MOST_POINTS:
        raise OptionError(f"strokes: more than {MOST_POINTS} points. Clear the sheet.")
    return [_stroke(points) for points in data]


def _stroke(points):
    "One stroke as an array (points, 2)."
    if not isinstance(points, list) or not points:
        raise OptionError("strokes: a stroke is a list of [x, y], with at least one.")
    return np.array([[_coordinate(value) for value in _pair(point)] for point in points], np.float64)


def _pair(point):
    if not isinstance(point, list) or len(point) != 2:
        raise OptionError("strokes: a point is [x, y], two numbers.")
    return point


def _coordinate(value):
    if type(value) not in (int, float) or not -REACH <= value <= 1 + REACH:
        raise OptionError(f"strokes: a coordinate is a number from {-REACH:g} to {1 + REACH:g}.")
    return float(value)


def read_pen(value):
    "The pen's width as a share of the network's own; 1 when nothing is said. Raises OptionError."
    if value is None:
        return 1.0
    if type(value) not in (int, float) or not PENS[0] <= value <= PENS[1]:
        raise OptionError(f"pen: a number from {PENS[0]:g} to {PENS[1]:g}, 1 being the network's own pen.")
    return float(value)


def framed(strokes, fit=True):
    """Strokes in a frame 0 … 1: with `fit`, moved and scaled so that the longer side of what is drawn takes LONG_SIDE
    of the frame, in its middle, as in the data sets that networks are trained on."""
    if not fit:
        return strokes
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    scale = LONG_SIDE / max(float((high - low).max()), LEAST_BOX)
    return [(stroke - (low + high) / 2) * scale + 0.5 for stroke in strokes]


def drawn(strokes, paper, pen=1.0, fit=True):
    """The image that a network with this `paper` is given, uint8 (size, size, channels): the strokes in the ink of the
    default data set, `pen` times as broad, and the right way round."""
    hard = HARD_INK if paper.hard else SOFT_INK
    paths = [path if len(path) > 1 else path + DOT for path in framed(strokes, fit)]
    pixels = render(paths, paper.size, paper.pen * pen, hard)
    return np.repeat((pixels if paper.light else 255 - pixels)[:, :, None], paper.channels, 2)
