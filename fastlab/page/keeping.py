"""Keeping what visitors draw: `<folder>/<class>/<time>-<digest>.png`, a data set that fastlab can train on."""
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from fastlab.errors import OptionError, StorageError
from fastlab.files import digest, write_bytes

SAFE = re.compile(r'[^.\x00-\x1f/\\:*?"<>|\ud800-\udfff][^\x00-\x1f/\\:*?"<>|\ud800-\udfff]*')


class Keeping:
    """The folder that drawings are kept in. `classes`: {class folder: name to show}, those of the networks and those
    that already lie in the folder; no other class can be kept, so no request can name a path."""

    def __init__(self, folder, names):
        self.folder = Path(folder).expanduser()
        if self.folder.exists() and not self.folder.is_dir():
            raise StorageError(f"--collect: {self.folder} is a file; name a folder, which may be new.")
        here = {name: name for name in class_folders(self.folder)}
        self.classes = {name: shown for name, shown in {**here, **names}.items() if safe_class(name)}

    def keep(self, class_name, pixels):
        """Saves an image, uint8 (H, W, C), as a PNG of that class and gives its path within the folder. Nothing is ever
        overwritten. Raises OptionError for an unknown class, StorageError where it cannot be written."""
        if not isinstance(class_name, str) or class_name not in self.classes:
            raise OptionError("class: not one of the classes that are kept here.")
        png = png_of(pixels)
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        path = self.folder / class_name / f"{moment}-{digest(png)[:16]}.png"
        written_new(path, png)
        self._name_classes()
        return path.relative_to(self.folder).as_posix()

    def _name_classes(self):
        "`classes.json` beside the classes, once, so that their names to show go along with the images."
        shown = {name: title for name, title in self.classes.items() if name != title}
        if shown:
            written_new(self.folder / "classes.json", json.dumps(shown, ensure_ascii=False, indent=1).encode() + b"\n")


def written_new(path, content):
    "Writes `content` to `path`, whole or not at all; a file of that name that is there already stays as it is."
    if not path.is_file():
        write_bytes(path, content)


def safe_class(name):
    "Whether a class name is a plain folder name: nothing that a file system takes for more than a name."
    return bool(SAFE.fullmatch(name)) and len(name.encode()) <= 200 and name == name.strip()


def class_folders(folder):
    "Names of the folders in `folder`; none where it is not there yet."
    return sorted(place.name for place in folder.iterdir() if place.is_dir()) if folder.is_dir() else []


def png_of(pixels):
    "A uint8 image (H, W, 1 or 3) as the bytes of a PNG."
    file = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(file, "PNG")
    return file.getvalue()
