"""Characters that the page can draw by itself, by an imagined hand that is new each time."""


def examples(names):
    "Those of `names` whose strokes are known."
    return []


def example_of(name):
    "The strokes of a character as lists of [x, y] on a sheet 0 … 1; None where its strokes are not known."
    return None
