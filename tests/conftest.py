"""What all tests share: one thread, a cache of their own, and small folders of drawn shapes.

The shapes are drawn by code from a seed: a disc, a ring, a cross and bars, black on white, each image with its own
place, size and thickness. Their class folders are named 1, 2, 3 and 10, so that natural and plain order differ."""
import json
import os
import signal
import sys

os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MPLBACKEND": "Agg"}  # before torch is imported

import numpy as np
import pytest
from PIL import Image, ImageDraw

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs, and their children, ignore Ctrl-C

SHAPES = {"1": "disc", "2": "ring", "3": "cross", "10": "bars"}
PER_CLASS = {"train": 18, "develop": 6, "test": 6}


@pytest.fixture(autouse=True, scope="session")
def cache_of_the_tests(tmp_path_factory):
    "Decoded images of a test session go into a folder of that session."
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("cache")
        patch.setenv("FASTLAB_CACHE", str(place))
        patch.delenv("FASTLAB_CACHE_GB", raising=False)
        yield place


@pytest.fixture(autouse=True)
def figures_closed():
    "fastai's own pictures open pyplot figures; none is left for the next test to find."
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch):
    "A cache folder in which nothing lies yet, for one test."
    place = tmp_path / "fresh cache"
    monkeypatch.setenv("FASTLAB_CACHE", str(place))
    return place


def drawn_shape(shape, rng, size=28, colour=None):
    "One uint8 image (size, size), or (size, size, 3) in a `colour`, 255 white, drawn with numbers from `rng`."
    fine = 4 * size
    image = Image.new("RGB", (fine, fine), "white")
    pen, ink = ImageDraw.Draw(image), colour or (0, 0, 0)
    x, y = rng.uniform(0.4, 0.6, 2) * fine
    r, width = rng.uniform(0.22, 0.36) * fine, int(rng.uniform(0.06, 0.12) * fine)
    if shape in ("disc", "ring"):
        pen.ellipse((x - r, y - r, x + r, y + r), fill=ink if shape == "disc" else None, outline=ink, width=width)
    elif shape == "cross":
        pen.line((x - r, y, x + r, y), ink, width)
        pen.line((x, y - r, x, y + r), ink, width)
    else:
        for left in (x - r, x, x + r):
            pen.line((left, y - r, left, y + r), ink, width)
    small = image.resize((size, size), Image.Resampling.BOX)
    return np.array(small if colour else small.convert("L"))


def write_class_folders(folder, per_class, seed=0, size=28, colour=None, suffix=".png"):
    "Draws `per_class` images of each shape into `folder`/<class>/, with a classes.json beside them."
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "classes.json").write_text(json.dumps(SHAPES))
    rng = np.random.default_rng(seed)
    for name, shape in SHAPES.items():
        (folder / name).mkdir()
        for number in range(1, per_class + 1):
            Image.fromarray(drawn_shape(shape, rng, size, colour)).save(folder / name / f"{number}{suffix}")
    return folder


@pytest.fixture(scope="session")
def write_shapes():
    "The function write_class_folders(folder, per_class, seed=0, size=28, colour=None, suffix='.png') -> folder."
    return write_class_folders


@pytest.fixture(scope="session")
def shapes(tmp_path_factory):
    "A folder `<class>/<image>`: 4 classes of 30 grey PNGs, 28×28. Read only: tests that change files copy it."
    return write_class_folders(tmp_path_factory.mktemp("data") / "shapes", sum(PER_CLASS.values()))


@pytest.fixture(scope="session")
def split_shapes(tmp_path_factory):
    "A folder `<split>/<class>/<image>`: 4 classes, 18 / 6 / 6 grey PNGs each, 28×28. Read only."
    folder = tmp_path_factory.mktemp("data") / "split shapes"
    for seed, (split, count) in enumerate(PER_CLASS.items(), 1):
        write_class_folders(folder / split, count, seed)
        (folder / split / "classes.json").replace(folder / "classes.json")
    return folder


@pytest.fixture(scope="session")
def colour_shapes(tmp_path_factory):
    "A folder `<class>/<image>`: 4 classes of 12 RGB PNGs in dark red, 40×40. Read only."
    return write_class_folders(tmp_path_factory.mktemp("data") / "colour shapes", 12, 7, 40, (160, 20, 30))


@pytest.fixture(scope="session")
def shape_arrays(split_shapes):
    "The Arrays of `split_shapes`: 120 images, 72 to train on, 24 to develop on, 24 to test. Read only."
    from fastlab.images.arrays import Arrays
    return Arrays.from_folder(split_shapes)


@pytest.fixture
def new_data(write_shapes, tmp_path):
    "A folder `<class>/<image>` of 4 × 6 images that one test may change as it likes."
    return write_shapes(tmp_path / "new data", 6, seed=11)
