"""The page: every explanation with its pictures, sentences and tables, in one file that needs no other."""
import base64
import io
import unicodedata
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from fastlab.pictures.explain.section import percent, times
from fastlab.pictures.style import look

HERE = Path(__file__).parent
DPI = 170              # of the page's pictures: sharp in print and on fine screens
PIXELS_AN_INCH = 96    # CSS
HIDDEN = ("Cc", "Cf", "Cs")     # control characters, those that turn the direction of writing, halves of pairs
GENERATOR = "fastlab explain"


def render(title, facts, sections, progress=None):
    """The page as HTML text. `facts`: (name, value) pairs for its head; `sections`: Sections. Nothing is left for the
    reader's machine to fetch: pictures are data, fonts the reader's own. The same figures give the same text."""
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True, finalize=visible)
    made = []
    for section in sections:
        made.append({"section": section, "pictures": [inlined(picture) for picture in section.pictures]})
        if progress:
            progress(len(made), len(sections))
    css = Markup((HERE / "page.css").read_text("utf-8"))
    template = environment.get_template("page.html")
    return template.render(title=title, facts=facts, parts=made, css=css, generator=GENERATOR)


def is_ours(path):
    "Whether a file is a page that `render` made."
    with open(path, "rb") as file:
        return f'content="{GENERATOR}"'.encode() in file.read(1000)


def visible(value):
    "Texts without control characters and those that turn the direction of writing: names come from strangers' folders."
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "".join("�" if unicodedata.category(sign) in HIDDEN else sign for sign in value)


def inlined(picture):
    "A Picture drawn: its address as data, what it shows, and the CSS pixels of width that its texts are meant for."
    figure, file = figure_of(picture.draw()), io.BytesIO()
    with look():        # drawn once, where savefig draws twice to settle the layout first
        figure.set_dpi(DPI)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]).save(file, "PNG")
    return {"source": "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii"), "alt": picture.alt,
            "name": picture.name, "width": round(figure.get_figwidth() * PIXELS_AN_INCH)}


def figure_of(axes):
    "The Figure of an Axes, or of an array of them."
    return np.ravel(axes)[0].figure.canvas.figure


def facts_of(subject, accuracy, interval):
    "What stands in the page's head."
    model, recipe = subject.model, subject.model.recipe
    parameters = sum(parameter.numel() for parameter in model.net.parameters())
    tricks = ", ".join(part for part in (f"norm {recipe.norm}" if recipe.norm else "",
                                         f"dropout {recipe.dropout:g}" if recipe.dropout else "no dropout",
                                         f"LRN {recipe.lrn}" if recipe.lrn not in (None, "none") else "") if part)
    return (("network", f"{recipe.net}, {parameters:,} parameters, {tricks}"),
            ("trained", f"{times(len(model.history), 'epoch')}, batch {recipe.batch_size}, {recipe.optimizer} "
                        f"{recipe.lr or 0:g}" if model.history else "not trained"),
            ("classes", " · ".join(model.names[:40]) + (" …" if len(model.names) > 40 else "")),
            ("images", f"{len(subject.images):,} of the {subject.split} split of {folder_name(subject.arrays)}, "
                       f"{'RGB' if subject.channels == 3 else 'grey'}, {subject.size}×{subject.size}"),
            ("accuracy on them", f"{percent(accuracy, 2)} ({100 * interval[0]:.2f} to {100 * interval[1]:.2f}, 95 % "
                                 f"interval, n = {len(subject.images):,})"))


def folder_name(arrays):
    return arrays.root.name if arrays.root is not None else "arrays"
