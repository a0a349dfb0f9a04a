"""From the strokes that a page sends to the image that a network is given: checked, fitted into the frame, inked."""
import numpy as np
from PIL import Image, ImageDraw

from fastlab.errors import OptionError
from fastlab.page.paper import LONG_SIDE

MOST_STROKES, MOST_POINTS = 400, 6000
REACH = 2.0             # coordinates lie in -REACH … 1 + REACH; the sheet itself is 0 … 1
LEAST_BOX = 0.2         # of the sheet: a lone dot is not blown up to fill the frame
PENS = (0.25, 4.0)      # how much thinner or broader than the network's own pen a pen may be
THIN = 1.5              # a hard pen below this is one pixel wide
COVERED = 0.5           # a hard pixel is ink when at least half of it lies under the pen


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


def fitted(strokes, size, fit=True):
    """Strokes in pixels of a `size` × `size` frame: with `fit`, moved and scaled so that the longer side of what is
    drawn takes LONG_SIDE of the frame, in its middle, as in the data sets that networks are trained on."""
    if not fit:
        return [stroke * size for stroke in strokes]
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    scale = LONG_SIDE * size / max(float((high - low).max()), LEAST_BOX)
    return [(stroke - (low + high) / 2) * scale + size / 2 for stroke in strokes]


def coverage(strokes, size, pen):
    """How much of each pixel lies under a round pen of width `pen`: float (size, size), 0 … 1. `strokes` are in pixels;
    drawn on a finer grid and averaged."""
    finer = max(1, min(8, 1024 // size))
    sheet = Image.new("L", (size * finer, size * finer), 0)
    brush, radius = ImageDraw.Draw(sheet), pen * finer / 2
    for stroke in strokes:
        points = [tuple(point) for point in (stroke * finer - 0.5).tolist()]
        if len(points) > 1:
            brush.line(points, fill=255, width=max(1, round(2 * radius)), joint="curve")
        for x, y in (points[0], points[-1]):
            brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(sheet.reduce(finer), np.float64) / 255


def thin(strokes, size):
    "A pen of one pixel, as on 1-bit bitmaps: Bresenham's lines from pixel to pixel; float (size, size), 0 or 1."
    sheet = Image.new("1", (size, size), 0)
    brush = ImageDraw.Draw(sheet)
    for stroke in strokes:
        points = [tuple(point) for point in np.floor(stroke).astype(int).tolist()]
        brush.line(points, fill=1, width=1) if len(points) > 1 else brush.point(points, fill=1)
    return np.asarray(sheet, np.float64)


def inked(strokes, size, pen, hard):
    "Strokes in pixels as ink, float (size, size), 0 … 1; `hard`: nothing between."
    if not hard:
        return coverage(strokes, size, pen)
    return thin(strokes, size) if pen < THIN else (coverage(strokes, size, pen) >= COVERED).astype(np.float64)


def drawn(strokes, paper, pen=1.0, fit=True):
    "The image that a network with this `paper` is given: uint8 (size, size, channels), ink and paper its way round."
    ink = inked(fitted(strokes, paper.size, fit), paper.size, paper.pen * pen, paper.hard)
    pixels = np.rint(255 * (1 - ink if paper.light else ink)).astype(np.uint8)
    return np.repeat(pixels[:, :, None], paper.channels, 2)
