"""Images in, classes and probabilities out: one network or an ensemble, one view of each image or ten."""
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from fastlab.errors import FolderError, ImageError, ModelFileError, OptionError
from fastlab.files import natural_key
from fastlab.images.cache import decode_all, unreadable_error
from fastlab.images.decode import SUFFIXES, open_image
from fastlab.training.evaluate import Rows
from fastlab.training.modelfile import Model, load_model

IN_ONE_GO = 256                 # more images than this go through the cache, decoded in parallel


@dataclass(frozen=True)
class Predictions:
    """What networks say of images. files: names as given; probabilities: float32 (N, classes), rows sum to 1;
    classes, names: of each column; unreadable: {file: reason} of images that were left out."""
    files: tuple
    classes: tuple
    names: tuple
    probabilities: np.ndarray
    unreadable: dict

    @property
    def predicted(self):
        "The class number of the greatest probability, int (N,)."
        return self.probabilities.argmax(1)

    def rows(self):
        "One dict an image, in the words of `fastlab predict --json`."
        return [{"file": file, "class": self.classes[label], "name": self.names[label],
                 "probability": float(shares[label]),
                 "probabilities": {name: float(share) for name, share in zip(self.classes, shares)}}
                for file, label, shares in zip(self.files, self.predicted, self.probabilities)]


def predict(model, images, ten_crop=False, skip_unreadable=False, cache=None):
    """Predictions of a network (a Model, its path, or a list of them: an ensemble whose probabilities are averaged).

    images: one of, or a list of: a path, the bytes of a file, a PIL image, an array; or a folder, searched through.
    ten_crop: four corners and the centre, and their mirrors where the Recipe mirrors, averaged; only for Recipes that
    train with crops. Raises ImageError naming all unreadable images, ModelFileError, OptionError."""
    models = as_models(model)
    files, sources = _sources(images)
    pixels, unreadable = _decoded(models[0], files, sources, cache)
    if unreadable and not skip_unreadable:
        raise unreadable_error(unreadable)
    kept = [row for row, file in enumerate(files) if file not in unreadable]
    chosen = Rows(torch.from_numpy(pixels), torch.tensor(kept)) if unreadable else pixels
    shares = averaged(member_probabilities(models, chosen, ten_crop))
    return Predictions(tuple(files[row] for row in kept), models[0].classes, models[0].names, shares, unreadable)


def as_models(model):
    "A list of Models that take the same input and know the same classes. Raises ModelFileError, OptionError."
    given = list(model) if isinstance(model, list | tuple) else [model]
    if not given:
        raise OptionError("model: none was given. Name at least one model file.")
    models = [each if isinstance(each, Model) else load_model(each) for each in given]
    for other in models[1:]:
        if other.classes != models[0].classes:
            raise ModelFileError(f"{other.path}: it knows the classes {', '.join(other.classes)}, and {models[0].path} "
                                 f"the classes {', '.join(models[0].classes)}. An ensemble needs the same.")
        for what in ("size", "channels"):
            if other.input[what] != models[0].input[what]:
                raise ModelFileError(f"{other.path}: it takes images of {what} {other.input[what]}, and "
                                     f"{models[0].path} of {models[0].input[what]}. An ensemble needs the same.")
    return models


def member_probabilities(models, pixels, ten_crop=False, testing="eval", seed=0):
    "Each model's probabilities, a list of float32 (N, classes). Raises OptionError for ten_crop without crops."
    if ten_crop and any(model.crops == 1 for model in models):
        raise OptionError("ten-crop: it is for networks that were trained with crops smaller than their images "
                          "(augment crop or crop+mirror, and crop < size).")
    return [model.probabilities(pixels, ten_crop, testing, seed) for model in models]


def averaged(each):
    "The probabilities of an ensemble: the mean of its members', float32 (N, classes)."
    return each[0] if len(each) == 1 else np.mean(each, axis=0, dtype=np.float64).astype(np.float32)


def _sources(images):
    "(names, sources) of what was given: a folder is searched, one thing becomes a list."
    if isinstance(images, str | Path) and Path(images).is_dir():
        paths = images_below(Path(images))
        return [str(path) for path in paths], paths
    given = list(images) if isinstance(images, list | tuple) else [images]
    if not given:
        raise OptionError("images: none was given.")
    found = []
    for number, source in enumerate(given):
        if isinstance(source, str | Path) and Path(source).is_dir():
            found += [(str(path), path) for path in images_below(Path(source))]
        else:
            found.append((str(source) if isinstance(source, str | Path) else f"image {number + 1}", source))
    return [name for name, _ in found], [source for _, source in found]


def images_below(folder):
    "Every file with an image's suffix below a folder, in natural order. Raises FolderError when there is none."
    paths = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()
             and not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    if not paths:
        raise FolderError(f"{folder}: no image lies in it or below it ({', '.join(sorted(SUFFIXES))}).")
    return sorted(paths, key=lambda path: natural_key(path.relative_to(folder).as_posix()))


def _decoded(model, files, sources, cache):
    "(pixels (N, size, size, C), {file: reason})"
    channels, size = model.input["channels"], model.input["size"]
    if len(sources) > IN_ONE_GO and all(isinstance(source, str | Path) for source in sources):
        found = decode_all(sources, channels, size, cache)
        return found.images, {files[row]: reason for row, reason in found.unreadable.items()}
    pixels, unreadable = np.full((len(sources), size, size, channels), 255, dtype=np.uint8), {}
    for row, (file, source) in enumerate(zip(files, sources)):
        try:
            pixels[row] = open_image(source, channels, size).reshape(size, size, channels)
        except ImageError as error:
            unreadable[file] = str(error).removeprefix(f"{file}: ").rstrip(".")
    return pixels, unreadable
