"""Starting from trained weights through the command line: frozen or fine-tuned, fastlab's networks or torchvision's."""
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from fastlab.cli import run
from fastlab.images.batches import arrays_dataloaders
from fastlab.nets import build
from fastlab.training.learner import lab_learner
from fastlab.training.modelfile import load_model
from fastlab.training.recipe import Recipe

QUICK = ["--epochs", "2", "--threads", "1", "--precision", "fp32"]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    "The state dict of a LeNet of 7 classes, none of its weights those of a start."
    path = tmp_path_factory.mktemp("weights") / "lenet.safetensors"
    torch.manual_seed(8)
    net = build("lenet", 7)
    net.train()(torch.randn(16, 1, 28, 28))
    save_file(net.state_dict(), path)
    return path


def weights_after(folder, path, *options):
    "The state dict of what `fastlab train` saved."
    assert run(["train", str(folder), *QUICK, *options, "--save", str(path)]) == 0
    return load_model(path).net.state_dict()


def test_a_frozen_body_stays_and_the_head_learns(split_shapes, stored, tmp_path):
    found = weights_after(split_shapes, tmp_path / "a.safetensors", "--weights", str(stored), "--freeze", "2")
    body = load_file(stored)
    for name in ("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias"):
        assert torch.equal(found[name], body[name])
    start = weights_after(split_shapes, tmp_path / "b.safetensors", "--weights", str(stored), "--lr", "1e-12")
    assert found["linear.weight"].shape == (4, 1568)
    assert not torch.allclose(found["linear.weight"], start["linear.weight"], atol=1e-4)


def test_fine_tuning_goes_on_from_the_weights(split_shapes, stored, tmp_path):
    body = load_file(stored)
    still = weights_after(split_shapes, tmp_path / "a.safetensors", "--weights", str(stored), "--lr", "1e-9")
    assert torch.allclose(still["conv2.weight"], body["conv2.weight"], atol=1e-6)
    moved = weights_after(split_shapes, tmp_path / "b.safetensors", "--weights", str(stored), "--freeze", "1")
    distance = (moved["conv2.weight"] - body["conv2.weight"]).abs()
    assert 1e-4 < float(distance.mean()) < float(body["conv2.weight"].std())


def test_a_model_file_is_a_file_of_weights_and_is_not_needed_afterwards(split_shapes, stored, tmp_path, capsys):
    first = tmp_path / "first.safetensors"
    body = weights_after(split_shapes, first, "--epochs", "1")
    found = weights_after(split_shapes, tmp_path / "second.safetensors", "--weights", str(first), "--freeze", "2")
    assert torch.equal(found["conv2.weight"], body["conv2.weight"])
    first.unlink()
    assert run(["test", str(tmp_path / "second.safetensors"), str(split_shapes), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["n"] == 24


def test_a_mismatch_names_tensors_and_shapes_before_anything_is_trained(split_shapes, stored, tmp_path, capsys):
    path = tmp_path / "a.safetensors"
    assert run(["train", str(split_shapes), "--weights", str(stored), "--width", "0.5", "--save", str(path),
                "--json"]) == 2
    told, said = capsys.readouterr()
    error = json.loads(told)["error"]
    for words in (str(stored), "conv1.weight is (16, 1, 5, 5) and the network's is (8, 1, 5, 5)",
                  "norm2.running_var is (32,) and the network's is (16,)"):
        assert words in error
    assert "Traceback" not in said
    assert not path.exists()
    assert run(["train", str(split_shapes), "--weights", str(stored), "--norm", "none"]) == 2
    assert "norm1.weight (16,) is not in the network" in capsys.readouterr().err
    assert run(["train", str(split_shapes), "--weights", str(tmp_path / "none.safetensors")]) == 2
    assert "none.safetensors" in capsys.readouterr().err


@pytest.fixture
def no_network(monkeypatch):
    "Whatever asks for a connection fails."
    import socket

    def refused(*arguments, **options):
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


def test_torchvisions_networks_train_from_scratch_and_from_a_file_on_disk(colour_shapes, tmp_path, no_network, capsys):
    from torchvision.models import shufflenet_v2_x0_5
    torch.manual_seed(1)
    source = shufflenet_v2_x0_5(weights=None).state_dict()  # 1000 classes, as torchvision's own files have
    save_file(source, tmp_path / "shufflenet.safetensors")
    options = ["--net", "torchvision:shufflenet_v2_x0_5", "--size", "32", "--batch-size", "16"]
    found = weights_after(colour_shapes, tmp_path / "a.safetensors", *options, "--weights",
                          str(tmp_path / "shufflenet.safetensors"), "--freeze", "2")
    assert torch.equal(found["stage4.3.branch2.0.weight"], source["stage4.3.branch2.0.weight"])
    assert found["fc.weight"].shape == (4, 1024)
    scratch = weights_after(colour_shapes, tmp_path / "b.safetensors", *options, "--epochs", "1")
    assert not torch.allclose(scratch["stage4.3.branch2.0.weight"], source["stage4.3.branch2.0.weight"], atol=1e-3)
    capsys.readouterr()
    shutil.move(tmp_path / "shufflenet.safetensors", tmp_path / "gone")
    assert run(["test", str(tmp_path / "a.safetensors"), str(colour_shapes), "--json"]) == 0
    assert 0 <= json.loads(capsys.readouterr().out.splitlines()[-1])["accuracy"] <= 1


def test_fastais_layer_groups_freeze_and_fine_tune(shape_arrays, stored):
    learn = lab_learner(arrays_dataloaders(shape_arrays, 24), Recipe(weights=str(stored), precision="fp32"))
    body = load_file(stored)
    with learn.no_bar(), learn.no_logging():
        learn.freeze()
        learn.fit(1, 1e-2)
        assert torch.equal(learn.model.conv2.weight, body["conv2.weight"])
        learn.fine_tune(1, 1e-2)
    assert not torch.equal(learn.model.conv2.weight, body["conv2.weight"])
    assert [len(group) for group in learn.opt.param_lists] == [8, 2]


def test_a_damaged_file_of_fastlabs_own_is_an_error_and_no_start(split_shapes, tmp_path, capsys):
    saved = tmp_path / "a.safetensors"
    weights_after(split_shapes, saved, "--epochs", "1")
    content = bytearray(saved.read_bytes())
    content[-3] ^= 1                        # still finite numbers, and the header is whole
    saved.write_bytes(content)
    capsys.readouterr()
    assert run(["train", str(split_shapes), *QUICK, "--weights", str(saved)]) == 2
    assert "damaged or was changed" in capsys.readouterr().err
