"""Which networks are shown, and what is said where there is none."""
import base64
import os
import re
import sys

import numpy as np
import pytest
from starlette.testclient import TestClient
from torch import nn

from fastlab.cli import run
from fastlab.errors import ModelFileError, OptionError
from fastlab.page import packaged
from fastlab.page.command import app_of, draw_command
from fastlab.page.packaged import MOST_MODELS, models_to_show, packaged_model
from fastlab.strokes.dataset import draw_split
from fastlab.strokes.table import NAMES
from fastlab.training.modelfile import load_model, save_model
from fastlab.training.predict import predict


def test_named_models_are_shown_as_they_are_named(tmp_path):
    assert models_to_show(["a", "b"], tmp_path) == ([tmp_path.__class__("a"), tmp_path.__class__("b")], "")


def test_too_many_models_are_refused():
    with pytest.raises(OptionError, match="MODEL"):
        models_to_show(["a"] * (MOST_MODELS + 1))


def test_the_newest_of_models_is_shown_and_named(tmp_path):
    for age, name in enumerate(["new", "old", "older"]):
        (tmp_path / f"{name}.safetensors").write_bytes(b"")
        os.utime(tmp_path / f"{name}.safetensors", (1000 - age, 1000 - age))
    paths, said = models_to_show([], tmp_path)
    assert paths == [tmp_path / "new.safetensors"]
    assert "new.safetensors" in said


def test_without_any_model_it_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setattr(packaged, "packaged_model", lambda: None)
    with pytest.raises(OptionError, match="fastlab train --save"):
        models_to_show([], tmp_path / "models")


def test_without_any_model_the_packaged_one_is_offered_and_said(tmp_path, monkeypatch):
    monkeypatch.setattr(packaged, "packaged_model", lambda: tmp_path / "lenet-strokes.safetensors")
    paths, said = models_to_show([], tmp_path / "models")
    assert paths == [tmp_path / "lenet-strokes.safetensors"]
    assert "comes with fastlab" in said


def test_the_packaged_model_reads_hands_that_it_was_not_trained_on():
    images = draw_split("test", 25, seed=1)
    told = predict(load_model(packaged_model()), list(images.reshape(-1, 28, 28)))
    assert told.names == NAMES
    assert (told.predicted == np.repeat(np.arange(12), 25)).mean() > 0.95


def test_a_packaged_model_that_is_not_there_is_none(monkeypatch):
    monkeypatch.setattr(packaged, "PACKAGED", ("fastlab.training", "left out.safetensors"))
    assert packaged_model() is None


def test_a_model_that_cannot_be_loaded_is_said_before_anything_is_served(tmp_path, capsys):
    with pytest.raises(ModelFileError, match=r"none\.safetensors"):
        app_of([tmp_path / "none.safetensors"])
    with pytest.raises(ModelFileError):
        draw_command([tmp_path / "none.safetensors"], no_open=True)
    assert capsys.readouterr().out == ""


CODE = """
from torch import nn

def flat(classes, channels, size):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, classes))
"""


def test_a_network_of_ones_own_is_drawn_for_once_it_is_named(make, tmp_path, monkeypatch, capsys):
    "Beside one of fastlab's. It has no maps to show, and its answers are those of `predict`."
    (tmp_path / "visitors_networks.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    paths = [str(tmp_path / name) for name in ("own.safetensors", "lenet.safetensors")]
    for path, net in zip(paths, ("visitors_networks:flat", "lenet")):
        save_model(path, make.model(net))
    monkeypatch.delitem(sys.modules, "visitors_networks")
    assert run(["draw", *paths, "--no-open"]) == 2
    assert re.search("--net visitors_networks:flat .*draw", capsys.readouterr().err)
    assert "visitors_networks" not in sys.modules
    pages = []
    monkeypatch.setattr("fastlab.page.serving.Place.serve", lambda place, page, opened: pages.append(page))
    with pytest.raises(SystemExit, match="130"):
        run(["draw", *paths, "--port", "0", "--no-open", "--net", "visitors_networks:flat"])
    with TestClient(pages[0]) as visitor:
        own, lenet = visitor.post("/api/read", json={"strokes": make.cross}).json()["models"]
    sys.modules.pop("visitors_networks")
    assert (own["layers"], own["looked"]) == ([], None)
    assert len(lenet["layers"]) == 2
    pixels = np.frombuffer(base64.b64decode(own["seen"]["pixels"]), np.uint8).reshape(28, 28)
    told = predict(load_model(paths[0], flat), [pixels]).probabilities[0]
    np.testing.assert_allclose(own["probabilities"], told, atol=1e-6)


def flat(classes, channels, size):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, classes))


def test_a_class_is_called_as_the_first_network_calls_it_where_drawings_are_kept(make, tmp_path):
    paths = [tmp_path / "first.safetensors", tmp_path / "last.safetensors"]
    for path, names in zip(paths, (("cat", "dog"), ("CAT", "DOG", "owl"))):
        save_model(path, make.model(classes=tuple("123"[:len(names)]), names=names))
    with TestClient(app_of(paths, tmp_path / "kept")) as client:
        keeping = client.get("/api/about").json()["keeping"]
    assert [(told["class"], told["name"]) for told in keeping] == [("1", "cat"), ("2", "dog"), ("3", "owl")]


def test_a_token_that_no_address_can_carry_is_refused():
    with pytest.raises(OptionError, match="--token"):
        draw_command(["x"], token="博")
