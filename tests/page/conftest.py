"""Networks with weights drawn from a seed, the page before them, and drawings to ask about."""
import io

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.testclient import TestClient

from fastlab.nets import build
from fastlab.page.app import app_for
from fastlab.page.door import Door
from fastlab.page.keeping import Keeping
from fastlab.page.reading import Reader
from fastlab.training.modelfile import Model
from fastlab.training.recipe import Recipe

NAMES = tuple("博学笃志切问近思自由无用")
CLASSES = tuple(map(str, range(1, 13)))
CROSS = [[[0.1, 0.5], [0.5, 0.5], [0.9, 0.5]], [[0.5, 0.1], [0.5, 0.9]]]


def model_of(net="lenet", size=28, crop=None, channels=1, mean=0.888, deviation=0.315, seed=0, classes=CLASSES,
             names=NAMES):
    "A Model whose weights nobody trained."
    crop = crop or size
    recipe = Recipe(net=net, epochs=1).resolved(channels, size, "fp32").changed(crop=crop)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build(net, len(classes), channels, crop).eval()
    told = {"size": size, "crop": crop, "channels": channels, "mean": [mean] * channels,
            "deviation": [deviation] * channels}
    return Model(network, recipe, tuple(classes), tuple(names), told)


def visitor_of(readers, keeping=None, **door):
    "A visitor with a browser's manners before the page of some Readers."
    app = Door(app_for(readers, keeping), **door)
    return TestClient(app, base_url="http://127.0.0.1:8028", raise_server_exceptions=False)


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def model():
    return model_of()


@pytest.fixture(scope="session")
def reader(model):
    return Reader(model, "lenet")


@pytest.fixture
def visitor(reader):
    with visitor_of([reader]) as client:
        yield client


@pytest.fixture
def keeper(reader, tmp_path):
    "(client, folder) of a page that keeps drawings."
    folder = tmp_path / "kept"
    with visitor_of([reader], Keeping(folder, dict(zip(CLASSES, NAMES)))) as client:
        yield client, folder


@pytest.fixture
def make():
    "The functions above, for tests that need networks, visitors or images of their own."
    return type("Make", (), {"model": staticmethod(model_of), "visitor": staticmethod(visitor_of),
                             "png": staticmethod(png), "cross": CROSS})
