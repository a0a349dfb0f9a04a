"""A user's own network from the command line: trained, tested, used and shown, and only where the user names it."""
import json
import sys

import pytest

from fastlab.cli import run

CODE = '''
from torch import nn

def flat(classes, channels, size):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, classes))

def wide(classes, channels, size):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, 8), nn.ReLU(), nn.Linear(8, classes))
'''


@pytest.fixture
def own(split_shapes, tmp_path, monkeypatch):
    "A folder with a module of a user's, and a network of it trained on the shapes: the model file's name."
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "users_networks", raising=False)
    (tmp_path / "users_networks.py").write_text(CODE)
    arguments = ["--net", "users_networks:flat", "--epochs", "3", "--batch-size", "24", "--precision", "fp32"]
    assert run(["train", str(split_shapes), *arguments, "--save", "own.safetensors"]) == 0
    yield "own.safetensors"
    sys.modules.pop("users_networks", None)


def answer(capsys, *arguments):
    "(exit code, the JSON object) of a command."
    capsys.readouterr()
    code = run([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out.strip().splitlines()[-1])


def test_a_users_network_is_tested_used_and_shown_once_it_is_named(own, split_shapes, capsys):
    named = ("--net", "users_networks:flat")
    code, tested = answer(capsys, "test", own, str(split_shapes), *named)
    assert (code, tested["n"]) == (0, 24)
    code, told = answer(capsys, "predict", own, str(split_shapes / "test"), *named)
    right = [row["class"] == row["file"].split("/")[-2] for row in told["predictions"]]
    assert (code, sum(right) / len(right)) == (0, pytest.approx(tested["accuracy"]))
    code, shown = answer(capsys, "show", own, str(split_shapes), *named, "--all", "--out", "pictures")
    assert (code, shown["accuracy"]) == (0, tested["accuracy"])
    drawn = {path.split("/")[-1] for path in shown["files"]}
    assert {"confusion.png", "pairs.png"} < drawn
    assert "kernels.png" not in drawn       # it has no convolution


@pytest.mark.parametrize("command", ["test", "predict", "show", "explain", "export"])
def test_without_its_name_no_code_is_run_and_the_message_says_what_to_write(own, split_shapes, capsys, command):
    sys.modules.pop("users_networks")
    code, told = answer(capsys, command, own, str(split_shapes))
    assert code == 2
    assert "--net users_networks:flat" in told["error"]
    assert command in told["error"].split("--net")[1]
    assert "users_networks" not in sys.modules


@pytest.mark.parametrize(("net", "words"), [("users_networks:wide", "tensor"), ("users_networks:flatt", "'flat'"),
                                            ("nowhere_at_all:flat", "nowhere_at_all")])
def test_another_network_than_that_of_the_file_is_an_error(own, split_shapes, capsys, net, words):
    code, told = answer(capsys, "test", own, str(split_shapes), "--net", net)
    assert code == 2
    assert own in told["error"]
    assert words in told["error"]
