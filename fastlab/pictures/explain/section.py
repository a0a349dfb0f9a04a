"""One explanation as the page and `show --all` take it: sentences, pictures that are drawn when asked for, a table."""
import math
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Table:
    "`head` (columns) and `rows` of the same length: texts as they are shown; numbers beside them stand to the right."
    head: tuple
    rows: tuple

    @classmethod
    def of(cls, head, rows):
        "From any lists; numbers become texts."
        return cls(tuple(head), tuple(tuple(map(text_of, row)) for row in rows))


@dataclass(frozen=True)
class Picture:
    "A picture's file name, what it shows in a sentence, and the function that draws it and returns its Axes."
    name: str
    alt: str
    draw: callable = field(repr=False)


@dataclass(frozen=True)
class Section:
    """One explanation. says: plain sentences with the measured figures and their n; notes: how it was measured, and
    what was left out; figures: the same as plain data. A section that does not apply to a network has nothing but
    `left_out`, the reason."""
    key: str
    title: str
    says: tuple = ()
    pictures: tuple = ()
    tables: tuple = ()
    figures: dict = field(default_factory=dict)
    notes: tuple = ()
    left_out: str = ""


def text_of(value):
    "A table's cell: whole numbers with commas, others in three figures, nothing as a dash."
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, int) or (float(value).is_integer() and abs(value) >= 1000):
        return f"{int(value):,}".replace("-", "−")
    return small(float(value))


def small(value):
    "A number in three figures, without an exponent where it stays short: 0.0123, −4.56, 789, 1.2e−07."
    return (f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}").replace("-", "−")


def percent(share, digits=1):
    "0.987 → '98.7 %'."
    return "–" if share is None or not math.isfinite(share) else f"{100 * share:.{digits}f} %"


def times(count, word):
    "'1 image', '3 images'."
    return f"{count:,} {word}{'s' * (count != 1)}"


def span(values):
    "Least, median and greatest of those of the values that are numbers."
    some = values[np.isfinite(values)]
    return (float(some.min()), float(np.median(some)), float(some.max())) if len(some) else (None,) * 3


def slug(name):
    "A step's name as a part of a file's: 'layer1.0.relu#2' → 'layer1-0-relu-2'."
    return name.replace(".", "-").replace("#", "-")


def diverged(error):
    "Why a comparison with a twin is left out, from the TrainingError."
    return f"a twin of this network could not be trained ({str(error).rstrip('.')})."


def plain(value):
    "Figures as JSON has them: numpy's numbers as Python's, what is not finite as null."
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def records(frame):
    "A DataFrame's rows as plain data."
    return plain(frame.to_dict("records"))
