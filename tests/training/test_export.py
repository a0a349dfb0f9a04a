"""Exported networks: the same probabilities from another program, and a file that is whole, or not there."""
import json
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from PIL import Image
from torch import nn

from fastlab.cli import run
from fastlab.errors import FolderError, ImageError, ModelFileError, OptionError
from fastlab.nets import LocalResponseNorm, build
from fastlab.nets.weights import head_of
from fastlab.training import export as exporting
from fastlab.training.export import PixelsToProbabilities, compared_images, export_model, onnx_bytes
from fastlab.training.modelfile import Model, load_model, save_model
from fastlab.training.recipe import Recipe

CLASSES, NAMES = ("1", "2", "10"), ("博", "学", "无")
MEAN, DEVIATION = (0.9, 0.6, 0.4), (0.25, 0.3, 0.2)


def model_with(net, channels=1, size=28, crop=None, **fields):
    """A Model whose answers are far from uniform, so that a wrong number in it shows: statistics and biases that are
    not those of the start, a steep head, and normalisation that does much."""
    crop = crop or size
    recipe = Recipe(net=net, size=size, crop=crop, channels=channels, precision="fp32", **fields)
    recipe = recipe.resolved(channels, size)
    torch.manual_seed(4)
    network = build(net, len(CLASSES), channels, crop, recipe.norm, recipe.dropout, recipe.lrn, recipe.width,
                    **dict(recipe.switches))
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.running_mean, std=0.1)
            nn.init.uniform_(part.running_var, 0.5, 2)
        if isinstance(part, LocalResponseNorm):
            part.scale = 0.3
    told = {"size": size, "crop": crop, "channels": channels, "mean": list(MEAN[:channels]),
            "deviation": list(DEVIATION[:channels])}
    model = Model(network.eval(), recipe, CLASSES, NAMES, told, tested={"accuracy": 0.5, "n": 4})
    steepen(model)
    return model


def steepen(model):
    "Scales the head until the scores of noise differ by a few units between classes."
    head = head_of(model.net)[1]
    scores = expected(model, noise(model, 8), shares=False)
    with torch.no_grad():
        head.weight.mul_(3 / scores.std())
        head.bias.mul_(3 / scores.std())


def noise(model, count):
    size, channels = model.input["size"], model.input["channels"]
    return np.random.default_rng(count).integers(0, 256, (count, size, size, channels), dtype=np.uint8)


def cut(model, images):
    "The centre that the network sees, float32 (N, C, crop, crop), 0 … 255."
    crop = model.input["crop"]
    at = (model.input["size"] - crop) // 2
    return np.ascontiguousarray(images[:, at:at + crop, at:at + crop].transpose(0, 3, 1, 2), dtype=np.float32)


def expected(model, images, shares=True):
    "Probabilities in float64, the pixels normalised by numpy."
    mean, deviation = (np.array(model.input[name]).reshape(1, -1, 1, 1) for name in ("mean", "deviation"))
    pixels = torch.from_numpy((cut(model, images).astype(np.float64) / 255 - mean) / deviation)
    net = model.net.double()
    with torch.no_grad():
        scores = net(pixels)
    net.float()
    return (scores.softmax(1) if shares else scores).numpy()


def answers(content, pixels):
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: pixels})[0]


@pytest.mark.parametrize(("net", "options"), [
    ("lenet-classic", {"norm": "batch", "switches": {"activation": "relu", "pooling": "max"}}),
    ("alexnet", {"norm": "batch", "width": 0.2, "lrn": "torch"}),
    ("alexnet", {"channels": 3, "size": 32, "crop": 28, "augment": "crop", "width": 0.2, "lrn": "paper"}),
    ("alexnet2012", {"channels": 3, "size": 80, "crop": 67, "width": 0.45, "augment": "crop+mirror"}),
    ("alexnet2012", {"channels": 3, "size": 67, "width": 0.1, "lrn": "torch", "norm": "batch",
                     "switches": {"order": "pool-norm", "grouped": True}}),
    ("torchvision:resnet18", {"channels": 3, "size": 40}),
])
def test_every_network_answers_the_same_elsewhere(net, options, tmp_path):
    model = model_with(net, **options)
    images = noise(model, 5)
    told = export_model(model, tmp_path / "net.onnx", images)
    content = (tmp_path / "net.onnx").read_bytes()
    found, wanted = answers(content, cut(model, images)), expected(model, images)
    assert found.dtype == np.float32
    assert np.abs(found - wanted).max() < 1e-4
    assert told <= 1e-4
    assert np.ptp(wanted) > 0.5     # else 1e-4 would be no test
    for count in (1, 3):            # any number of images at once
        assert np.abs(answers(content, cut(model, images[:count])) - wanted[:count]).max() < 1e-4


def test_the_file_alone_says_how_to_use_it():
    model = model_with("alexnet", channels=3, size=32, crop=28, augment="crop", width=0.1)
    content = onnx_bytes(model)
    proto = onnx.load_from_string(content)
    onnx.checker.check_model(proto, full_check=True)
    told = {each.key: json.loads(each.value) for each in proto.metadata_props}
    assert (told["classes"], told["names"], told["input"]) == (list(CLASSES), list(NAMES), model.input)
    assert told["tested"] == {"accuracy": 0.5, "n": 4}
    assert told.keys() == {"recipe", "classes", "names", "input", "tested"}     # nothing of the images trained on
    assert Recipe.from_dict(told["recipe"]) == model.recipe
    (taken,), (given,) = proto.graph.input, proto.graph.output
    sides = [side.dim_param or side.dim_value for side in taken.type.tensor_type.shape.dim]
    assert (taken.name, sides) == ("pixels", ["batch", 3, 28, 28])
    assert (given.name, given.type.tensor_type.elem_type) == ("probabilities", onnx.TensorProto.FLOAT)
    assert "short side scaled to 32" in proto.doc_string
    assert onnx_bytes(model) == content
    assert b".py" not in content    # no path of the machine that wrote it


def test_the_network_stays_as_it_was():
    model = model_with("alexnet2012", channels=3, size=67, width=0.45)
    model.net.train()
    before = {name: tensor.clone() for name, tensor in model.net.state_dict().items()}
    PixelsToProbabilities(model)
    assert model.net.training
    assert (model.net.lrn1.by_shifts, model.net.lrn1.band) == (True, None)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.net.state_dict().items())


@pytest.fixture(scope="module")
def exported():
    "A LeNet and its ONNX file."
    model = model_with("lenet")
    return model, onnx_bytes(model)


def test_onnxs_own_evaluator_in_numpy_agrees(exported):
    model, content = exported
    images = noise(model, 4)
    found = ReferenceEvaluator(onnx.load_from_string(content)).run(None, {"pixels": cut(model, images)})[0]
    assert np.abs(found - expected(model, images)).max() < 1e-5


@pytest.mark.parametrize("wrong", [3e-4, float("nan")])
def test_answers_that_differ_are_not_written(wrong, exported, tmp_path, monkeypatch):
    (_, content), model, path = exported, model_with("lenet"), tmp_path / "net.onnx"
    path.write_bytes(b"of yesterday")
    with torch.no_grad():
        model.net.linear.bias[0] += wrong * 20
    monkeypatch.setattr(exporting, "onnx_bytes", lambda model: content)
    with pytest.raises(ModelFileError, match="not written"):
        export_model(model, path, noise(model, 40))
    assert path.read_bytes() == b"of yesterday"
    assert list(tmp_path.iterdir()) == [path]


class ByImage(nn.Module):
    "A network that does something else for dark images than for light ones: no fixed steps to export."

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(784, 3)

    def forward(self, images):
        flat = images.flatten(1)
        return self.linear(flat if flat.sum() > 0 else -flat)


def test_a_network_without_fixed_steps_is_refused_in_one_line(tmp_path):
    model = model_with("lenet")
    model.net = ByImage().eval()
    with pytest.raises(ModelFileError, match="cannot be exported") as caught:
        export_model(model, tmp_path / "net.onnx", noise(model, 2))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_is_said_with_the_line_that_installs_it(package, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)     # as Python marks what cannot be imported
    model = model_with("lenet")
    with pytest.raises(OptionError, match=rf"'{package}'.*pip install 'fastlab\[onnx\]'"):
        export_model(model, tmp_path / "net.onnx", noise(model, 2))
    assert not list(tmp_path.iterdir())


def test_compared_images_are_spread_over_the_folder_and_opened_as_the_network_takes_them(tmp_path):
    for number in range(250):
        (tmp_path / str(number % 2)).mkdir(exist_ok=True)
        Image.new("L", (40, 40), number).save(tmp_path / str(number % 2) / f"{number}.png")
    images = compared_images(model_with("alexnet", channels=3, size=32, width=0.1), tmp_path)
    assert images.shape == (100, 32, 32, 3)
    values = images[:, 0, 0, 0].tolist()
    assert {values[0], values[-1]} == {0, 249}
    assert len(set(values)) == 100
    with pytest.raises(FolderError, match="no image"):
        compared_images(model_with("lenet"), tmp_path / "nowhere")
    (tmp_path / "0" / "0.png").write_bytes(b"")
    with pytest.raises(ImageError, match=r"0\.png"):
        compared_images(model_with("lenet"), tmp_path)


def test_the_command_writes_beside_the_model_and_replaces_only_what_is_named(split_shapes, exported, tmp_path, capsys,
                                                                             monkeypatch):
    path = tmp_path / "lenet.safetensors"
    save_model(path, exported[0])
    assert run(["export", str(path), str(split_shapes), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    written = tmp_path / "lenet.onnx"
    assert figures == {"file": str(written), "max_difference": figures["max_difference"], "images": 100}
    assert 0 <= figures["max_difference"] <= 1e-4
    image = np.array(Image.open(split_shapes / "test" / "10" / "2.png"))[None, :, :, None]
    loaded = load_model(path)
    assert np.abs(answers(written.read_bytes(), cut(loaded, image)) - loaded.probabilities(image)).max() < 1e-5
    monkeypatch.setattr(exporting, "onnx_bytes", lambda model: exported[1])     # the same network's, made already
    written.write_bytes(b"mine")
    assert run(["export", str(path), str(split_shapes)]) == 2
    assert "--out" in capsys.readouterr().err
    assert written.read_bytes() == b"mine"
    kept = path.read_bytes()
    assert run(["export", str(path), str(split_shapes), "--out", str(path)]) == 2
    assert path.read_bytes() == kept
    assert run(["export", str(path), str(split_shapes), "--out", str(written)]) == 0
    assert written.read_bytes() == exported[1]
