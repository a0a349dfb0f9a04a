"""Drawings as files: where they go, what they hold, and that none is ever lost."""
import errno
import io
import json
import os

import numpy as np
import pytest
from PIL import Image

from fastlab.errors import OptionError, StorageError
from fastlab.images.decode import open_image
from fastlab.images.folder import read_folder
from fastlab.page.keeping import Keeping, safe_class, written_new

NAMES = {"1": "博", "2": "学"}


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (28, 28, 1), np.uint8)


def test_a_kept_drawing_is_a_png_of_its_class_with_the_same_pixels(tmp_path, pixels):
    path = Keeping(tmp_path / "new", NAMES).keep("2", pixels)
    assert path.startswith("2/2")
    assert path.endswith(".png")
    assert np.array_equal(open_image(tmp_path / "new" / path), pixels[:, :, 0])
    assert Image.open(tmp_path / "new" / path).format == "PNG"


def test_colour_is_kept(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    path = Keeping(tmp_path, NAMES).keep("1", pixels)
    assert np.array_equal(open_image(tmp_path / path, channels=3), pixels)


def test_what_is_kept_is_a_folder_to_train_on_with_its_names(tmp_path):
    keeping, random = Keeping(tmp_path, NAMES), np.random.default_rng(0)
    for _ in range(10):
        for name in NAMES:
            keeping.keep(name, random.integers(0, 256, (28, 28, 1), np.uint8))
    folder = read_folder(tmp_path)
    assert folder.classes == ("1", "2")
    assert folder.names == NAMES
    assert len(folder.files) == 20


def test_nothing_is_overwritten(tmp_path, pixels):
    place = tmp_path / "there.png"
    place.write_bytes(b"mine")
    written_new(place, b"yours")
    assert place.read_bytes() == b"mine"
    (tmp_path / "classes.json").write_text('{"1": "mine"}')
    Keeping(tmp_path, NAMES).keep("1", pixels)
    assert json.loads((tmp_path / "classes.json").read_text()) == {"1": "mine"}


@pytest.mark.parametrize("name", ["3", "", "../1", "/etc", "1/..", ".", "..", None, 1, ["1"], {"1": 1}, "\ud800", "博"])
def test_a_class_that_is_not_kept_here_is_refused_and_nothing_is_written(tmp_path, pixels, name):
    with pytest.raises(OptionError, match="class:"):
        Keeping(tmp_path / "kept", NAMES).keep(name, pixels)
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("name", ["../up", "a/b", "a\\b", "..", ".hid", "", " 1", "nul\0", "a:b", "\ud800", "x" * 201])
def test_a_models_class_that_is_no_plain_folder_name_cannot_be_kept(tmp_path, name):
    assert not safe_class(name)
    assert name not in Keeping(tmp_path, {name: "evil", "fine": "fine"}).classes


def test_folders_that_are_there_are_classes_too(tmp_path):
    (tmp_path / "永").mkdir()
    (tmp_path / "notes.txt").write_text("no class")
    assert Keeping(tmp_path, NAMES).classes == {"永": "永", **NAMES}


def test_a_file_in_place_of_the_folder_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="--collect"):
        Keeping(tmp_path / "file", NAMES)


def test_a_full_disk_is_said_and_leaves_no_half_file(tmp_path, pixels, monkeypatch):
    class Full(io.BytesIO):
        def write(self, content):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdopen", lambda handle, mode: (os.close(handle), Full())[1])
    with pytest.raises(StorageError, match="disk is full"):
        Keeping(tmp_path, NAMES).keep("1", pixels)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_while_a_drawing_is_written_no_file_has_its_name(tmp_path, pixels, monkeypatch):
    "So one that a kill cuts short is never taken for an image."
    halves = []

    class Watched(io.FileIO):
        def write(self, content):
            written = super().write(content[:20])
            halves.extend(path for path in tmp_path.rglob("*") if path.suffix in (".png", ".json"))
            return written + super().write(content[20:])

    monkeypatch.setattr(os, "fdopen", lambda handle, mode: Watched(handle, mode))
    path = Keeping(tmp_path / "kept", {"1": "1"}).keep("1", pixels)
    assert halves == []
    assert np.array_equal(open_image(tmp_path / "kept" / path), pixels[:, :, 0])


def test_a_file_in_place_of_a_class_is_said(tmp_path, pixels):
    (tmp_path / "1").write_text("in the way")
    with pytest.raises(StorageError, match="1"):
        Keeping(tmp_path, NAMES).keep("1", pixels)
    assert (tmp_path / "1").read_text() == "in the way"
