"""Model files: what was saved comes back; what a stranger wrote is believed only as far as it fits."""
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from forging import parts_of, written
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from trainings import QUICK, fitted, learner_for, same

from fastlab.errors import ModelFileError, StorageError
from fastlab.images.arrays import Arrays
from fastlab.nets.registry import NETS
from fastlab.training.evaluate import scores
from fastlab.training.learner import lab_learner
from fastlab.training.modelfile import Model, load_model, save_model
from fastlab.training.recipe import Recipe
from fastlab.training.train import model_of


@pytest.fixture(scope="module")
def model(shape_arrays):
    trained = model_of(fitted(shape_arrays, QUICK.changed(precision="fp32")))
    trained.tested = {"accuracy": 0.75, "interval": [0.5, 0.9], "n": 24}
    return trained


# -- what was saved comes back -----------------------------------------------------------------------------------------
def test_a_saved_network_predicts_and_tells_the_same_and_is_saved_to_the_same_bytes(model, shape_arrays, tmp_path):
    save_model(tmp_path / "a.safetensors", model)
    loaded = load_model(str(tmp_path / "a.safetensors"))
    assert np.array_equal(loaded.probabilities(shape_arrays.images), model.probabilities(shape_arrays.images))
    assert loaded.metadata == model.metadata
    assert loaded.recipe == model.recipe
    assert loaded.path == tmp_path / "a.safetensors"
    assert not loaded.net.training
    save_model(tmp_path / "b.safetensors", loaded)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


@pytest.mark.parametrize("net", [*NETS, "torchvision:squeezenet1_1"])
def test_every_network_of_ours_is_built_again_by_name(net, tmp_path):
    size, channels = {"alexnet2012": (80, 3), "torchvision:squeezenet1_1": (32, 3)}.get(net, (28, 1))
    width = 1.0 if net.startswith("torch") else 0.125
    pixels = np.random.default_rng(0).integers(0, 256, (12, size, size, channels), dtype=np.uint8)
    arrays = Arrays(pixels, np.arange(12) % 3, {"train": np.arange(6), "develop": np.arange(6, 12), "test": []},
                    ("a", "b", "c"), ("A", "B", "C"))
    made = model_of(learner_for(arrays, Recipe(net=net, width=width, precision="fp32"), 0))
    save_model(tmp_path / "a.safetensors", made)
    assert same(load_model(tmp_path / "a.safetensors").net.state_dict(), made.net.state_dict())


def test_loading_draws_no_random_number_of_the_programs(model, tmp_path):
    save_model(tmp_path / "a.safetensors", model)
    state = torch.get_rng_state()
    load_model(tmp_path / "a.safetensors")
    assert torch.equal(torch.get_rng_state(), state)


def test_a_file_written_by_hand_as_the_format_says_is_read(model, shape_arrays, tmp_path):
    loaded = load_model(written(tmp_path / "a.safetensors", *parts_of(model)))
    assert np.array_equal(loaded.probabilities(shape_arrays.images), model.probabilities(shape_arrays.images))


@pytest.mark.parametrize(("trained_in", "hardware", "predicts_in"), [
    ("bf16", True, "bf16"), ("bf16", False, "fp32"), ("fp32", True, "fp32"), ("fp32", False, "fp32")])
def test_a_network_predicts_in_its_precision_where_the_hardware_has_it_else_in_fp32(
        model, shape_arrays, monkeypatch, trained_in, hardware, predicts_in):
    monkeypatch.setattr("fastlab.training.machine.has_fast_bf16", lambda device: hardware)
    other = replace(model, recipe=model.recipe.changed(precision=trained_in))
    wanted = scores(model.net, shape_arrays.images, *shape_arrays.statistics, precision=predicts_in).softmax(1).numpy()
    assert other.calculates_in == predicts_in
    assert np.array_equal(other.probabilities(shape_arrays.images), wanted)


# -- saving, whole or not at all ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_neither_saved_nor_loaded(shape_arrays, tmp_path, value):
    broken = model_of(learner_for(shape_arrays, QUICK, 0))
    texts, tensors = parts_of(broken)
    path = written(tmp_path / "forged.safetensors", texts, {**tensors, "conv1.bias": np.array(
        [value] + [0] * (len(tensors["conv1.bias"]) - 1), np.float32)})
    with pytest.raises(ModelFileError, match=r"forged\.safetensors: the tensor 'conv1\.bias' holds.*not finite"):
        load_model(path)
    with torch.no_grad():
        broken.net.conv1.bias[0] = value
    path = tmp_path / "kept.safetensors"
    path.write_bytes(b"what was there")
    with pytest.raises(ModelFileError, match=r"not saved: the tensor 'conv1\.bias'"):
        save_model(path, broken)
    assert path.read_bytes() == b"what was there"


def test_a_full_disk_leaves_what_was_there(model, tmp_path, monkeypatch):
    from errno import ENOSPC
    path = tmp_path / "kept.safetensors"
    path.write_bytes(b"what was there")

    def full(handle):
        raise OSError(ENOSPC, "No space left on device")
    monkeypatch.setattr("fastlab.files.os.fsync", full)
    with pytest.raises(StorageError, match=r"kept\.safetensors: the disk is full; free some space"):
        save_model(path, model)
    assert [each.name for each in tmp_path.iterdir()] == ["kept.safetensors"]
    assert path.read_bytes() == b"what was there"


def test_a_description_that_is_no_plain_data_is_not_saved(model, tmp_path):
    for odd in ({"accuracy": float("nan")}, {"accuracy": {1, 2}}):
        wrong = Model(model.net, model.recipe, model.classes, model.names, model.input, tested=odd)
        with pytest.raises(ModelFileError, match="not plain data"):
            save_model(tmp_path / "a.safetensors", wrong)
    assert list(tmp_path.iterdir()) == []


# -- what a stranger wrote ---------------------------------------------------------------------------------------------
NASTY = [None, True, 0, -1, 2, 3, 10 ** 30, 1.5, "", "x", "../../x", [], [[]], [None], [["1", "a"]], [["1"], ["2"]], {},
         {"a": 1}, {"size": 28}, [0.5], [[0.5]], ["a"], [1e400], [-1.0], [0.0, 0.0], "[" * 3000]


def test_whatever_stands_in_the_description_the_answer_is_a_model_or_a_model_file_error(model, tmp_path):
    texts, tensors = parts_of(model)
    refused = []
    for name in ("recipe", "classes", "input", "history", "tested", "fastlab"):
        told = json.loads(texts[name])
        changes = [{name: value if isinstance(value, str) else json.dumps(value)} for value in NASTY]
        if isinstance(told, dict):
            changes += [{name: json.dumps({**told, key: value})} for number, key in enumerate((*told, "unknown"))
                        for value in NASTY[number % 3::3]]
        for change in changes:
            path = written(tmp_path / "a.safetensors", {**texts, **change}, tensors)
            try:
                load_model(path).probabilities(np.zeros((1, 28, 28, 1), np.uint8))
            except ModelFileError as error:
                refused.append(str(error))
        left = {key: value for key, value in texts.items() if key != name}
        with pytest.raises(ModelFileError):
            load_model(written(tmp_path / "a.safetensors", left, tensors))
    assert len(refused) > 150
    assert all(str(path) in message for message in refused)


class Largest(TorchDispatchMode):
    "The bytes of the largest tensor for which memory is taken meanwhile."
    bytes = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor) and made.device.type != "meta":
            self.bytes = max(self.bytes, made.nbytes)
        return made


@pytest.mark.parametrize("change", [
    {"recipe": {"width": 1e4}}, {"recipe": {"width": 1e18}}, {"recipe": {"width": 1e300}},
    {"recipe": {"net": "alexnet2012"}, "input": {"size": 227, "crop": 227}}, {"input": {"size": 4096, "crop": 4096}},
    {"input": {"size": 10 ** 9}}, {"input": {"size": 10 ** 9, "crop": 10 ** 9}}, {"classes": 20_000}], ids=str)
def test_absurd_sizes_are_refused_before_memory_is_taken_for_them(model, tmp_path, change):
    texts, tensors = parts_of(model)
    left_open = {"crop": None, "size": None}
    texts["recipe"] = json.dumps({**json.loads(texts["recipe"]), **left_open, **change.get("recipe", {})})
    texts["input"] = json.dumps({**json.loads(texts["input"]), **change.get("input", {})})
    if "classes" in change:
        texts["classes"] = json.dumps([[str(number)] * 2 for number in range(change["classes"])])
    path = written(tmp_path / "a.safetensors", texts, tensors)
    with Largest() as largest, pytest.raises(ModelFileError):
        load_model(path)
    assert largest.bytes < 1 << 20


def test_tensors_that_are_missing_unknown_or_of_another_shape_or_kind_are_named(model, tmp_path):
    texts, tensors = parts_of(model)
    changes = {"'linear.bias' is missing": {"linear.bias": None}, "'more' is not of": {"more": np.zeros(3, np.float32)},
               r"'linear.bias' is .*\(3,\) and the network needs .*\(4,\)": {"linear.bias": np.zeros(3, np.float32)},
               "'linear.bias' is torch.float64": {"linear.bias": np.zeros(4)}}
    for words, change in changes.items():
        wrong = {name: array for name, array in {**tensors, **change}.items() if array is not None}
        with pytest.raises(ModelFileError, match=words):
            load_model(written(tmp_path / "a.safetensors", texts, wrong))


def test_offsets_that_point_elsewhere_are_refused(model, tmp_path):
    from hashlib import sha256
    content = written(tmp_path / "a.safetensors", *parts_of(model)).read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    for wrong in ([0, 1 << 50], [-8, 8], [400, 0], [0, 8]):
        header = json.loads(content[8:end])
        header["conv1.weight"]["data_offsets"] = wrong
        header["__metadata__"]["sha256"] = "0" * 64
        text = json.dumps(header, separators=(",", ":")).encode()
        changed = len(text).to_bytes(8, "little") + text + content[end:]
        (tmp_path / "b.safetensors").write_bytes(changed.replace(b"0" * 64, sha256(changed).hexdigest().encode(), 1))
        with pytest.raises(ModelFileError, match="its tensors cannot be read"):
            load_model(tmp_path / "b.safetensors")


# -- networks that are not fastlab's -----------------------------------------------------------------------------------
def own_net(classes, channels, size):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, classes))


def test_a_file_that_names_code_does_not_run_it(shape_arrays, tmp_path, monkeypatch):
    (tmp_path / "stranger.py").write_text("raise SystemExit('code of a file was run')")
    monkeypatch.chdir(tmp_path)
    texts, tensors = parts_of(model_of(learner_for(shape_arrays, QUICK, 0)))
    for net in ("stranger:net", "os:getcwd", "torchvision:os.system", "torchvision:", "builtins:print"):
        texts["recipe"] = json.dumps({**json.loads(texts["recipe"]), "net": net})
        with pytest.raises(ModelFileError):
            load_model(written(tmp_path / "a.safetensors", texts, tensors))
    assert "stranger" not in sys.modules


def test_a_users_own_network_is_loaded_once_its_function_is_given(shape_arrays, tmp_path):
    sys.modules["own_nets_of_this_test"] = sys.modules[__name__]
    recipe = QUICK.changed(net="own_nets_of_this_test:own_net", precision="fp32")
    from fastlab.images.batches import arrays_dataloaders
    made = model_of(lab_learner(arrays_dataloaders(shape_arrays, 24), recipe))
    save_model(tmp_path / "a.safetensors", made)
    with pytest.raises(ModelFileError, match=r"code that fastlab does not run.*--net own_nets_of_this_test:own_net"):
        load_model(tmp_path / "a.safetensors")
    for net in (own_net, "own_nets_of_this_test:own_net"):
        loaded = load_model(tmp_path / "a.safetensors", net)
        assert np.array_equal(loaded.probabilities(shape_arrays.images), made.probabilities(shape_arrays.images))
    with pytest.raises(ModelFileError, match="its network cannot be built"):
        load_model(tmp_path / "a.safetensors", lambda classes: None)
    del sys.modules["own_nets_of_this_test"]
