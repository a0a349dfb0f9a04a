"""The AlexNet of 2012 on photographs, as the command line trains, tests and saves it."""
import json
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pytest
import torch
from PIL import Image

from fastlab.cli import run
from fastlab.images.arrays import Arrays
from fastlab.nets.steps import steps
from fastlab.recipeoptions import recipe_from
from fastlab.training.modelfile import load_model, save_model
from fastlab.training.recipe import RECIPE_2012, Recipe
from fastlab.training.run import learner_for
from fastlab.training.test import test as tested_on

RED, GREEN, BLUE = (220, 30, 30), (30, 200, 40), (30, 40, 210)
SMALL = ["--width", "0.05", "--epochs", "1", "--threads", "1", "--precision", "fp32", "--json"]


def banded(width, height):
    "Green in the centre square, red before it and blue after it along the longer side."
    pixels = np.full((height, width, 3), GREEN, np.uint8)
    before = abs(height - width) // 2
    along = pixels if height > width else pixels.swapaxes(0, 1)
    along[:before], along[len(along) - before:] = RED, BLUE
    return Image.fromarray(pixels)


def noisy(rng, brightness):
    "A photograph of nothing: a gradient and coarse noise."
    coarse = rng.normal(brightness, 40, (30, 40, 3)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(coarse).resize((400, 300), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    "A folder of 2 classes, 8 / 2 / 3 photographs each, those to train on darker than the others."
    folder, rng = tmp_path_factory.mktemp("photographs"), np.random.default_rng(3)
    for split, count, brightness in (("train", 4, 70), ("develop", 2, 200), ("test", 3, 220)):
        for name in ("sea", "sky"):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                noisy(rng, brightness).save(folder / split / name / f"{number}.jpg")
            if split == "train":
                banded(300, 600).save(folder / split / name / "tall.png")
                banded(640, 320).save(folder / split / name / "wide.png")
                Image.fromarray(np.arange(400 * 300, dtype=np.uint32).reshape(300, 400).astype(np.uint8)).save(
                    folder / split / name / "grey.jpg")
                Image.new("RGBA", (320, 300), (0, 0, 0, 0)).save(folder / split / name / "clear.png")
    return folder


@pytest.fixture(scope="module")
def trained(photographs, tmp_path_factory):
    "(the figures that `fastlab train FOLDER --net alexnet2012` told, its model file)."
    return train_2012(photographs, tmp_path_factory.mktemp("models") / "a.safetensors")


def train_2012(folder, path, *options):
    "What `fastlab train FOLDER --net alexnet2012` told, and where it saved the network."
    told = StringIO()
    with redirect_stdout(told):
        assert run(["train", str(folder), "--net", "alexnet2012", "--save", str(path), *SMALL, *options]) == 0
    return json.loads(told.getvalue()), path


def test_the_command_trains_the_recipe_of_2012(trained):
    "Krizhevsky et al. 2012, section 5, and section 4.1 for the crops."
    recipe = trained[0]["recipe"]
    paper = {"batch_size": 128, "optimizer": "sgd", "momentum": 0.9, "lr": 1e-2, "schedule": "plateau", "l2": 5e-4,
             "dropout": 0.5, "lrn": "paper", "augment": "crop+mirror", "size": 256, "crop": 224, "channels": 3}
    assert {name: recipe[name] for name in paper} == paper
    whole = recipe_from({"net": "alexnet2012"})
    assert whole == Recipe(**RECIPE_2012) == Recipe.for_net("alexnet2012")
    assert {name: value for name, value in recipe.items() if name not in ("width", "epochs", "precision")} == {
        name: value for name, value in whole.resolved(3, 256).to_dict().items()
        if name not in ("width", "epochs", "precision")}


def test_photographs_come_in_as_the_centre_of_their_short_side(photographs):
    arrays = Arrays.from_folder(photographs, 3, 256)
    assert arrays.images.shape == (2 * 13, 256, 256, 3)
    pixels = {file.split("/")[-1]: arrays.images[row].astype(int) for row, file in enumerate(arrays.files)
              if file.startswith("train/sea/")}
    for name in ("tall.png", "wide.png"):   # the green centre square alone; its rim may blend with what was cut off
        assert np.abs(pixels[name][2:-2, 2:-2] - GREEN).max() <= 2
    assert (pixels["clear.png"] == 255).all()
    grey = pixels["grey.jpg"]
    assert (grey == grey[:, :, :1]).all()
    assert np.ptp(grey) > 200


def test_mean_and_deviation_are_those_of_train_alone_and_in_the_model_file(photographs, trained):
    arrays = Arrays.from_folder(photographs, 3, 256)
    shares = arrays.images[[file.startswith("train/") for file in arrays.files]].astype(np.float64) / 255
    told = load_model(trained[1]).input
    assert told["mean"] == pytest.approx(shares.mean((0, 1, 2)))
    assert told["deviation"] == pytest.approx(shares.std((0, 1, 2)))
    assert np.abs(np.array(told["mean"]) - arrays.images.mean((0, 1, 2)) / 255).max() > 0.02
    assert (told["size"], told["crop"], told["channels"]) == (256, 224, 3)


def test_224_is_padded_and_227_is_not(photographs, trained, tmp_path):
    "Also pool before norm, groups and the paper's start, said on the command line; shapes from the report's table."
    _, path = train_2012(photographs, tmp_path / "b.safetensors", "--crop", "227", "--switch", "order=pool-norm",
                         "--switch", "grouped=true", "--switch", "init=paper")
    first, second = load_model(trained[1]), load_model(path)
    assert (first.net.conv1.padding, second.net.conv1.padding) == ((2, 2), (0, 0))
    for model, crop in ((first, 224), (second, 227)):
        shapes = {step.name: step.shape[1:] for step in steps(model.net, 3, crop)}
        assert [shapes[name][0] for name in ("conv1", "pool1", "conv2", "pool2", "conv5", "pool5")] == [55, 27, 27, 13,
                                                                                                        13, 6]
    names = [name for name, _ in first.net.named_children()]
    assert names[:4] == ["conv1", "relu1", "lrn1", "pool1"]
    names = [name for name, _ in second.net.named_children()]
    assert names[:4] == ["conv1", "pool1", "relu1", "lrn1"]
    assert [part.groups for part in (first.net.conv2, second.net.conv2, second.net.conv3)] == [1, 2, 1]
    assert dict(second.recipe.switches) == {"order": "pool-norm", "grouped": True, "init": "paper"}
    assert float(second.net.conv2.bias.detach().min()) > 0.9 > 0.5 > float(first.net.conv2.bias.detach().abs().max())


def test_width_scales_maps_and_units(trained):
    net = load_model(trained[1]).net
    filters = [part.out_channels for part in net.modules() if isinstance(part, torch.nn.Conv2d)]
    assert filters == [round(count * 0.05) for count in (96, 256, 384, 384, 256)]
    assert (net.linear6.out_features, net.linear7.out_features, net.linear8.out_features) == (205, 205, 2)


def test_ten_crops_and_an_ensemble_together(photographs, trained, tmp_path, capsys):
    other = train_2012(photographs, tmp_path / "b.safetensors", "--seed", "1")[1]
    arrays = Arrays.from_folder(photographs, 3, 256)
    rows, paths = arrays.splits["test"], [tmp_path / "a2.safetensors", tmp_path / "b2.safetensors"]
    for path, spread_out in zip((trained[1], other), paths):    # after one epoch every image has the same answer
        spread(path, spread_out, arrays.images[rows])
    assert run(["test", *map(str, paths), str(photographs), "--ten-crop", "--json"]) == 0
    told, said = capsys.readouterr()
    figures = json.loads(told)
    each = [ten_crops_by_hand(load_model(path), arrays.images[rows]) for path in paths]
    together = (each[0] + each[1]) / 2
    found = tested_on(paths, photographs, ten_crop=True)
    assert np.abs(found.probabilities - together).max() < 1e-4
    assert np.abs(each[0] - each[1]).max() > 0.05 < np.ptp(each[0])
    alone = [float((shares.argmax(1) == arrays.labels[rows]).mean()) for shares in each]
    accuracy = float((together.argmax(1) == arrays.labels[rows]).mean())
    assert (figures["crops"], figures["accuracy"], figures["single_accuracies"]) == (10, accuracy, alone)
    assert figures["gain"] == pytest.approx(100 * (accuracy - np.mean(alone)))
    assert "10 crops an image" in said
    assert f"together {figures['gain']:+.2f} points over their mean" in said


def spread(path, other, images):
    "The network in a file with its last layer shifted and scaled until these images' answers differ, saved as another."
    model = load_model(path)
    with torch.no_grad():
        scores = torch.from_numpy(np.log(model.probabilities(images)))
        model.net.linear8.weight.div_(scores.std(0).mean())
        model.net.linear8.bias.sub_(scores.mean(0)).div_(scores.std(0).mean())
    save_model(other, model)


def ten_crops_by_hand(model, images):
    "Section 4.1 of the paper in a plain loop: each crop of each image by itself, its probabilities averaged."
    mean, deviation = np.array(model.input["mean"]), np.array(model.input["deviation"])
    shares = []
    for image in images:
        views = []
        for top, left in ((0, 0), (0, 32), (32, 0), (32, 32), (16, 16)):
            view = (image[top:top + 224, left:left + 224] / 255 - mean) / deviation
            views += [view, view[:, ::-1]]
        pixels = torch.from_numpy(np.stack(views).transpose(0, 3, 1, 2)).float()
        with torch.no_grad():
            shares.append(model.net(pixels).softmax(1).mean(0).numpy())
    return np.stack(shares)


def test_few_images_leave_the_papers_start_stuck_and_the_usual_one_learns(write_shapes, tmp_path):
    "64 drawn shapes, 48 steps, two seeds: the loss of a network that tells nothing is ln 4."
    arrays = Arrays.from_folder(write_shapes(tmp_path / "shapes", 25, 5, 72, (160, 20, 30)), 3, 72)
    losses = {}
    for switches in ({}, {"init": "modern"}, {"init": "paper"}):
        for seed in (0, 1):
            recipe = Recipe.for_net("alexnet2012", size=72, crop=67, batch_size=16, width=0.1, epochs=12, lr=3e-3,
                                    schedule="constant", augment="none", dropout=0, switches=switches, precision="fp32")
            learn = learner_for(arrays, recipe, seed)
            with learn.no_bar(), learn.no_logging():
                learn.fit_recipe()
            curve = [epoch["train_loss"] for epoch in learn.history]
            losses.setdefault(switches.get("init", "usual"), []).append(curve)
    assert losses["usual"] == losses["modern"]
    assert max(min(curve) for curve in losses["modern"]) < 0.5
    assert min(min(curve) for curve in losses["paper"]) > 0.95 * np.log(4)


@pytest.mark.parametrize(("text", "value"), [("order=pool-norm", "pool-norm"), ("grouped=true", True),
                                             ("x=False", False), ("padding=2", 2), ("x=-1.5", -1.5),
                                             ("x=a=b", "a=b"), ("x=", "")])
def test_a_switch_is_said_on_the_command_line_as_a_word_a_number_true_or_false(text, value):
    (told,) = dict(recipe_from({"net": "alexnet2012"}, [text]).switches).values()
    assert told == value
    assert type(told) is type(value)


def test_a_recipe_file_is_laid_over_the_networks_usual_recipe(tmp_path, capsys):
    (tmp_path / "a.toml").write_text('[recipe]\nnet = "alexnet2012"\nepochs = 3\nswitches = { order = "pool-norm" }\n')
    recipe = recipe_from({"width": 0.5}, ["grouped=true"], tmp_path / "a.toml")
    assert recipe == Recipe.for_net("alexnet2012", epochs=3, width=0.5,
                                    switches={"order": "pool-norm", "grouped": True})
    (tmp_path / "a.toml").write_text('net = "lenet"\nepoch = 3\n')
    assert run(["train", "--recipe", str(tmp_path / "a.toml")]) == 2
    assert "Did you mean 'epochs'" in capsys.readouterr().err
    (tmp_path / "a.toml").write_text("recipe = 3\n")
    assert run(["train", "--recipe", str(tmp_path / "a.toml")]) == 2
    assert "[recipe]" in capsys.readouterr().err
