"""What a page asks, checked: a drawing or an image file, and how much of the answer it wants."""
import io
import json
import struct
import zlib
from dataclasses import dataclass

from PIL import Image

from fastlab.errors import ImageError, OptionError, one_of
from fastlab.images.decode import FORMATS, open_image
from fastlab.page.drawing import drawn, read_pen, read_strokes
from fastlab.page.reading import LAYERS

MOST_PIXELS = 16_000_000    # of an image that a visitor sends
# what Pillow's readers of headers raise on bytes that are no image, or a damaged one
HEADER_ERRORS = (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError, KeyError, OverflowError,
                 AttributeError, MemoryError, struct.error, zlib.error)


@dataclass(frozen=True)
class Question:
    """Strokes (with `pen` and `fit`) or the bytes of an `image`, and what is asked about them: `layers` (see LAYERS),
    `looked`; `class_name` says what it is, where it is to be kept."""
    strokes: tuple = ()
    image: bytes | None = None
    pen: float = 1.0
    fit: bool = True
    layers: str = "blocks"
    looked: bool = True
    class_name: str | None = None

    def pixels(self, paper):
        "The image for a network with this `paper`: uint8 (size, size, channels). Raises ImageError."
        if self.image is None:
            return drawn(self.strokes, paper, self.pen, self.fit)
        pixels = open_image(self.image, paper.channels, paper.size)
        return pixels.reshape(paper.size, paper.size, paper.channels)


def from_json(body):
    """The Question of a drawing: a JSON object with `strokes` and, if wanted, pen, fit, layers, looked, class.
    Raises OptionError for anything else."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise OptionError("drawing: not JSON.") from error
    if not isinstance(told, dict):
        raise OptionError("drawing: a JSON object with strokes is needed.")
    return Question(strokes=tuple(read_strokes(told.get("strokes"))), pen=read_pen(told.get("pen")),
                    fit=_switch("fit", told.get("fit", True)), looked=_switch("looked", told.get("looked", True)),
                    layers=_word(told.get("layers", "blocks")), class_name=told.get("class"))


def from_image(body, wanted):
    """The Question of an image file: its bytes, and `wanted`, the address's parameters layers, looked and class.
    Raises ImageError for what is no image, or one of more than MOST_PIXELS pixels; OptionError."""
    looked = wanted.get("looked", "true")
    one_of("looked", looked if looked.isascii() else "", ("true", "false"))
    check_size(body)
    return Question(image=body, layers=_word(wanted.get("layers", "blocks")), looked=looked == "true",
                    class_name=wanted.get("class"))


def check_size(body):
    "ImageError where a file's header tells of more pixels than are allowed; what is no image is left to the decoder."
    try:
        with Image.open(io.BytesIO(body), formats=FORMATS) as image:
            width, height = image.size
    except Image.DecompressionBombError:
        width, height = MOST_PIXELS, MOST_PIXELS
    except HEADER_ERRORS:
        return
    if width * height > MOST_PIXELS:
        raise ImageError(f"the image: more than {MOST_PIXELS // 1_000_000} million pixels. Make it smaller first.")


def _switch(name, value):
    if not isinstance(value, bool):
        raise OptionError(f"{name}: true or false.")
    return value


def _word(value):
    return one_of("layers", value if isinstance(value, str) and value.isascii() else "", LAYERS)
