"""The images that a study is made on."""
from pathlib import Path

from fastlab.images.arrays import Arrays

DRAWN_TEST = 1000               # images a class to test on, where they are drawn: small test sets decide little


def study_folder(folder=None, progress=None):
    "The folder itself, or where none is named drawn characters, with 12,000 of them to test on."
    if folder is not None:
        return Path(folder)
    from fastlab.files import cache_home
    from fastlab.strokes.dataset import FORM, draw_folder
    return draw_folder(cache_home() / f"strokes-study-{FORM}", test=DRAWN_TEST, progress=progress)


def study_arrays(plan, folder=None, split_seed=0, group_by=None, cache=None, skip_unreadable=False, progress=None):
    "(Arrays, the folder's path) decoded as the plan's Recipe wants. `folder` may also be Arrays."
    if isinstance(folder, Arrays):
        return folder, str(folder.root or "arrays")
    place = study_folder(folder)
    return Arrays.from_folder(place, plan.recipe.channels, plan.recipe.size, split_seed, group_by, cache,
                              skip_unreadable, progress), str(place)
