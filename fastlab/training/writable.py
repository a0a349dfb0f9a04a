"""Where results are to be written, tried before the work that makes them."""
from pathlib import Path
from tempfile import TemporaryFile

from fastlab.errors import OptionError


def check_writable(path, option="--save"):
    """A mistake in where to write is said before the work, not after it: a nameless file is made there, and is gone
    again. Raises OptionError."""
    path = Path(path)
    try:
        if path.is_dir():
            raise OptionError(f"{option} {path}: this is a folder. Name a file in it.")
        if path.exists() and not path.is_file():
            raise OptionError(f"{option} {path}: this is a device or a pipe. Name an ordinary file.")
        place = next(parent for parent in path.absolute().parents if parent.exists())
        if not place.is_dir():
            raise OptionError(f"{option} {path}: {place} is a file, not a folder. Choose another place.")
        with TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise OptionError(f"{option} {path}: it cannot be written ({error.strerror}). Choose another place.") from error
