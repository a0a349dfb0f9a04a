"""What lies between a source of an image and a batch: items, and the transforms that open and normalise them."""
from pathlib import Path

import fastai.vision.data  # noqa: F401 (registers how batches of images are shown)
import numpy as np
import torch
from fastai.torch_core import TensorImage, TensorImageBW
from fastai.vision.core import PILImage, PILImageBW
from fasttransform import DisplayedTransform, Transform
from PIL import Image

from fastlab.errors import ImageError
from fastlab.images.augment import normalised
from fastlab.images.cache import decoded, unreadable_error
from fastlab.images.decode import open_image

IN_ONE_GO = 256                 # more files than this are decoded through the cache, in parallel


class PILGrey(PILImageBW):
    "A grey image, shown as it is (fastai shows its own grey images inverted)."
    _show_args = {"cmap": "gray", "vmin": 0, "vmax": 255}


class TensorGrey(TensorImageBW):
    "Grey pixels, shown as they are."
    _show_args = {"cmap": "gray", "vmin": 0, "vmax": 1}


class PILColour(PILImage):
    "An RGB image of a folder of ours."


class TensorColour(TensorImage):
    "RGB pixels of a folder of ours."


PILGrey._tensor_cls, PILColour._tensor_cls = TensorGrey, TensorColour


class Picture:
    "One image of an Arrays that has no file of its own: an item for fastai's pipelines. Saved without its pixels."

    def __init__(self, arrays, row):
        self.arrays, self.row, self.label = arrays, row, arrays.classes[arrays.labels[row]]

    @property
    def pixels(self):
        "uint8 (H, W, C)."
        if self.arrays is None:
            raise ImageError(f"image {self.row}: its pixels were not saved with the loader.")
        return self.arrays.images[self.row]

    def __getstate__(self):
        return {"arrays": None, "row": self.row, "label": self.label}

    def __repr__(self):
        return f"Picture({self.row}, {self.label!r})"


class OpenPicture(Transform):
    """Path, bytes, PIL image, array, tensor ((H, W) or (C, H, W)) or Picture → PIL image, opened as training opens it.
    shape: the (height, width) that must come out, or None."""
    input_types = (Path, str, bytes, np.ndarray, Image.Image, torch.Tensor, Picture)

    def __init__(self, channels, size, shape=None):
        self.channels, self.size, self.shape = channels, size, shape
        super().__init__()

    def encodes(self, source):
        return (PILGrey if self.channels == 1 else PILColour)(Image.fromarray(self.pixels(source)))

    def pixels(self, source):
        "uint8 (H, W), or (H, W, 3). Raises ImageError."
        if isinstance(source, torch.Tensor):
            source = source.detach().cpu().numpy()
            source = source.transpose(1, 2, 0) if source.ndim == 3 else source
        pixels = open_image(source, self.channels, self.size)
        self._check(pixels.shape[:2], source if isinstance(source, str | Path) else "image")
        return pixels

    def _check(self, shape, name):
        if self.shape is not None and tuple(shape) != tuple(self.shape):
            raise ImageError(f"{name}: {shape[1]}×{shape[0]} pixels, and the others have "
                             f"{self.shape[1]}×{self.shape[0]}.")

    def all_pixels(self, sources, cache=None):
        "uint8 (N, H, W, C) of many sources. Raises one ImageError that names all that cannot be read."
        if len(sources) > IN_ONE_GO and all(isinstance(source, str | Path) for source in sources):
            images = decoded(sources, self.channels, self.size, cache)
            self._check(images.shape[1:3], "images")
            return images
        images, reasons = [], {}
        for number, source in enumerate(sources, 1):
            name = str(source) if isinstance(source, str | Path) else f"image {number}"
            try:
                images.append(self.pixels(source))
            except ImageError as error:
                reasons[name] = str(error).split(": ", 1)[-1].rstrip(".")
        if reasons:
            raise unreadable_error(reasons)
        return np.stack(images).reshape(len(images), *images[0].shape[:2], self.channels)


class LabelOf(Transform):
    "The class's folder name of an item."
    input_types = (Path, str, Picture)

    def encodes(self, item):
        return item.label if isinstance(item, Picture) else Path(item).parent.name


class ToNetwork(DisplayedTransform):
    """uint8 pixels → augmented, normalised float32, in one transform: (pixels / 255 − mean) / deviation a channel.
    It is called with the whole batch and that batch's uniforms; without them it does what evaluation does."""
    order = 10

    def __init__(self, mean, deviation, augmentation):
        self.mean, self.deviation, self.augmentation = tuple(mean), tuple(deviation), augmentation
        super().__init__()

    def batch(self, pixels, uniforms=None):
        "uint8 (N, C, H, W), plain tensor → float32 (N, C, S, S), plain tensor."
        numbers = normalised(self.augmentation.on_pixels(pixels, uniforms), self.mean, self.deviation)
        return self.augmentation.on_numbers(numbers, uniforms)

    def encodes(self, images: TensorImage):
        if images.dtype != torch.uint8:
            return images
        return self.batch(images.as_subclass(torch.Tensor)).as_subclass(type(images))

    def decodes(self, images: TensorImage):
        mean, deviation = (torch.tensor(values, device=images.device).view(-1, 1, 1)
                           for values in (self.mean, self.deviation))
        return (images * deviation + mean).clamp(0, 1)
