"""Small pictures of files, as data that a page carries within itself."""
import base64
import io
from pathlib import Path

from PIL import Image

from fastlab.errors import ImageError
from fastlab.images.decode import open_image

SIDE = 96               # pixels of the longer side, at most
SMALL = 48              # pictures up to this size are kept pixel by pixel
QUALITY = 80


def data_uri(path):
    "An image file's picture as a data: address, and whether to show it pixel by pixel; None where it has none."
    path = Path(path)
    if not path.is_file():
        return None
    try:
        image = Image.fromarray(open_image(path, 3))
    except ImageError:
        return None
    if max(image.size) <= SMALL:
        return _encoded(image.quantize(64) if _colourful(image) else image.convert("L"), "PNG", optimize=True), True
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return _encoded(image, "JPEG", quality=QUALITY), False


def _colourful(image):
    red, green, blue = image.split()
    return red.tobytes() != green.tobytes() or green.tobytes() != blue.tobytes()


def _encoded(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return f"data:image/{form.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
