"Where results about a data set are put: never into it, where they would be read as a class of it."
from pathlib import Path

from fastlab.errors import OptionError


def place_for(out, default, folder):
    """`out`; where that is None a folder called `default` here, or beside the data's `folder` where here is inside it.
    `folder` None: images that lie in none. Raises OptionError for an `out` inside the folder."""
    if folder is None:
        return Path(default if out is None else out)
    root = Path(folder).resolve()
    if out is None:
        here = Path.cwd().resolve()
        return (root.parent if here == root or root in here.parents else Path()) / default
    place = Path(out).resolve()
    if place == root or root in place.parents:
        raise OptionError(f"--out {out}: it lies in the folder of images, where it would be read as a class. Choose a "
                          "place beside it.")
    return Path(out)


def name_of(folder):
    "A folder's own name, also where it is given as '.' or '..'."
    folder = Path(folder)
    return folder.name if folder.name not in ("", "..") else folder.resolve().name
