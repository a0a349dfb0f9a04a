"""Where results are to be written, looked at before the work that makes them."""
import os
from pathlib import Path

from fastlab.errors import OptionError


def check_writable(path, option="--save"):
    "A mistake in where to write is said before the work, not after it. Raises OptionError."
    path = Path(path)
    if path.is_dir():
        raise OptionError(f"{option} {path}: this is a folder. Name a file in it.")
    place = next(parent for parent in path.absolute().parents if parent.exists())
    if not place.is_dir():
        raise OptionError(f"{option} {path}: {place} is a file, not a folder. Choose another place.")
    if not os.access(place, os.W_OK):
        raise OptionError(f"{option} {path}: {place} may not be written to. Choose another place.")
