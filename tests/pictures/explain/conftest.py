"""A small trained network, and explanations measured on few images so that they are quick."""
from html.parser import HTMLParser

import pytest
import torch

from fastlab.inside import twins
from fastlab.nets import build
from fastlab.pictures.explain import answers, explain, looking, steadying
from fastlab.training.modelfile import Model, save_model
from fastlab.training.recipe import Recipe

FEW = 3e9      # multiplications in place of 1.5e11: a dozen images of a LeNet


@pytest.fixture(scope="module")
def quick():
    "Every budget cut down; what is measured stays the same."
    with pytest.MonkeyPatch.context() as patch:
        for module in (answers, looking, steadying):
            patch.setattr(module, "WORK", FEW)
        patch.setattr(twins, "SEEN", 144)
        patch.setattr(twins, "LEAST_STEPS", 1)
        yield


class Tags(HTMLParser):
    "Every tag with its attributes, and all text."

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="session")
def tags_of():
    "The function Tags(text of a page)."
    return Tags


def untrained(arrays, net="lenet", history=(), **fields):
    "A Model of `net` for the arrays, with the initial weights of seed 0."
    recipe = Recipe(net=net, **fields).resolved(arrays.channels, arrays.size[0], "fp32")
    torch.manual_seed(0)
    network = build(net, len(arrays.classes), recipe.channels, recipe.crop, recipe.norm, recipe.dropout, recipe.lrn,
                    recipe.width, **dict(recipe.switches)).eval()
    mean, deviation = arrays.statistics
    told = {"size": arrays.size[0], "crop": recipe.crop, "channels": arrays.channels, "mean": list(mean),
            "deviation": list(deviation)}
    return Model(network, recipe, arrays.classes, arrays.names, told, list(history))


@pytest.fixture(scope="session")
def model_of():
    "The function untrained(arrays, net='lenet', history=(), **recipe fields) -> Model."
    return untrained


@pytest.fixture(scope="module")
def explained(quick, shape_arrays):
    "(Explained, Model) of a LeNet on the shapes, before and after which nothing else has run."
    model = untrained(shape_arrays)
    return explain.explain(model, shape_arrays), model


@pytest.fixture(scope="module")
def model_file(tmp_path_factory, shape_arrays):
    "A LeNet for the shapes, in a file."
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    save_model(path, untrained(shape_arrays, width=0.25))
    return path
