"""The page's main promise, in a real browser: all twelve characters, drawn by hands that no training saw, are read."""
import numpy as np
import pytest

from fastlab.page.packaged import packaged_model
from fastlab.strokes.dataset import pen_paths
from fastlab.strokes.table import NAMES
from fastlab.training.modelfile import load_model

MARK = 11       # of twelve
WRITER = 7      # one hand of the split 'page', which is in no data set


@pytest.fixture(scope="module")
def packaged(serve, tmp_path_factory):
    path = packaged_model()
    assert path is not None, "fastlab/training/lenet-strokes.safetensors comes with fastlab"
    served = serve([load_model(path)], tmp_path_factory.mktemp("packaged"))
    yield served
    served.close()


def thinned(path):
    "Every second point of a path and its last: a browser takes a moment for each."
    return np.concatenate([path[:-1:2], path[-1:]])


def test_the_packaged_network_reads_all_twelve_characters_drawn_on_the_page(browser, packaged):
    browser.open(packaged.address)
    read = {}
    for name in NAMES:
        browser.draw([thinned(path).tolist() for path in pen_paths(name, seed=1, writer=WRITER)], "pen")
        read[name] = browser.shown()[0]["stamp"]
        browser.part("clear").click()
    right = sum(name == stamp for name, stamp in read.items())
    assert right >= MARK, read


def test_characters_drawn_small_in_a_corner_are_read_as_well(browser, packaged):
    browser.open(packaged.address)
    read = {}
    for name in NAMES[1::10]:
        browser.draw([(thinned(path) * 0.35 + [0.6, 0.05]).tolist() for path in pen_paths(name, seed=1, writer=WRITER)])
        read[name] = browser.shown()[0]["stamp"]
        browser.part("clear").click()
    assert sum(name == stamp for name, stamp in read.items()) == len(read), read
