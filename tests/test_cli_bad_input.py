"""What a person gets wrong, on the command line: exit 2, what is wrong, the rule and the cure, and no traceback."""
import json
import os
import shutil
import struct
import zlib
from pathlib import Path

import pytest

from fastlab.cli import run
from fastlab.page.packaged import packaged_model


def bomb(path):
    "A PNG of a few bytes that says it has 400 megapixels."
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0))
                     + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


def emptied(folder):
    for file in folder.iterdir():
        file.unlink()


# what is done to a folder `<split>/<class>/<image>`, and what the message must say
FOLDERS = {
    "missing": (shutil.rmtree, ["there is no such folder", "Give a folder"]),
    "a file": (lambda data: (shutil.rmtree(data), data.write_text("x")), ["this is a file"]),
    "empty": (lambda data: (shutil.rmtree(data), data.mkdir()), ["the folder is empty", "one sub-folder a class"]),
    "one class": (lambda data: [shutil.rmtree(data / split / name) for split in ("train", "develop", "test")
                                for name in ("2", "3", "10")], ["only one class, '1'", "two or more"]),
    "a class empty in one split": (lambda data: emptied(data / "develop" / "3"),
                                   ["develop/3", "the class has no images", "remove the folder"]),
    "classes that differ": (lambda data: shutil.rmtree(data / "test" / "10"), ["train and test differ", "'10'"]),
    "nested": (lambda data: (data / "train" / "1" / "deep").mkdir(), ["folders inside a class", "'deep'", "layout"]),
    "stray images": (lambda data: shutil.copy(data / "train" / "1" / "1.png", data / "train" / "stray.png"),
                     ["images lie beside the folders", "'stray.png'"]),
    "a split beside classes": (lambda data: (data / "more").mkdir(), ["'more' stand beside the splits", "move"]),
    "broken images": (lambda data: [(data / "train" / "1" / "1.png").write_bytes(b""),
                                    (data / "train" / "2" / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n cut"),
                                    (data / "test" / "3" / "3.png").write_text("<html></html>"),
                                    bomb(data / "develop" / "10" / "1.png")],
                      ["4 images cannot be read", "1/1.png", "2/2.png", "3/3.png", "10/1.png", "million",
                       "--skip-unreadable"]),
    "a cut classes.json": (lambda data: (data / "classes.json").write_text("{"), ["classes.json", "JSON"]),
}


@pytest.fixture
def data(split_shapes, tmp_path):
    return Path(shutil.copytree(split_shapes, tmp_path / "data"))


def mistake(capsys, *arguments):
    "The message of a command that must end with 2, the same for people and as JSON."
    assert run([*map(str, arguments), "--json"]) == 2
    told, said = capsys.readouterr()
    (line,) = told.strip().splitlines()
    message = json.loads(line)["error"]
    assert f"fastlab: {message}" in said
    assert "Traceback" not in said
    return message


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_folder_that_cannot_be_used_is_said_with_rule_and_cure(data, tmp_path, capsys, kind):
    spoil, words = FOLDERS[kind]
    spoil(data)
    message = mistake(capsys, "train", data, "--epochs", "1", "--cache", tmp_path / "cache",
                      "--save", tmp_path / "net.safetensors")
    assert str(data) in message
    for word in words:
        assert word in message
    assert not (tmp_path / "net.safetensors").exists()


@pytest.mark.parametrize(("options", "words"), [
    (["--lr", "nan"], ["lr", "nan"]), (["--lr", "-1"], ["lr", "at least 0"]), (["--batch-size", "0"], ["batch-size"]),
    (["--net", "resnet"], ["net", "'resnet' is not known"]), (["--net", "no_such_module:net"], ["no_such_module"]),
    (["--net", "torchvision:resnet19"], ["resnet19"]), (["--norm", "layer"], ["norm", "none, batch"]),
    (["--dropout", "1"], ["dropout", "less than 1"]), (["--decay", "0.1"], ["decay", "adamw"]),
    (["--crop", "40", "--size", "28"], ["crop", "40", "28"]), (["--channels", "2"], ["channels", "RGB"]),
    (["--threads", "-2"], ["threads", "-2"]), (["--group-by", "("], ["group-by"]), (["--epochs", "many"], ["epochs"]),
    (["--weights", "none.safetensors"], ["none.safetensors"]), (["--recipe", "none.toml"], ["--recipe none.toml"]),
    (["--switch", "order"], ["--switch order", "NAME=VALUE"]), (["--size", "2"], ["size", "at least"]),
    (["--batch-size", "73"], ["batch-size", "73", "at most 72"]),
    (["--batch-size", "97", "--on", "total_train"], ["batch-size", "97", "at most 96"])], ids=str)
def test_an_option_outside_its_rule_is_named_and_nothing_is_written(split_shapes, tmp_path, capsys, options, words):
    saved = tmp_path / "net"
    message = mistake(capsys, "train", split_shapes, *options, "--cache", tmp_path / "cache", "--save", saved)
    for word in words:
        assert word in message
    assert not saved.exists()


def test_a_rate_that_breaks_the_weights_ends_with_2_and_a_cure(split_shapes, tmp_path, capsys):
    message = mistake(capsys, "train", split_shapes, "--epochs", "2", "--lr", "1e30", "--optimizer", "sgd",
                      "--norm", "none", "--cache", tmp_path / "cache", "--save", tmp_path / "net")
    assert "epoch 1" in message
    assert "Take a lower learning rate" in message
    assert not (tmp_path / "net").exists()


@pytest.mark.parametrize(("option", "place"), [("--save", "a file/net"), ("--save", "pipe"), ("--save", "long" * 80),
                                               ("--save", ".")])
def test_an_output_that_cannot_be_written_is_said_before_anything_is_decoded(split_shapes, tmp_path, capsys, option,
                                                                             place, monkeypatch):
    (tmp_path / "a file").touch()
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr("fastlab.training.command.decoded_for", None)
    assert f"{option} {tmp_path / place}: " in mistake(capsys, "train", split_shapes, option, tmp_path / place)


@pytest.mark.parametrize(("arguments", "words"), [
    (["lr-find", "--out", "{here}/curve.gif"], ["curve.gif", ".png or .svg"]),
    (["lr-find", "--out", "{here}/a file/curve.png"], ["--out", "a file, not a folder"]),
    (["show", "{packaged}", "--out", "{here}/a file"], ["--out", "this is a file", "folder"]),
    (["show", "{packaged}", "--out", "{here}/a file/below"], ["--out", "a file, not a folder"])], ids=str)
def test_a_place_for_pictures_that_is_none_is_said_before_anything_is_decoded(tmp_path, capsys, monkeypatch, arguments,
                                                                              words):
    (tmp_path / "a file").touch()
    for name in ("named_or_default", "decoded_for", "decoded_as"):
        monkeypatch.setattr(f"fastlab.pictures.command.{name}", None)
    message = mistake(capsys, *(word.format(here=tmp_path, packaged=packaged_model()) for word in arguments))
    for word in words:
        assert word in message


def test_a_command_alone_shows_what_there_is(capsys):
    assert run([]) == 2
    told, said = capsys.readouterr()
    assert told.count("Usage:") == 1
    assert "lr-find" in told
    assert said == ""


def test_a_full_disk_ends_with_2_and_what_was_there_stays(split_shapes, tmp_path, capsys, monkeypatch):
    import errno
    saved = tmp_path / "net.safetensors"
    saved.write_bytes(b"an older network")

    def full(path, model):
        from fastlab.files import storage_problem
        raise storage_problem(path, OSError(errno.ENOSPC, "No space left on device"))
    monkeypatch.setattr("fastlab.training.train.save_model", full)
    message = mistake(capsys, "train", split_shapes, "--epochs", "1", "--cache", tmp_path / "cache", "--save", saved)
    assert "the disk is full; free some space" in message
    assert saved.read_bytes() == b"an older network"
