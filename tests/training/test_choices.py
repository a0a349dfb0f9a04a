"""A choice that cannot be followed is said before a single image is decoded."""
import pytest

from fastlab.errors import OptionError
from fastlab.training.choices import check_choices
from fastlab.training.recipe import Recipe
from fastlab.training.train import train


@pytest.mark.parametrize(("recipe", "options", "words"), [
    ({"net": "lenat"}, {}, "'lenat' is not known. Did you mean 'lenet'"),
    ({"net": "torchvision:resnet81"}, {}, "no classifier 'resnet81'"),
    ({"net": "nowhere_at_all:net"}, {}, "'nowhere_at_all' of 'nowhere_at_all:net' cannot be imported"),
    ({"net": "json:no_such"}, {}, "no function 'no_such'"),
    ({"switches": {"ordr": "norm-pool"}}, {}, "ordr: lenet has no such switch"),
    ({"lrn": "paper"}, {}, "lenet has no local response normalisation"),
    ({"weights": "nowhere.safetensors"}, {}, "nowhere.safetensors: there is no such file"),
    ({}, {"device": "gpu"}, "device: 'gpu'"),
    ({}, {"threads": 0}, "threads: 0 is not a whole number of at least 1"),
    ({}, {"threads": -1}, "threads: -1")])
def test_mistakes_are_said_before_images_are_decoded(colour_shapes, monkeypatch, recipe, options, words):
    monkeypatch.setattr("fastlab.training.train.arrays_for", None)
    with pytest.raises(OptionError, match=words):
        train(colour_shapes, Recipe.for_net(recipe.get("net", "lenet"), **{name: value for name, value in recipe.items()
                                                                         if name != "net"}), **options)


def test_a_network_among_the_images_would_be_read_as_one(tmp_path):
    (tmp_path / "train" / "cat").mkdir(parents=True)
    (tmp_path / "dog").mkdir()
    for place in ("train/cat", "dog"):
        with pytest.raises(OptionError, match="lies among the images of"):
            check_choices(Recipe(), save=tmp_path / place / "m.safetensors", folder=tmp_path)
    for place in (tmp_path / "m.safetensors", tmp_path / "train" / "m.safetensors", tmp_path.parent / "m.safetensors"):
        check_choices(Recipe(), save=place, folder=tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["cat", "dog", "train"]


@pytest.mark.parametrize("net", ["lenet", "lenet-classic", "alexnet", "alexnet2012", "torchvision:resnet18"])
def test_what_can_be_followed_passes(net):
    check_choices(Recipe.for_net(net), "cpu", 1)
